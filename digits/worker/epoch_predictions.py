"""Lets the network of every epoch read: the test images once the run has ended, others any time."""

from collections.abc import Callable

import keras
import numpy as np

from digits.data import datasets
from digits.store import finetuning
from digits.store.runs import Run
from digits.worker import model
from digits.worker.predict import load, probabilities


def predict_missing_epochs(run: Run, tell: Callable[[str], None] = lambda message: None) -> None:
    """Make the test probabilities of epochs that a finished run lacks, from its kept weights.

    Raises ``ValueError`` when the run has no model, and as ``data.load_test`` does.
    """
    final = load(run.model_path)
    predict_test_images(run, final, datasets.load_test(run.recipe.dataset)[0], tell)


def predict_test_images(
    run: Run, final: keras.Model, x: np.ndarray, tell: Callable[[str], None]
) -> None:
    """Write a missing ``test_probabilities/<epoch>.npy`` for each epoch whose weights are kept.

    ``final`` is the run's model, ``x`` the test images, (n, 28, 28) uint8. Each file is (n, 10)
    float16. The epoch that became the final model gets the very answers of that.
    """
    network, chosen = model.build(run.recipe), final.get_weights()
    kept = run.saved_epochs()
    (run.folder / "test_probabilities").mkdir(exist_ok=True)
    for epoch in sorted({*kept} - {*run.evaluated_epochs()}):
        tell(f"Reading the test images with the network of epoch {epoch} of {kept[-1]}.")
        network.load_weights(run.weights_path(epoch))
        same = all(map(np.array_equal, network.get_weights(), chosen))
        p = (run.probabilities() if same else probabilities(network, x)).astype(np.float16)
        run.replace(f"test_probabilities/{epoch:04}.npy", lambda path, p=p: np.save(path, p))


def predict_at_epochs(run: Run, epochs: list[int], x: np.ndarray) -> np.ndarray:
    """What the networks of these epochs say of images: (epochs, n, 10) float32.

    Epoch 0 is before the first. ``x`` is (n, 28, 28), uint8 or float32 in [0, 1]. Works while the
    run trains. Raises ``ValueError`` when an epoch's weights are not kept.
    """
    recipe = run.recipe
    network, answers = model.build(recipe), []
    for epoch in sorted(epochs):
        if epoch:
            network.load_weights(run.weights_path(epoch))
        elif recipe.finetune:
            network.set_weights(load(finetuning.base_model_path(run)).get_weights())
        answers.append(probabilities(network, x))
    return np.stack(answers)
