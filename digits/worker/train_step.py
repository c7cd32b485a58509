"""The training loop: many steps of gradient descent in one call of a TensorFlow graph."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.recipes.layers import IMAGE_SHAPE, NUM_CLASSES
from digits.recipes.recipe import Recipe
from digits.store.run_folder import Run
from digits.worker import distillation, hardware
from digits.worker.augmentation import augment
from digits.worker.model import to_input

Graph = Callable[..., tuple[Any, Any]]  # of TensorFlow; its data are arguments
TrainSteps = Callable[[np.ndarray, int, int, int, np.ndarray], tuple[np.ndarray, np.ndarray]]


def micro_batches(recipe: Recipe) -> int:
    """How many micro-batches a batch is split into, to be computed side by side."""
    if tf.config.list_physical_devices("GPU") or recipe.batch_size == 1:
        return 1
    return hardware.PARALLEL_OPS


def train_steps(graph: Graph, x: np.ndarray, y: np.ndarray) -> TrainSteps:
    """A function ``(order, first, last, offset, rates)``: train on batches ``first`` to ``last``.

    ``x`` is (n, 28, 28) uint8, ``y`` (n,). ``order`` is the epoch's permutation of the images,
    ``offset`` the steps of earlier epochs, ``rates`` the learning rate of each batch.
    Returns cross-entropy (nats, without label smoothing, so that training and validation compare)
    and accuracy of each batch, as arrays of ``last - first``. What a step does depends on its
    number, its rate and the weights alone, so a run can be taken up at any epoch.
    """
    data = tf.constant(x), tf.constant(y, tf.int32)

    def train(
        order: np.ndarray, first: int, last: int, offset: int, rates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        numbers = [tf.constant(number) for number in (first, last, offset)]
        rates = tf.constant(rates, tf.float32)
        loss, accuracy = graph(*data, tf.constant(order, tf.int32), *numbers, rates)
        return loss.numpy(), accuracy.numpy()

    return train


def build_graph(model: keras.Model, recipe: Recipe, n: int, run: Run | None = None) -> Graph:
    """The graph that trains ``model`` on ``n`` images, for ``train_steps``.

    A batch is computed in ``micro_batches(recipe)``; its gradient is that of the whole, but batch
    normalization and dropout see each micro-batch by itself, as they would on several GPUs.
    ``run`` and what is raised are as ``distillation.teacher`` has them.
    """
    one_hot = recipe.loss == "categorical_crossentropy"
    plain_loss = keras.losses.CategoricalCrossentropy() if one_hot else model.loss
    optimizer, variables = model.optimizer, model.trainable_variables
    parts = micro_batches(recipe)
    teacher = distillation.teacher(recipe, run) if recipe.distillation else None
    # There are no gradients of other machines to add. Keras would do so in a function that
    # TensorFlow registers for ever, and the graph with it.
    optimizer._all_reduce_sum_gradients = lambda gradients: gradients

    def steps(images, labels, order, first, last, offset, rates):  # type: ignore[no-untyped-def]
        def step(batch, losses, accuracies):  # type: ignore[no-untyped-def]
            indices = order[batch * recipe.batch_size : (batch + 1) * recipe.batch_size]
            size = tf.shape(indices)[0]
            starts = [size * part // parts for part in range(parts)]
            ends = [  # none may be empty: several share an image of a very small last batch
                tf.maximum(start + 1, size * (part + 1) // parts)
                for part, start in enumerate(starts)
            ]
            pieces = [indices[start:end] for start, end in zip(starts, ends, strict=True)]
            loss = cross_entropy = accuracy = 0.0
            with tf.GradientTape() as tape:
                for part, piece in enumerate(pieces):
                    pixels = to_input(tf.gather(images, piece))
                    inputs = augment(pixels, recipe, (offset + batch) * parts + part)
                    truth = tf.gather(labels, piece)
                    targets = tf.one_hot(truth, NUM_CLASSES) if one_hot else truth
                    outputs = model(inputs, training=True)  # (batch / parts, 10)
                    share = tf.cast(tf.size(piece) / tf.maximum(size, parts), tf.float32)
                    error = model.loss(targets, outputs)
                    if teacher:
                        distance = distillation.loss(teacher(inputs), outputs)
                        error += recipe.distillation * (distance - error)
                    loss += share * error
                    cross_entropy += share * plain_loss(targets, outputs)
                    correct = tf.equal(tf.argmax(outputs, axis=1, output_type=tf.int32), truth)
                    accuracy += share * tf.reduce_mean(tf.cast(correct, tf.float32))
            optimizer.learning_rate = rates[batch - first]
            optimizer.apply(tape.gradient(loss, variables), variables)
            losses = losses.write(batch - first, cross_entropy)
            return batch + 1, losses, accuracies.write(batch - first, accuracy)

        empty = [tf.TensorArray(tf.float32, last - first) for _ in range(2)]
        _, losses, accuracies = tf.while_loop(lambda batch, *_: batch < last, step, [first, *empty])
        return losses.stack(), accuracies.stack()

    images = tf.TensorSpec((n, *IMAGE_SHAPE[:2]), tf.uint8)
    of_images, number = tf.TensorSpec((n,), tf.int32), tf.TensorSpec((), tf.int32)
    rates_of_batches = tf.TensorSpec((None,), tf.float32)
    # The data are arguments, since what a graph captures stays in memory when the run has ended.
    # A concrete function tells TensorFlow that a graph for each run is meant, no retracing.
    # Without AutoGraph, which would rewrite the source of all that is called: half of the time.
    return tf.function(steps, autograph=False).get_concrete_function(
        images, of_images, of_images, number, number, number, rates_of_batches
    )
