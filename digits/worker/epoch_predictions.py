"""Probabilities by the network of every epoch: for the test images, or for any others."""

from collections.abc import Callable

import keras
import numpy as np

from digits.data import datasets
from digits.store import finetuning
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker import model
from digits.worker.predict import load, load_file, predict


def predict_missing_epochs(run: Run, report: Callable[[str], None] = lambda message: None) -> None:
    """Write the test probabilities of epochs that a finished run lacks, from its weights.

    Raises ``ValueError`` when the run has no model, and as ``datasets.load_test`` does.
    """
    final = load(ModelRef(run))
    predict_test_images(run, final, datasets.load_test(run.recipe.dataset)[0], report)


def predict_test_images(
    run: Run, final: keras.Model, x: np.ndarray, report: Callable[[str], None]
) -> None:
    """Write missing test probabilities, (n, 10) float16, of each epoch whose weights are there.

    ``final`` is the run's model, ``x`` the test images, (n, 28, 28) uint8. The epoch that became
    the final model gets the very probabilities of that.
    """
    network, final_weights = model.build(run.recipe), final.get_weights()
    saved = run.saved_epochs()
    for epoch in sorted({*saved} - {*run.evaluated_epochs()}):
        report(f"Predicting the test images after epoch {epoch} of {saved[-1]}.")
        network.load_weights(run.weights_path(epoch))
        same = all(map(np.array_equal, network.get_weights(), final_weights))
        p = run.test_probabilities() if same else predict(network, x)
        run.write_test_probabilities(p.astype(np.float16), epoch)


def predict_at_epochs(run: Run, epochs: list[int], x: np.ndarray) -> np.ndarray:
    """Probabilities (epochs, n, 10) float32 of ``x`` (n, 28, 28) uint8 after these epochs.

    Epoch 0 is before the first. The run may be training. Raises ``ValueError`` when the weights
    of an epoch are missing.
    """
    recipe = run.recipe
    network, probabilities = model.build(recipe), []
    for epoch in sorted(epochs):
        if epoch:
            network.load_weights(run.weights_path(epoch))
        elif recipe.finetune:
            network.set_weights(load_file(finetuning.base_model_path(run)).get_weights())
        probabilities.append(predict(network, x))
    return np.stack(probabilities)
