"""Which pixels speak for a digit, and which against it."""

import functools
import threading
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.ink.preprocessing import to_float
from digits.worker.model import without_output

_turn = threading.Lock()  # one model takes the weights of any epoch, of one at a time


def saliency(
    model: keras.Model, image: np.ndarray, digits: list[int], steps: int = 32
) -> np.ndarray:
    """How much each pixel's ink adds to the logit of each digit: (len(digits), 28, 28) float32.

    ``image`` is (28, 28), uint8 or float32 in [0, 1]. The values of a digit sum to its logit,
    the input of the softmax, less its logit of an empty image; paper is always 0. The integral
    is a sum over the middles of ``steps`` pieces of the way from the empty image.
    Source: Sundararajan, Taly, Yan 2017, Axiomatic attribution for deep networks.
    """
    x = to_float(image)
    graph = _integrated_gradients(model)
    return graph(tf.constant(x), tf.constant(digits, tf.int32), tf.constant(steps)).numpy()


def saliency_after(path: Path, weights: Path, image: np.ndarray, digits: list[int]) -> np.ndarray:
    """As ``saliency``, by the model in the ``.keras`` file with the ``weights`` of another epoch.

    A model and a graph for each epoch would take half a second, thirty times as long.
    """
    with _turn:
        model = _model(path, path.stat().st_mtime_ns)
        model.load_weights(weights)
        return saliency(model, image, digits)


@functools.lru_cache(maxsize=4)
def _model(path: Path, changed: int) -> keras.Model:
    return keras.models.load_model(path, compile=False)


def _integrated_gradients(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """One graph of fixed signature a model: to trace it anew would take longer than to run it."""
    if not hasattr(model, "integrated_gradients"):
        body, (kernel, bias) = without_output(model), model.layers[-1].weights

        def integrate(image: tf.Tensor, digits: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
            k = tf.shape(digits)[0]
            way = (tf.range(steps, dtype=tf.float32) + 0.5) / tf.cast(steps, tf.float32)
            points = tf.tile(way[:, None, None] * image, [k, 1, 1])  # (k · steps, 28, 28)
            with tf.GradientTape() as tape:
                tape.watch(points)
                logits = tf.matmul(body(points[..., None], training=False), kernel) + bias
                told = tf.gather(logits, tf.repeat(digits, steps), axis=1, batch_dims=1)
            slopes = tf.reshape(tape.gradient(told, points), [k, steps, 28, 28])
            return image * tf.reduce_mean(slopes, axis=1)

        signature = [
            tf.TensorSpec((28, 28), tf.float32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((), tf.int32),
        ]
        model.integrated_gradients = tf.function(integrate, input_signature=signature)
    return model.integrated_gradients
