"""Ten probabilities for every image, by a trained model."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.store.models import ModelRef
from digits.worker import hardware
from digits.worker.model import to_input

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
    except OSError as error:
        raise ValueError(f"The model file cannot be read: {error}.") from error


@functools.lru_cache(maxsize=16)
def _load(path: Path, changed: int) -> keras.Model:
    return keras.models.load_model(path, compile=False)


def _graph(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """One graph of fixed signature a model: 2 ms a digit where ``model.predict`` takes 110."""
    if not hasattr(model, "predict_graph"):
        image = tf.TensorSpec((None, 28, 28), tf.uint8)
        model.predict_graph = tf.function(
            lambda x: model(to_input(x), training=False), input_signature=[image]
        )
    return model.predict_graph
