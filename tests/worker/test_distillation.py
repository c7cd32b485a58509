"""A teacher's probabilities as targets: flattened, and pulling only where the student differs."""

import numpy as np
import pytest
import tensorflow as tf

from digits.data import datasets
from digits.recipes.recipe import Recipe
from digits.store.models import ModelRef
from digits.worker import distillation
from digits.worker.model import to_input
from digits.worker.predict import load, predict

pytestmark = pytest.mark.slow


def test_the_teacher_gives_the_shipped_models_probabilities_flattened() -> None:
    x = datasets.load("uci").x_test[:50]
    plain = predict(load(ModelRef()), x)
    taught = distillation.teacher(Recipe(precision="float32"))(to_input(tf.constant(x))).numpy()
    np.testing.assert_allclose(taught.sum(axis=1), 1, atol=1e-5)
    root = np.maximum(plain, distillation.SMALLEST) ** (1 / distillation.TEMPERATURE)
    np.testing.assert_allclose(taught, root / root.sum(axis=1, keepdims=True), atol=1e-4)


def test_a_student_that_agrees_is_left_alone() -> None:
    p = tf.constant(np.random.default_rng(0).dirichlet(np.ones(10), 20), tf.float32)
    root = p**0.5
    taught = root / tf.reduce_sum(root, axis=1, keepdims=True)
    logits = tf.math.log(p)

    def gradient(shift: np.ndarray) -> np.ndarray:
        at = tf.Variable(logits + shift)
        with tf.GradientTape() as tape:
            loss = distillation.loss(taught, tf.nn.softmax(at))
        return tape.gradient(loss, at).numpy()

    assert abs(gradient(np.zeros(10))).max() < 1e-5
    pulled = gradient(np.eye(10)[3])  # the student is too sure of the 3
    assert (pulled[:, 3] > 0).all()
    assert (np.delete(pulled, 3, axis=1) < 0).all()
