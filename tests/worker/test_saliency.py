"""Integrated gradients against what can be computed by hand."""

import numpy as np
import pytest

from digits.data import datasets
from digits.recipes.recipe import Recipe
from digits.store.models import ModelRef
from digits.store.runs import Run
from digits.worker import model
from digits.worker.predict import load, predict
from digits.worker.saliency import integrated_gradients, saliency

pytestmark = pytest.mark.slow

TEN = list(range(10))


def test_of_a_linear_network_they_are_ink_times_weight() -> None:
    network = model.build(Recipe(dataset="uci", conv=(), dense=()))
    image = datasets.load_test("uci")[0][0]
    kernel, _ = network.get_weights()
    expected = kernel.T.reshape(10, 28, 28) * (image / np.float32(255))
    assert integrated_gradients(network, image, [7, 2]) == pytest.approx(expected[[7, 2]], abs=1e-6)


@pytest.mark.parametrize(("steps", "error"), [(32, 0.02), (512, 0.002)])
def test_they_sum_to_what_the_image_adds_to_the_logits(
    trained: Run, steps: int, error: float
) -> None:
    """Of probabilities, differences of logits are left: those of their logarithms."""
    network = load(ModelRef(trained))
    for image in datasets.load_test("uci")[0][:10]:
        sums = integrated_gradients(network, image, TEN, steps).sum(axis=(1, 2))
        inked, empty = np.log(predict(network, np.stack([image, 0 * image])))
        added = inked - empty
        range_of_logits = float(np.ptp(added))
        assert sums - sums[0] == pytest.approx(added - added[0], abs=error * range_of_logits)


def test_paper_says_nothing_and_digits_are_asked_for_in_any_number(trained: Run) -> None:
    network, image = load(ModelRef(trained)), datasets.load_test("uci")[0][3]
    maps = integrated_gradients(network, image, [3, 5])
    assert (maps[:, image == 0] == 0).all()
    assert maps.any(axis=(1, 2)).all()
    assert integrated_gradients(network, image, [5])[0] == pytest.approx(maps[1], abs=1e-5)


def test_after_another_epoch_they_explain_what_the_network_said_then(trained: Run) -> None:
    image = datasets.load_test("uci")[0][0]
    final = saliency(ModelRef(trained), image, TEN)
    last = trained.saved_epochs()[-1]
    first = saliency(ModelRef(trained, 1), image, TEN)
    assert np.abs(first - final).max() > 0.01
    again = saliency(ModelRef(trained, last), image, TEN)
    assert again == pytest.approx(final, abs=1e-5)
    said = np.log(trained.test_probabilities(1)[0].astype(np.float64))
    empty = first.sum(axis=(1, 2)) - said  # the empty image's logits, but for a constant
    other = saliency(ModelRef(trained, 1), datasets.load_test("uci")[0][1], TEN)
    also = other.sum(axis=(1, 2)) - np.log(trained.test_probabilities(1)[1].astype(np.float64))
    assert np.ptp(empty - also) < 0.05 * np.ptp(said)
