"""The end of a run: its final model, evaluated on the test set once, and its result."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from digits.data.datasets import Dataset
from digits.store import finetuning
from digits.store.run_folder import Run
from digits.worker import model
from digits.worker.predict import load_file, predict, predict_test_images

if TYPE_CHECKING:
    from digits.worker.preload import Network
    from digits.worker.trainer import Timer


def finish(
    run: Run,
    network: "Network",
    data: Dataset,
    timer: "Timer",
    unfinished: tuple[float, float],
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Save the model in float32, which reads anywhere, evaluate it, and return the run's result.

    The result's ``seconds`` and ``cpu_seconds`` are those of the training proper: of the whole
    epochs in all attempts and, as ``unfinished``, of the last one where it was cut short. The speed
    is that of whole epochs; start, publishing (files, the live view) and evaluation are of the last
    attempt.
    """
    recipe, epochs, epoch = run.recipe, run.epoch_metrics(), run.status.epoch
    final = network.final = model.compile(network.final or model.build(recipe), recipe)
    final.set_weights(network.model.get_weights())
    run.write_model(final.save)
    timer.start("evaluation")
    val_loss, val_accuracy, _ = evaluate(final, data.x_val, data.y_val)
    test_loss, test_accuracy, test = evaluate(final, data.x_test, data.y_test)
    timer.start("publishing")
    run.write_test_probabilities(test)
    if epoch and unfinished == (0.0, 0.0) and not recipe.patience:  # then it is the last epoch's
        run.write_test_probabilities(test.astype(np.float16), epoch)
    seconds = float(epochs["seconds"].sum())  # of whole epochs
    images = len(epochs["seconds"]) * len(data.x_train)
    result = {
        "run": run.id,
        "parameters": final.count_params(),
        "epochs": epoch,
        "seconds": round(seconds + unfinished[0], 3),
        "cpu_seconds": round(float(epochs["cpu_seconds"].sum()) + unfinished[1], 3),
        "start_seconds": round(timer.seconds["start"], 3),
        "publishing_seconds": round(timer.seconds["publishing"], 3),
        "evaluation_seconds": round(timer.seconds["evaluation"], 3),
        "images_per_second": round(images / seconds, 1) if seconds else None,
        "train_accuracy": float(epochs["accuracy"][-1]) if seconds else None,
        "val_accuracy": val_accuracy,
        "val_loss": val_loss,
        "test_accuracy": test_accuracy,
        "test_loss": test_loss,
        "test_images": len(test),
        "precision": network.model.layers[0].dtype_policy.name,
    }
    if recipe.finetune:
        _compare_with_base(run, final, data.x_test)
    run.write_result(result)
    predict_test_images(run, final, data.x_test, report)
    return result


def evaluate(network: keras.Model, x: np.ndarray, y: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Cross-entropy in nats (without label smoothing), accuracy, and probabilities (n, 10)."""
    p = predict(network, x)
    loss = -np.log(np.clip(p[np.arange(len(y)), y], 1e-7, 1)).mean()
    return float(loss), float((p.argmax(axis=1) == y).mean()), p


def _compare_with_base(run: Run, final: keras.Model, x_test: np.ndarray) -> None:
    """Keep the probabilities of drawings and test images before and after fine-tuning."""
    data, base = finetuning.load_data(run), load_file(finetuning.base_model_path(run))
    probabilities = finetuning.BeforeAfter(
        test_before=predict(base, x_test),
        held_out_before=predict(base, data.x_held_out),
        held_out_after=predict(final, data.x_held_out),
        train_before=predict(base, data.x_train),
        train_after=predict(final, data.x_train),
    )
    finetuning.write_before_after(run, probabilities)
