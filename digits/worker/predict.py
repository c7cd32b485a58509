"""Ten probabilities for every image, by a trained model or by the network of any epoch."""

import functools
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.data import datasets
from digits.store import finetuning, forks
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker import hardware, model
from digits.worker.model import to_input

DAMAGED = (  # what Keras and the formats below it raise for a file that is not what it should be
    *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
BATCH = 500  # images at once: bounds the memory, costs no time
POOL = ThreadPoolExecutor(hardware.PARALLEL_OPS)  # an operation of TensorFlow keeps to one thread


def predict(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Softmax outputs (n, 10) float32 for ``x`` (n, 28, 28) uint8."""
    return in_batches(_graph(model), x)


def in_batches(graph: Callable[[tf.Tensor], tf.Tensor], x: np.ndarray) -> np.ndarray:
    """What ``graph`` makes of (batch, 28, 28) uint8, for all of ``x``: (n, …) of its dtype."""

    def run(start: int) -> np.ndarray:
        return graph(tf.constant(x[start : start + BATCH])).numpy()

    if len(x) <= BATCH:
        return run(0)
    return np.concatenate(list(POOL.map(run, range(0, len(x), BATCH))))


def load(model: ModelRef) -> keras.Model:
    """The final model of a run, or the shipped one, kept in memory until its file changes.

    Raises ``ValueError`` when there is no such file or it does not hold a model.
    """
    return load_file(model.path)


def load_file(path: Path) -> keras.Model:
    """The model in a ``.keras`` file, as ``load`` does."""
    try:
        return _load(path, path.stat().st_mtime_ns)
    except FileNotFoundError as error:
        raise ValueError("This run has no model: it has not finished, or was deleted.") from error
    except DAMAGED as error:
        raise ValueError(f"The model file {path.name} is damaged; train the run again.") from error


def load_weights(network: keras.Model, run: Run, epoch: int) -> None:
    """Give ``network`` the weights after an epoch. Raises ``ValueError`` if missing or damaged."""
    path = run.weights_path(epoch)
    try:
        network.load_weights(path)
    except DAMAGED as error:
        raise ValueError(f"The weights of epoch {epoch} of run {run.id} are damaged.") from error


def load_start(network: keras.Model, run: Run) -> None:
    """Give ``network`` the weights from which a fork or a fine-tuning starts; others it keeps.

    Raises ``ValueError`` if they are missing or damaged.
    """
    recipe = run.recipe
    if recipe.fork:
        parent = forks.own_parent(run)
        before = model.build(parent.recipe)
        load_weights(before, parent, recipe.fork.epoch)
        network.set_weights(before.get_weights())
    elif recipe.finetune:
        network.set_weights(load_file(finetuning.base_model_path(run)).get_weights())


def predict_missing_epochs(run: Run, report: Callable[[str], None] = lambda message: None) -> None:
    """Write the test probabilities of epochs that a finished run lacks, from its weights.

    Raises ``ValueError`` when the run has no model or weights are damaged, and as
    ``datasets.load_test`` does.
    """
    final = load(ModelRef(run))
    damaged = predict_test_images(run, final, datasets.load_test(run.recipe.dataset)[0], report)
    if damaged:
        raise damaged[0]


def predict_test_images(
    run: Run, final: keras.Model, x: np.ndarray, report: Callable[[str], None]
) -> list[ValueError]:
    """Write missing test probabilities, (n, 10) float16, of each epoch whose weights are there.

    ``final`` is the run's model, ``x`` the test images, (n, 28, 28) uint8. The epoch that became
    the final model gets the very probabilities of that. Epochs of damaged weights are left out;
    returns what is wrong with each.
    """
    saved, damaged = run.saved_epochs(), []
    if not (missing := sorted({*saved} - {*run.evaluated_epochs()})):
        return []
    network, final_weights = model.build(run.recipe), final.get_weights()
    for epoch in missing:
        report(f"Predicting the test images after epoch {epoch} of {saved[-1]}.")
        try:
            load_weights(network, run, epoch)
        except ValueError as error:
            damaged.append(error)
            continue
        same = all(map(np.array_equal, network.get_weights(), final_weights))
        p = run.test_probabilities() if same else predict(network, x)
        run.write_test_probabilities(p.astype(np.float16), epoch)
    return damaged


def predict_at_epochs(run: Run, epochs: list[int], x: np.ndarray) -> np.ndarray:
    """Probabilities (epochs, n, 10) float32 of ``x`` (n, 28, 28) uint8 after these epochs.

    Epoch 0 is before the first. The run may be training. Raises ``ValueError`` when the weights
    of an epoch are missing or damaged.
    """
    network, probabilities = model.build(run.recipe), []
    for epoch in sorted(epochs):
        if epoch:
            load_weights(network, run, epoch)
        else:
            load_start(network, run)
        probabilities.append(predict(network, x))
    return np.stack(probabilities)


@functools.lru_cache(maxsize=16)
def _load(path: Path, changed: int) -> keras.Model:
    return keras.models.load_model(path, compile=False)


def _graph(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """One graph of fixed signature a model: 2 ms a digit where ``model.predict`` takes 110."""
    if not hasattr(model, "predict_graph"):
        image = tf.TensorSpec((None, 28, 28), tf.uint8)
        model.predict_graph = tf.function(
            lambda x: model(to_input(x), training=False), [image], autograph=False
        )
    return model.predict_graph
