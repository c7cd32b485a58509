"""The maps of each block against plain Keras models that end where the block does."""

import keras
import numpy as np
import pytest

from digits.data import datasets
from digits.recipes.recipe import Conv, Recipe
from digits.worker import model
from digits.worker.activations import MAX_MAPS, activations

PLAIN = Recipe(dataset="uci", conv=(Conv(6, 5), Conv(4, pool=False), Conv(5)), conv_dropout=0.5)
NORMED = Recipe(
    dataset="uci",
    conv=(Conv(6), Conv(4, pool=False)),
    batch_norm=True,
    activation="tanh",
    head="global-max",
    dense=(8,),
)


def image() -> np.ndarray:
    return datasets.load_test("uci")[0][0]


def by_keras(network: keras.Model, last: str) -> np.ndarray:
    """(filters, height, width) of the layers from the first to the one of that name."""
    names = [layer.name for layer in network.layers]
    part = keras.Sequential(network.layers[: names.index(last) + 1])
    x = image()[None, ..., None] / np.float32(255)
    return part.predict(x, verbose=0)[0].transpose(2, 0, 1)


@pytest.mark.parametrize(
    ("recipe", "ends"), [(PLAIN, ["pool1", "conv2", "pool3"]), (NORMED, ["tanh1", "tanh2"])]
)
def test_a_block_ends_with_its_pooling_or_its_activation(recipe: Recipe, ends: list[str]) -> None:
    network = model.build(recipe)
    found = activations(network, image())
    assert [filters for _, filters in found] == [block.filters for block in recipe.conv]
    for (maps, _), end in zip(found, ends, strict=True):
        assert maps.dtype == np.float32
        assert maps == pytest.approx(by_keras(network, end), abs=1e-5)


def test_of_very_many_filters_the_brightest_are_given_in_order() -> None:
    network = model.build(Recipe(dataset="uci", conv=(Conv(MAX_MAPS + 30),)))
    [(maps, filters)] = activations(network, image())
    assert filters == MAX_MAPS + 30
    every = by_keras(network, "pool1")
    brightness = every.mean(axis=(1, 2))
    least = np.sort(brightness)[-MAX_MAPS]
    assert maps == pytest.approx(every[brightness >= least], abs=1e-5)
    [(few, _)] = activations(network, image(), most=1)
    assert few[0] == pytest.approx(every[brightness.argmax()], abs=1e-5)


def test_a_network_without_convolutions_has_no_maps() -> None:
    assert activations(model.build(Recipe(dataset="uci", conv=(), dense=(8,))), image()) == []
