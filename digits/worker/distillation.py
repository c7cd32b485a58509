"""Knowledge distillation: a network also learns the probabilities that its teachers give."""

from collections.abc import Callable

import tensorflow as tf

from digits.recipes.presets import SHIPPED
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.store.teachers import teachers
from digits.worker import hardware, model
from digits.worker.predict import load

TEMPERATURE = 2.0  # flattens both, so that the unlikely digits count more
SMALLEST = 1e-7  # probability, as Keras's cross-entropy has it


def teacher(recipe: Recipe, run: Run | None = None) -> Callable[[tf.Tensor], tf.Tensor]:
    """The teacher, from (batch, 28, 28, 1) in [0, 1] to flattened probabilities (batch, 10).

    It is the mean of the recipe's teachers, of which ``run`` has copies, or the shipped model. It
    computes in the recipe's precision. Raises ``ValueError`` when one is missing or damaged.
    """
    models = [(SHIPPED, ModelRef())]
    if chosen := teachers(recipe, runs.root(), run):
        models = [(teacher.recipe, ModelRef(teacher)) for teacher in chosen]
    networks = []
    for of_model, reference in models:
        network = model.build(of_model, hardware.precision_policy(recipe.precision))
        network.set_weights(load(reference).get_weights())
        networks.append(network)

    def probabilities(inputs: tf.Tensor) -> tf.Tensor:
        each = [network(inputs, training=False) for network in networks]
        return tf.exp(_flattened(tf.add_n(each) / len(each)))

    return probabilities


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
