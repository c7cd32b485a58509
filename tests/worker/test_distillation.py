"""A teacher's probabilities as targets: flattened, and pulling only where the student differs."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from digits.data import datasets
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.store.teachers import teachers
from digits.worker import distillation, model
from digits.worker.model import to_input
from digits.worker.predict import load, load_file, predict
from digits.worker.trainer import train
from tests.conftest import queued

pytestmark = pytest.mark.slow
SECOND = "20260131-093000-4f2a1c"


def test_the_teacher_gives_the_shipped_models_probabilities_flattened() -> None:
    x = datasets.load("uci").x_test[:50]
    plain = predict(load(ModelRef()), x)
    taught = distillation.teacher(Recipe(precision="float32"))(to_input(tf.constant(x))).numpy()
    np.testing.assert_allclose(taught.sum(axis=1), 1, atol=1e-5)
    root = np.maximum(plain, distillation.SMALLEST) ** (1 / distillation.TEMPERATURE)
    np.testing.assert_allclose(taught, root / root.sum(axis=1, keepdims=True), atol=1e-4)


def test_several_runs_teach_by_the_mean_of_their_probabilities(trained: Run) -> None:
    second = Run(Path(shutil.copytree(trained.folder, trained.folder.with_name(SECOND))))
    network = model.build(trained.recipe)
    weights = load(ModelRef(trained)).get_weights()
    network.set_weights([array * 0.5 for array in weights])
    second.write_model(network.save)
    x = datasets.load("uci").x_test[:50]
    plain = [predict(load_file(run.model_path), x) for run in (trained, second)]
    assert abs(plain[0] - plain[1]).max() > 0.1
    recipe = Recipe(precision="float32", distillation=1.0, teachers=(trained.id, second.id))
    student = runs.create(recipe, "Student")
    for run in (None, student):
        taught = distillation.teacher(recipe, run)(to_input(tf.constant(x))).numpy()
        root = np.maximum(np.mean(plain, axis=0), distillation.SMALLEST) ** 0.5
        np.testing.assert_allclose(taught, root / root.sum(axis=1, keepdims=True), atol=1e-4)


def test_a_run_learns_from_a_teacher_that_was_deleted_before_it_began(trained: Run) -> None:
    """With all of the loss its own, the student agrees with its teacher, also where that errs."""
    recipe = dataclasses.replace(
        trained.recipe, epochs=8, distillation=1.0, teachers=(trained.id,), seed=1
    )
    student = queued(recipe)
    told = trained.test_probabilities()
    trained.delete()
    assert train(student)
    agreed = (student.test_probabilities().argmax(axis=1) == told.argmax(axis=1)).mean()
    assert agreed > 0.95


def test_a_damaged_teacher_is_a_sentence(trained: Run) -> None:
    recipe = dataclasses.replace(trained.recipe, distillation=0.7, teachers=(trained.id,))
    student = queued(recipe)
    [kept] = teachers(recipe, runs.root(), student)
    kept.model_path.write_text("torn")
    assert train(student) is None
    assert student.status.state == "failed"
    assert "model.keras is damaged" in student.status.message


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
