"""Knowledge distillation: a network also learns the probabilities that a teacher gives."""

from collections.abc import Callable

import tensorflow as tf

from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Recipe
from digits.store.models import ModelRef
from digits.worker import hardware, model
from digits.worker.predict import load

TEMPERATURE = 2.0  # flattens both, so that the unlikely digits count more
SMALLEST = 1e-7  # probability, as Keras's cross-entropy has it


def teacher(recipe: Recipe) -> Callable[[tf.Tensor], tf.Tensor]:
    """The shipped model, from (batch, 28, 28, 1) in [0, 1] to flattened probabilities (batch, 10).

    It computes in the recipe's precision. Raises ``ValueError`` when its file is damaged.
    """
    network = model.build(PRESETS["drawings"].recipe, hardware.precision_policy(recipe.precision))
    network.set_weights(load(ModelRef()).get_weights())
    return lambda inputs: tf.exp(_flattened(network(inputs, training=False)))


def loss(taught: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy of probabilities ``outputs`` with a teacher's, both (batch, 10).

    Its gradients are as large as without a temperature. Source: G. Hinton, O. Vinyals, J. Dean
    2015, Distilling the knowledge in a neural network.
    """
    each = -tf.reduce_sum(taught * _flattened(outputs), axis=1)
    return TEMPERATURE**2 * tf.reduce_mean(each)


def _flattened(probabilities: tf.Tensor) -> tf.Tensor:
    """Logarithms of the probabilities at the temperature: (batch, 10)."""
    logits = tf.math.log(tf.maximum(probabilities, SMALLEST))
    return tf.nn.log_softmax(logits / TEMPERATURE)
