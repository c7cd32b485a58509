"""Trains one run from its folder and leaves there all that the pages show."""

import logging
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.recipes.schedule import learning_rates
from digits.store import forks, learning_rate, runs, thinning, watched
from digits.store.files import reason
from digits.store.run_folder import Run
from digits.store.status import INFINITE, LAST_EXIT, UNFINISHED, Status
from digits.worker import model
from digits.worker.finish import evaluate, finish
from digits.worker.predict import DAMAGED, load_start, load_weights, predict
from digits.worker.preload import Prepared, drop_kernels, give_back, prepare, take
from digits.worker.train_step import micro_batches

STEPS_PER_CALL = 20  # of the graph; the curve grows at least so often
STATUS_INTERVAL = 0.4  # seconds at least from one status to the next
WORTH_FINISHING = 10.0  # seconds of an epoch that are left when a pause is asked for
MAX_DEATHS = 4  # of workers, one after the other, in the same epoch of a run
SAMPLES_PER_DIGIT = 2  # validation images whose predictions the live view follows

logging.getLogger("absl").setLevel(logging.ERROR)  # warns that HDF5 is legacy; some still want it


class Diverged(ArithmeticError):
    """The loss is no longer a number."""


class WorkersDied(RuntimeError):
    """A run takes its worker along again and again."""


def train(
    run: Run, report: Callable[[Status], None] = lambda status: None
) -> dict[str, Any] | None:
    """Train a run, or resume it from its checkpoint.

    Returns its result, ``None`` if it failed or paused.
    ``report`` gets every status that is written. A run that cannot be trained ends as failed, with
    a sentence in its status; nothing is raised for it. One that has ended, or was taken off the
    queue, is left alone: a cluster repeats a task whose result was lost.
    """
    trainer = Trainer(run, report)
    if trainer.status.state not in UNFINISHED:
        return None
    try:
        result = trainer.train()
        give_back(trainer.recipe, trainer.prepared)
        return result
    except (MemoryError, tf.errors.ResourceExhaustedError):
        message = "Memory ran out. Try a smaller batch, fewer filters or fewer units."
    except (Diverged, WorkersDied, ValueError, OSError, tf.errors.OpError) as error:
        message = reason(error)
    trainer.publish(state="failed", message=message, seconds_left=None)
    drop_kernels()  # nobody takes over its graph
    return None


class Trainer:
    """One run while it trains: its data, its model and its timer."""

    def __init__(self, run: Run, report: Callable[[Status], None]) -> None:
        self.run, self.report, self.recipe = run, report, run.recipe
        self.status = run.status
        self.published = 0.0  # when the last status was written, in seconds of a monotonic clock
        self.timer = Timer()  # of this attempt
        self.images = 0  # trained on in this attempt
        self.unfinished = 0.0, 0.0  # wall and processor seconds of an epoch that was cut short
        self.epochs_before = self.recipe.fork.epochs_before if self.recipe.fork else 0

    def publish(self, **changes: Any) -> None:
        """Write the status, changed so."""
        self.status = replace(self.status, **changes)
        self.run.write_status(self.status)
        self.report(self.status)

    def train(self) -> dict[str, Any] | None:
        """Prepare, train the epochs that are left, and evaluate on the test set once.

        ``None`` when the run was asked to pause, which leaves it untested.
        """
        recipe, run = self.recipe, self.run
        deaths = self.status.deaths + (self.status.state == "running")  # it never came to an end
        if deaths >= MAX_DEATHS:
            raise WorkersDied(f"{deaths} workers in a row died of this run{_last_exit()}.")
        message = "Preparing the data and the network."
        self.publish(state="running", deaths=deaths, message=message)
        self.use(take(recipe, run))
        self.steps_per_epoch = -(-len(self.data.x_train) // recipe.batch_size)
        self.steps = self.steps_per_epoch * recipe.epochs
        self.rates = self.learning_rates()
        epoch = self.resume()
        self.predict_sample()
        self.timer.start("publishing")
        self.publish(steps=self.steps, epoch=epoch, step=epoch * self.steps_per_epoch, message="")
        while not self.is_complete(epoch) and not self.pauses(epoch) and self.train_epoch(epoch):
            epoch += 1
        if self.pauses(epoch):
            self.pause(epoch)
            return None
        state = "stopped" if run.stop_requested and epoch < recipe.epochs else "finished"
        self.publish(message="Evaluating on the test set.", seconds_left=None)
        thinning.thin_all()
        if recipe.patience:
            self.load_best_epoch()
        result = finish(
            run,
            self.prepared.network,
            self.data,
            self.timer,
            self.unfinished,
            lambda text: self.publish(message=text),
        )
        self.publish(state=state, message="")
        return result

    def use(self, prepared: Prepared) -> None:
        """Train with these."""
        self.prepared = prepared
        self.data, self.model = prepared.data, prepared.network.model
        self.train_steps = prepared.train_steps

    def learning_rates(self) -> np.ndarray:
        """The learning rate of every step, as it was changed so far: (steps,) float32."""
        return learning_rates(self.recipe, self.steps, learning_rate.changes(self.run))

    def resume(self) -> int:
        """Go back to the last whole epoch; returns the epochs done. Later rows are dropped."""
        epoch = self.load_checkpoint()
        if not epoch:
            load_start(self.model, self.run)
            self.continue_optimizer()
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout):  # Keras forgets how often it drew
                steps = (self.epochs_before + epoch) * self.steps_per_epoch
                draws = steps * micro_batches(self.recipe)
                state = np.array([layer.seed, draws], np.uint32)
                layer.seed_generator.state.assign(state)
        if gaps := self.run.truncate_metrics(epoch, epoch * self.steps_per_epoch):
            self.add_note(f"Rows are missing in {' and '.join(gaps)}: the curves have a gap.")
        return epoch

    def continue_optimizer(self) -> None:
        """Take over the optimizer's state of a fork's parent, where that has kept it."""
        if not self.recipe.fork or not (kept := forks.own_parent(self.run).checkpoints()):
            return
        before = forks.own_parent(self.run).recipe
        if before.optimizer != self.recipe.optimizer:
            return
        parent = model.compile(model.build(before), before)
        parent.optimizer.build(parent.trainable_variables)
        try:
            parent.load_weights(kept[0][1])
        except DAMAGED:
            self.add_note("The state of the parent's optimizer was damaged; it begins anew.")
            return
        states = zip(self.model.optimizer.variables, parent.optimizer.variables, strict=True)
        for own, taken in states:
            own.assign(taken)

    def load_checkpoint(self) -> int:
        """Load the latest checkpoint that is whole; returns its epoch, 0 without any.

        Where none is whole, the weights of an epoch must do, without the optimizer's state.
        """
        checkpoints = self.run.checkpoints()
        for epoch, path in checkpoints:
            try:
                self.model.load_weights(path)  # and the state of the optimizer
                return epoch
            except DAMAGED:
                self.use(prepare(self.recipe, self.run))  # it may have been loaded in part
                self.add_note(f"The checkpoint of epoch {epoch} was damaged.")
        for epoch in reversed(self.run.saved_epochs() if checkpoints else []):
            try:
                load_weights(self.model, self.run, epoch)
                self.add_note(f"Epoch {epoch} was resumed without the state of the optimizer.")
                return epoch
            except ValueError:
                self.use(prepare(self.recipe, self.run))
        return 0

    def load_best_epoch(self) -> None:
        """Load the weights of the lowest validation loss, or of the next best that are whole."""
        epochs = self.run.epoch_metrics()
        for epoch in epochs["epoch"][np.argsort(epochs["val_loss"], kind="stable")].astype(int):
            try:
                load_weights(self.model, self.run, epoch)
                return
            except ValueError:
                self.add_note(f"The weights of epoch {epoch} were damaged; the next best are used.")

    def add_note(self, note: str) -> None:
        """Tell something that stays true of this run."""
        if note not in self.status.note:
            self.publish(note=f"{self.status.note} {note}".strip())

    def train_epoch(self, epoch: int) -> bool:
        """Train, validate and save one epoch; ``False`` when it was cut short by a request."""
        size, n = self.recipe.batch_size, len(self.data.x_train)
        runs.check_space(self.run.folder, self.recipe, epochs=1)
        offset = epoch * self.steps_per_epoch
        number = self.epochs_before + epoch  # decides what is drawn at random
        order = np.random.default_rng([self.recipe.seed, number]).permutation(n)
        losses, accuracies = np.empty(0), np.empty(0)
        timer = self.timer
        seconds, cpu_seconds = timer.seconds["training"], timer.cpu_seconds["training"]
        ends = {*range(0, self.steps_per_epoch, STEPS_PER_CALL), self.steps_per_epoch}
        if not self.images:  # the first point of an attempt comes after one step
            ends.add(1)
        for first, last in pairwise(sorted(ends)):
            if self.run.stop_requested or (self.pauses(epoch) and not self.is_soon_over(first)):
                self.unfinished = (
                    timer.seconds["training"] - seconds,
                    timer.cpu_seconds["training"] - cpu_seconds,
                )
                return False
            if learning_rate.record_request(self.run, offset + first):
                self.rates = self.learning_rates()
            timer.start("training")
            rates = self.rates[offset + first : offset + last]
            earlier = number * self.steps_per_epoch
            loss, accuracy = self.train_steps(order, first, last, earlier, rates)
            timer.start("publishing")
            self.images += min(last * size, n) - first * size
            self.check_finite(loss, epoch)
            steps = range(offset + first + 1, offset + last + 1)
            self.run.append_steps(zip(steps, loss, accuracy, strict=True))
            losses, accuracies = np.append(losses, loss), np.append(accuracies, accuracy)
            self.publish_progress(offset + last)
        images = np.full(self.steps_per_epoch, size)
        images[-1] -= self.steps_per_epoch * size - n  # the last batch may be smaller
        timer.start("evaluation")
        val_loss, val_accuracy, p = evaluate(self.model, self.data.x_val, self.data.y_val)
        timer.start("publishing")
        self.check_finite(val_loss, epoch)
        row = (
            epoch + 1,
            np.average(losses, weights=images),
            np.average(accuracies, weights=images),
            val_loss,
            val_accuracy,
            float(self.model.optimizer.learning_rate),
            timer.seconds["training"] - seconds,
            timer.cpu_seconds["training"] - cpu_seconds,
        )
        self.save_epoch(epoch + 1, row, p.astype(np.float16))
        return True

    def check_finite(self, loss: np.ndarray | float, epoch: int) -> None:
        """Raise ``Diverged`` where the loss is no longer a number."""
        if not np.isfinite(loss).all():
            rate = learning_rate.peak(self.run)
            raise Diverged(
                f"{INFINITE} in epoch {epoch + 1}. A learning rate of {rate:g} "
                f"is too high for this recipe; try {rate / 10:g}."
            )

    def save_epoch(self, epoch: int, row: tuple[float, ...], val_probabilities: np.ndarray) -> None:
        """The row first, the checkpoint last: what has no checkpoint is trained again."""
        self.run.append_epochs([row])
        self.run.write_weights(self.model.save_weights, epoch)
        self.run.write_val_probabilities(val_probabilities, epoch)
        self.run.write_checkpoint(self.model.save, epoch)
        thinning.thin(self.run)
        self.publish(epoch=epoch, step=epoch * self.steps_per_epoch, deaths=0)

    def publish_progress(self, step: int) -> None:
        """Tell the pages how far the run is, a few times a second."""
        now = time.perf_counter()
        if now - self.published < STATUS_INTERVAL:
            return
        self.published = now
        speed = self.images / self.timer.seconds["training"]
        left = (self.recipe.epochs * len(self.data.x_train)) - step * self.recipe.batch_size
        self.predict_sample()
        self.publish(step=step, images_per_second=speed, seconds_left=max(0.0, left / speed))

    def predict_sample(self) -> None:
        """Predict a few validation images, and what visitors drew, so that they see both change."""
        y = self.data.y_val
        sample = np.concatenate(
            [np.flatnonzero(y == digit)[:SAMPLES_PER_DIGIT] for digit in range(10)]
        )
        x, drawn = self.data.x_val[sample], watched.drawings(self.run)
        p = predict(self.model, np.concatenate([x, drawn])).astype(np.float16)
        self.run.write_validation_sample(x, y[sample], p[: len(x)])
        if len(drawn):
            watched.write_predictions(self.run, drawn, p[len(x) :])

    def is_complete(self, epoch: int) -> bool:
        """Whether no epoch is left, or the validation loss has not improved for ``patience``."""
        epochs, patience = self.run.epoch_metrics()["epoch"], self.recipe.patience
        early = patience and len(epochs) and epochs[-1] - self.run.best_epoch() >= patience
        return epoch >= self.recipe.epochs or bool(early)

    def pauses(self, epoch: int) -> bool:
        """Whether to pause after this number of completed epochs; a request to stop goes first.

        After the last one a run ends, unless it was to pause after just this one.
        """
        after = None if self.run.stop_requested else self.run.pause_epoch()
        if self.is_complete(epoch):
            return after == self.recipe.epochs
        return after is not None and after <= epoch

    def is_soon_over(self, batches: int) -> bool:
        """Whether the rest of an epoch, after so many batches of it, is worth waiting for."""
        left = (self.steps_per_epoch - batches) * self.recipe.batch_size
        return left * self.timer.seconds["training"] < WORTH_FINISHING * self.images

    def pause(self, epoch: int) -> None:
        """End this attempt after the last whole epoch, with nothing of one that was cut short."""
        step = epoch * self.steps_per_epoch
        self.run.truncate_metrics(epoch, step)
        self.status = replace(self.status, step=step).paused()
        self.publish()


def _last_exit() -> str:
    """How the worker before this one ended, where that is known."""
    code = int(os.environ.get(LAST_EXIT, "0"))
    if code == -signal.SIGKILL:
        return ", killed by signal 9, as the system does when memory runs out"
    return f", the last by signal {-code}" if code < 0 else "; perhaps memory ran out"


class Timer:
    """Seconds on the wall and of the processor by phase; one phase at a time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.cpu_seconds: dict[str, float] = defaultdict(float)
        self.phase, self.since = "start", self._now()

    def start(self, phase: str) -> None:
        """End the phase before and begin another. Processor time is the whole process's."""
        (wall, cpu), (wall_before, cpu_before) = self._now(), self.since
        self.seconds[self.phase] += wall - wall_before
        self.cpu_seconds[self.phase] += cpu - cpu_before
        self.phase, self.since = phase, (wall, cpu)

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()
