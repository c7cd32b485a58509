"""The training loop: many steps of gradient descent in one call of a TensorFlow graph."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from digits.augmentation import augment
from digits.layers import CLASSES
from digits.recipe import Recipe

Advance = Callable[[np.ndarray, int, int, int], tuple[np.ndarray, np.ndarray]]


def steps_in_graph(
    model: keras.Model, recipe: Recipe, x: np.ndarray, y: np.ndarray, rates: np.ndarray
) -> Advance:
    """``advance(order, first, last, offset)``: train on batches ``first`` to ``last`` of an epoch.

    ``x`` is (n, 28, 28) uint8, ``y`` (n,), ``rates`` the learning rate of every step of the run.
    ``order`` is the epoch's permutation of the images, ``offset`` the steps of earlier epochs.
    Returns loss (nats) and accuracy of each batch, as arrays of ``last - first``. What a step
    does depends on its number and the weights alone, so a run can be taken up at any epoch.
    """
    images, labels = tf.constant(x), tf.constant(y, tf.int32)
    rate_of_step = tf.constant(rates)
    one_hot = recipe.loss == "categorical_crossentropy"
    optimizer, variables = model.optimizer, model.trainable_variables

    @tf.function(reduce_retracing=True)
    def run(order, first, last, offset):  # type: ignore[no-untyped-def]
        losses = tf.TensorArray(tf.float32, last - first)
        hits = tf.TensorArray(tf.float32, last - first)
        for batch in tf.range(first, last):
            chosen = order[batch * recipe.batch_size : (batch + 1) * recipe.batch_size]
            pixels = tf.cast(tf.gather(images, chosen), tf.float32)[..., None] / 255
            inputs = augment(pixels, recipe, offset + batch)  # (batch, 28, 28, 1)
            truth = tf.gather(labels, chosen)
            targets = tf.one_hot(truth, CLASSES) if one_hot else truth
            with tf.GradientTape() as tape:
                outputs = model(inputs, training=True)  # (batch, 10)
                loss = model.loss(targets, outputs)
            optimizer.learning_rate = rate_of_step[offset + batch]
            optimizer.apply(tape.gradient(loss, variables), variables)
            right = tf.equal(tf.argmax(outputs, axis=1, output_type=tf.int32), truth)
            losses = losses.write(batch - first, loss)
            hits = hits.write(batch - first, tf.reduce_mean(tf.cast(right, tf.float32)))
        return losses.stack(), hits.stack()

    def advance(
        order: np.ndarray, first: int, last: int, offset: int
    ) -> tuple[np.ndarray, np.ndarray]:
        numbers = [tf.constant(number) for number in (first, last, offset)]
        loss, accuracy = run(tf.constant(order, tf.int32), *numbers)
        return loss.numpy(), accuracy.numpy()

    return advance
