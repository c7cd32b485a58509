"""Trains one run from its folder and leaves there all that the pages show."""

import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.store import finetuning
from digits.store.runs import EPOCH_COLUMNS, STEP_COLUMNS, Run
from digits.store.status import Status
from digits.worker import model
from digits.worker.epoch_predictions import predict_test_images
from digits.worker.predict import load, probabilities
from digits.worker.preload import take
from digits.worker.timer import Timer
from digits.worker.train_step import micro_batches

STEPS_PER_CALL = 20  # steps in one call of the graph; the curve grows at least so often
STATUS_INTERVAL = 0.4  # seconds at least from one status to the next
SAMPLES_PER_DIGIT = 2  # validation digits of each class whose predictions the live view follows

logging.getLogger("absl").setLevel(logging.ERROR)  # HDF5 is legacy, and some still want it


class Diverged(ArithmeticError):
    """The loss is no longer a number."""


def train(run: Run, tell: Callable[[Status], None] = lambda status: None) -> dict[str, Any] | None:
    """Train a run, or go on from its last checkpoint; gives its result, ``None`` if it failed.

    ``tell`` gets every status that is written. A run that cannot be trained ends as failed, with
    a sentence in its status; nothing is raised for it.
    """
    training = Trainer(run, tell)
    try:
        return training.go()
    except Diverged as error:
        training.publish(state="failed", message=str(error), seconds_left=None)
    except (ValueError, OSError, tf.errors.ResourceExhaustedError) as error:
        message = f"The run could not be trained: {error}"
        training.publish(state="failed", message=message, seconds_left=None)
    return None


class Trainer:
    """One run while it trains: its data, its model and its clock."""

    def __init__(self, run: Run, tell: Callable[[Status], None]) -> None:
        self.run, self.tell, self.recipe = run, tell, run.recipe
        self.status = run.status
        self.looked = 0.0  # when the last status was written, in seconds of the monotonic clock
        self.clock = Timer()  # of this attempt
        self.images = 0  # trained on in this attempt

    def publish(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        self.run.write_status(self.status)
        self.tell(self.status)

    def go(self) -> dict[str, Any]:
        """Prepare, train every epoch that is left, and meet the test set once."""
        recipe, run = self.recipe, self.run
        self.publish(state="running", message="Preparing the data and the network.")
        prepared = take(recipe, run)
        self.data, self.model, self.advance = prepared.data, prepared.model, prepared.advance
        self.steps_per_epoch = -(-len(self.data.x_train) // recipe.batch_size)
        steps = self.steps_per_epoch * recipe.epochs
        epoch = self.resume()
        self.watch()
        self.clock.turn_to("publishing")
        self.publish(steps=steps, epoch=epoch, step=epoch * self.steps_per_epoch, message="")
        while epoch < recipe.epochs and not self.overdue() and self.train_epoch(epoch):
            epoch += 1
        return self.finish(
            "stopped" if run.stop_requested and epoch < recipe.epochs else "finished"
        )

    def resume(self) -> int:
        """Go back to the last checkpoint; gives the epochs done. Later rows are dropped."""
        epoch = 0
        if found := self.run.checkpoint():
            epoch, path = found
            self.model.load_weights(path)  # and the state of the optimizer
            for layer in self.model.layers:
                if isinstance(layer, keras.layers.Dropout):  # Keras forgets how often it drew
                    drawn = epoch * self.steps_per_epoch * micro_batches(self.recipe)
                    draws = np.array([layer.seed, drawn], np.uint32)
                    layer.seed_generator.state.assign(draws)
        self.run.truncate("epochs.csv", epoch)
        self.run.truncate("steps.csv", epoch * self.steps_per_epoch)
        return epoch

    def train_epoch(self, epoch: int) -> bool:
        """Train, validate and keep one epoch; ``False`` when somebody asked to stop within it."""
        size, n = self.recipe.batch_size, len(self.data.x_train)
        order = np.random.default_rng([self.recipe.seed, epoch]).permutation(n)
        offset = epoch * self.steps_per_epoch
        losses, accuracies = np.empty(0), np.empty(0)
        clock = self.clock
        seconds, cpu_seconds = clock.seconds["training"], clock.cpu_seconds["training"]
        for first in range(0, self.steps_per_epoch, STEPS_PER_CALL):
            if self.run.stop_requested:
                return False
            last = min(first + STEPS_PER_CALL, self.steps_per_epoch)
            clock.turn_to("training")
            loss, accuracy = self.advance(order, first, last, offset)
            clock.turn_to("publishing")
            self.images += min(last * size, n) - first * size
            if not np.isfinite(loss).all():
                rate = self.recipe.learning_rate
                raise Diverged(
                    f"The loss became infinite in epoch {epoch + 1}. A learning rate of {rate:g} "
                    f"is too high for this recipe; try {rate / 10:g}."
                )
            numbers = range(offset + first + 1, offset + last + 1)
            self.run.append("steps.csv", STEP_COLUMNS, zip(numbers, loss, accuracy, strict=True))
            losses, accuracies = np.append(losses, loss), np.append(accuracies, accuracy)
            self.look(offset + last)
        images = np.full(self.steps_per_epoch, size)
        images[-1] -= self.steps_per_epoch * size - n  # the last batch may be smaller
        val_loss, val_accuracy, p = self.evaluate(self.model, self.data.x_val, self.data.y_val)
        row = (
            epoch + 1,
            np.average(losses, weights=images),
            np.average(accuracies, weights=images),
            val_loss,
            val_accuracy,
            float(self.model.optimizer.learning_rate),
            clock.seconds["training"] - seconds,
            clock.cpu_seconds["training"] - cpu_seconds,
        )
        self.keep(epoch + 1, row, p.astype(np.float16))
        return True

    def keep(self, epoch: int, row: tuple[float, ...], p: np.ndarray) -> None:
        """The row first, the checkpoint last: what has no checkpoint is trained again."""
        run = self.run
        run.append("epochs.csv", EPOCH_COLUMNS, [row])
        run.replace(f"weights/{epoch:04}.weights.h5", self.model.save_weights)
        run.replace(f"val_probabilities/{epoch:04}.npy", lambda path: np.save(path, p))
        old = run.checkpoint()
        run.replace(f"checkpoint-{epoch:04}.keras", self.model.save)
        if old:
            old[1].unlink()
        self.publish(epoch=epoch, step=epoch * self.steps_per_epoch)

    def look(self, step: int) -> None:
        """Tell the pages how far the run is, a few times a second."""
        now = time.perf_counter()
        if now - self.looked < STATUS_INTERVAL:
            return
        self.looked = now
        rate = self.images / self.clock.seconds["training"]
        left = (self.recipe.epochs * len(self.data.x_train)) - step * self.recipe.batch_size
        self.watch()
        self.publish(step=step, images_per_second=rate, seconds_left=max(0.0, left / rate))

    def watch(self) -> None:
        """Predict the same few validation digits again, so that a person sees them change."""
        y = self.data.y_val
        chosen = np.concatenate(
            [np.flatnonzero(y == label)[:SAMPLES_PER_DIGIT] for label in range(10)]
        )
        save = self.run.replace
        if not (self.run.folder / "watched_images.npy").exists():
            save("watched_images.npy", lambda path: np.save(path, self.data.x_val[chosen]))
            save("watched_labels.npy", lambda path: np.save(path, y[chosen]))
        now = probabilities(self.model, self.data.x_val[chosen]).astype(np.float16)
        save("watched_probabilities.npy", lambda path: np.save(path, now))

    def overdue(self) -> bool:
        """Whether the validation loss has not improved for ``patience`` epochs."""
        val_loss = self.run.epoch_metrics()["val_loss"]
        patience = self.recipe.patience
        return bool(
            patience and len(val_loss) and len(val_loss) - 1 - np.argmin(val_loss) >= patience
        )

    def finish(self, state: str) -> dict[str, Any]:
        """Keep the model in float32, which reads anywhere, and meet the test set once.

        With early stopping the weights of the best epoch are kept, else the last ones. The
        result's ``seconds`` and ``cpu_seconds`` are those of the training proper, in all attempts;
        start, publishing (files, the live view) and evaluation are of the last one.
        """
        run, recipe = self.run, self.recipe
        self.publish(message="Evaluating on the test set.", seconds_left=None)
        epochs = run.epoch_metrics()
        if recipe.patience and len(epochs["val_loss"]):
            best = int(np.argmin(epochs["val_loss"])) + 1
            self.model.load_weights(run.folder / "weights" / f"{best:04}.weights.h5")
        final = model.compile(model.build(recipe), recipe)
        final.set_weights(self.model.get_weights())
        run.replace("model.keras", final.save)
        run.replace("model.h5", final.save)
        val_loss, val_accuracy, _ = self.evaluate(final, self.data.x_val, self.data.y_val)
        test_loss, test_accuracy, test = self.evaluate(final, self.data.x_test, self.data.y_test)
        run.replace("test_probabilities.npy", lambda path: np.save(path, test))
        seconds = float(epochs["seconds"].sum())
        images = len(epochs["seconds"]) * len(self.data.x_train)
        result = {
            "run": run.id,
            "parameters": final.count_params(),
            "epochs": len(epochs["seconds"]),
            "seconds": round(seconds, 3),
            "cpu_seconds": round(float(epochs["cpu_seconds"].sum()), 3),
            "start_seconds": round(self.clock.seconds["start"], 3),
            "publishing_seconds": round(self.clock.seconds["publishing"], 3),
            "evaluation_seconds": round(self.clock.seconds["evaluation"], 3),
            "images_per_second": round(images / seconds, 1) if seconds else None,
            "train_accuracy": float(epochs["accuracy"][-1]) if seconds else None,
            "val_accuracy": val_accuracy,
            "val_loss": val_loss,
            "test_accuracy": test_accuracy,
            "test_loss": test_loss,
            "test_images": len(test),
            "precision": self.model.layers[0].dtype_policy.name,
        }
        if recipe.finetune:
            self.compare(final)
        run.write("result.json", result)
        predict_test_images(
            run, final, self.data.x_test, lambda message: self.publish(message=message)
        )
        self.publish(state=state, message="")
        return result

    def compare(self, final: keras.Model) -> None:
        """Keep what the network said before and after the lesson, of drawings and test images."""
        material, start = finetuning.load_data(self.run), load(finetuning.base_model_path(self.run))
        before_after = finetuning.BeforeAfter(
            test_before=probabilities(start, self.data.x_test),
            held_before=probabilities(start, material.x_held),
            held_after=probabilities(final, material.x_held),
            taught_before=probabilities(start, material.x_taught),
            taught_after=probabilities(final, material.x_taught),
        )
        self.run.replace(
            finetuning.BEFORE_AFTER, lambda path: np.savez(path, **dataclasses.asdict(before_after))
        )

    def evaluate(
        self, network: keras.Model, x: np.ndarray, y: np.ndarray
    ) -> tuple[float, float, np.ndarray]:
        """Cross-entropy in nats (without label smoothing), accuracy, and probabilities (n, 10)."""
        self.clock.turn_to("evaluation")
        p = probabilities(network, x)
        self.clock.turn_to("publishing")
        loss = -np.log(np.clip(p[np.arange(len(y)), y], 1e-7, 1)).mean()
        return float(loss), float((p.argmax(axis=1) == y).mean()), p
