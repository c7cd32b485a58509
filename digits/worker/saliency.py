"""Which pixels speak for a digit and which against it, by integrated gradients."""

import functools
import threading
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.store.models import FINAL, ModelRef
from digits.worker.model import to_input, without_output
from digits.worker.predict import load, load_weights

_lock = threading.Lock()  # one model takes the weights of any epoch, of one at a time


def saliency(model: ModelRef, image: np.ndarray, digits: list[int]) -> np.ndarray:
    """As ``integrated_gradients``, by the model of any epoch.

    A model and a graph for each epoch would take half a second, thirty times as long. Raises
    ``ValueError`` when there is no such model or its weights are missing or damaged.
    """
    if model.run is None or model.epoch == FINAL:
        return integrated_gradients(load(model), image, digits)
    load(model)  # tells a missing model in its own words
    with _lock:
        network = _network(model.path, model.path.stat().st_mtime_ns)
        load_weights(network, model.run, model.epoch)
        return integrated_gradients(network, image, digits)


def integrated_gradients(
    model: keras.Model, image: np.ndarray, digits: list[int], steps: int = 32
) -> np.ndarray:
    """How much each pixel's ink adds to the logit of each digit: (len(digits), 28, 28) float32.

    ``image`` is (28, 28) uint8. The values of a digit sum to its logit, the input of the softmax,
    less its logit of an empty image; paper is always 0. The integral is a sum over the middles of
    ``steps`` pieces of the path from the empty image.
    Source: Sundararajan, Taly, Yan 2017, Axiomatic attribution for deep networks.
    """
    graph = _graph(model)
    return graph(tf.constant(image), tf.constant(digits, tf.int32), tf.constant(steps)).numpy()


@functools.lru_cache(maxsize=4)
def _network(path: Path, changed: int) -> keras.Model:
    return keras.models.load_model(path, compile=False)


def _graph(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """One graph of fixed signature a model: to trace it anew would take longer than to run it."""
    if not hasattr(model, "saliency_graph"):
        body, (kernel, bias) = without_output(model), model.layers[-1].weights

        def integrate(image: tf.Tensor, digits: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
            ink = to_input(image[None])  # (1, 28, 28, 1)
            k = tf.shape(digits)[0]
            path = (tf.range(steps, dtype=tf.float32) + 0.5) / tf.cast(steps, tf.float32)
            points = tf.tile(path[:, None, None, None] * ink, [k, 1, 1, 1])  # (k · steps, …)
            with tf.GradientTape() as tape:
                tape.watch(points)
                logits = tf.matmul(body(points, training=False), kernel) + bias
                logit = tf.gather(logits, tf.repeat(digits, steps), axis=1, batch_dims=1)
            gradients = tf.reshape(tape.gradient(logit, points), [k, steps, 28, 28])
            return ink[..., 0] * tf.reduce_mean(gradients, axis=1)

        signature = [
            tf.TensorSpec((28, 28), tf.uint8),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((), tf.int32),
        ]
        model.saliency_graph = tf.function(integrate, signature, autograph=False)
    return model.saliency_graph
