"""Asks trained models: ten probabilities for every image."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.ink.preprocessing import to_float
from digits.store import models
from digits.worker import hardware

SHIPPED_MODEL = models.SHIPPED_MODEL
BATCH = 500  # images at once: bounds the memory, costs no time
POOL = ThreadPoolExecutor(hardware.PARALLEL_OPS)  # an operation of TensorFlow's keeps to one thread


def probabilities(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Softmax outputs, (n, 10) float32, for ``x`` (n, 28, 28), uint8 or float32 in [0, 1]."""
    return in_batches(_answer(model), x)


def in_batches(graph: Callable[[tf.Tensor], tf.Tensor], x: np.ndarray) -> np.ndarray:
    """What ``graph`` makes of (batch, 28, 28) float32, for all of ``x``: (n, ...) of its dtype.

    ``x`` is (n, 28, 28), uint8 or float32 in [0, 1].
    """

    def ask(start: int) -> np.ndarray:
        return graph(tf.constant(to_float(x[start : start + BATCH]))).numpy()

    if len(x) <= BATCH:
        return ask(0)
    return np.concatenate(list(POOL.map(ask, range(0, len(x), BATCH))))


def load(path: Path) -> keras.Model:
    """The model in a ``.keras`` file, kept in memory until the file changes.

    Raises ``ValueError`` when there is no such file or it does not hold a model.
    """
    try:
        return _load(path, path.stat().st_mtime_ns)
    except FileNotFoundError as error:
        raise ValueError("This run has no model: it has not finished, or was deleted.") from error
    except OSError as error:
        raise ValueError(f"The model file cannot be read: {error}.") from error


@functools.lru_cache(maxsize=16)
def _load(path: Path, changed: int) -> keras.Model:
    return keras.models.load_model(path, compile=False)


def _answer(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """One graph of fixed signature a model: 2 ms a digit where ``model.predict`` takes 110."""
    if not hasattr(model, "answer"):
        image = tf.TensorSpec((None, 28, 28), tf.float32)
        model.answer = tf.function(
            lambda x: model(x[..., None], training=False), input_signature=[image]
        )
    return model.answer
