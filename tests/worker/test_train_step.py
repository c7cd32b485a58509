"""The training loop: halves that come to the whole, and batches of every size."""

import dataclasses

import numpy as np
import pytest

from digits.data import datasets
from digits.recipes.recipe import Conv, Recipe
from digits.store.models import ModelRef
from digits.worker import hardware, model
from digits.worker.predict import load, predict
from digits.worker.train_step import build_graph, micro_batches, train_steps

pytestmark = pytest.mark.slow

PLAIN = Recipe(
    dataset="uci",
    conv=(Conv(8, 5),),
    dense=(16,),
    batch_size=32,
    optimizer="sgd",
    precision="float32",
)
NORMED = dataclasses.replace(PLAIN, batch_norm=True)


def weights_after(
    recipe: Recipe, images: int, steps: int, rate: float = 0.1
) -> tuple[list[np.ndarray], np.ndarray]:
    digits = datasets.load("uci")
    x, y = digits.x_train[:images], digits.y_train[:images]
    network = model.compile(model.build(recipe), recipe)
    network.optimizer.build(network.trainable_variables)
    rates = np.full(steps, rate, np.float32)
    advance = train_steps(build_graph(network, recipe, images), x, y)
    losses, accuracies = advance(np.arange(images), 0, steps, 0, rates)
    assert losses.shape == accuracies.shape == (steps,)
    assert ((accuracies >= 0) & (accuracies <= 1)).all()
    return network.get_weights(), losses


@pytest.mark.parametrize("images", [64, 63, 34])
def test_halves_side_by_side_learn_what_the_whole_batch_does(
    images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "PARALLEL_OPS", 1)
    whole, whole_losses = weights_after(PLAIN, images, 2)
    monkeypatch.setattr(hardware, "PARALLEL_OPS", 2)
    assert micro_batches(PLAIN) == 2
    halves, halves_losses = weights_after(PLAIN, images, 2)
    np.testing.assert_allclose(halves_losses, whole_losses, rtol=1e-5)
    for a, b in zip(halves, whole, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_a_last_batch_of_one_image_leaves_every_number_finite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hardware, "PARALLEL_OPS", 2)
    weights, losses = weights_after(NORMED, 33, 2)
    assert np.isfinite(losses).all()
    assert all(np.isfinite(array).all() for array in weights)


def test_a_batch_of_one_is_not_split() -> None:
    assert micro_batches(dataclasses.replace(PLAIN, batch_size=1)) == 1


def test_label_smoothing_is_learned_from_but_not_told() -> None:
    plain = dataclasses.replace(PLAIN, loss="categorical_crossentropy")
    smoothed = dataclasses.replace(plain, label_smoothing=0.2)
    _, losses = weights_after(plain, 32, 1)
    weights, told = weights_after(smoothed, 32, 1)
    np.testing.assert_allclose(told, losses, rtol=1e-6)
    unlike = [
        abs(a - b).max() for a, b in zip(weights, weights_after(plain, 32, 1)[0], strict=True)
    ]
    assert max(unlike) > 1e-4


def test_a_share_of_distillation_pulls_the_network_to_the_shipped_model() -> None:
    """With all of the loss its own, a network that knows no label comes to agree with it."""
    taught = dataclasses.replace(PLAIN, optimizer="adam", distillation=1.0)
    digits = datasets.load("uci")
    x, wrong = digits.x_train[:64], (digits.y_train[:64] + 1) % 10
    network = model.compile(model.build(taught), taught)
    network.optimizer.build(network.trainable_variables)
    advance = train_steps(build_graph(network, taught, len(x)), x, wrong)
    for epoch in range(60):
        advance(np.arange(len(x)), 0, 2, 2 * epoch, np.full(2, 0.01, np.float32))
    shipped = predict(load(ModelRef()), x).argmax(axis=1)
    assert (predict(network, x).argmax(axis=1) == shipped).mean() > 0.95
