"""The layer table against the models that Keras builds."""

import dataclasses

import pytest

from digits.recipes import layers
from digits.recipes.keras_script import Stage, keras_script
from digits.recipes.layers import DoesNotFit
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Conv, Finetuning, Recipe
from digits.worker import model

NETWORKS = {name: preset.recipe for name, preset in PRESETS.items()} | {
    "batch norm": Recipe(conv=(Conv(24, 5), Conv(48)), batch_norm=True, conv_dropout=0.1),
    "dense only": Recipe(conv=(), dense=(16, 16)),
    "softmax only": Recipe(conv=(), dense=()),
    "global maximum": Recipe(conv=(Conv(8), Conv(12, pool=False)), head="global-max"),
    "global average": Recipe(batch_norm=True, head="global-average", dense=()),
    "odd sizes": Recipe(conv=(Conv(8, 2), Conv(8, 4, pool=False), Conv(8, 7)), dropout=0.2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_layer_table_is_what_keras_builds(name: str) -> None:
    built = [
        (layer.name, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.build(NETWORKS[name]).layers
    ]
    table = layers.layers(NETWORKS[name])
    assert [(row.name, row.shape, row.parameters) for row in table] == built


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [
        ("simple", 54_410),
        ("one-hot", 225_034),
        ("three-epochs", 203_434),
        ("adadelta", 2_380_938),
        ("three-blocks", 81_066),
        ("tiny", 7_586),
    ],
)
def test_presets_have_their_exact_number_of_parameters(preset: str, parameters: int) -> None:
    assert layers.count_parameters(PRESETS[preset].recipe) == parameters


def test_a_kernel_larger_than_what_is_left_names_its_block() -> None:
    with pytest.raises(DoesNotFit, match="5×5 kernel is larger than the 1×1 that block 4") as error:
        layers.layers(Recipe(conv=(Conv(8), Conv(8), Conv(8), Conv(8, 5))))
    assert error.value.block == 3


@pytest.mark.parametrize(
    ("kernel", "article"), [(7, "A"), (8, "An"), (10, "A"), (11, "An"), (18, "An"), (28, "A")]
)
def test_a_kernel_has_the_article_that_its_number_is_read_with(kernel: int, article: str) -> None:
    with pytest.raises(DoesNotFit, match=f"^{article} {kernel}×{kernel} kernel is larger"):
        layers.layers(Recipe(conv=(Conv(8), Conv(8), Conv(8, 2), Conv(8, kernel))))


def test_pooling_a_single_pixel_names_its_block() -> None:
    with pytest.raises(DoesNotFit, match="1×1") as error:
        layers.layers(Recipe(conv=(Conv(8), Conv(8, 13))))
    assert error.value.block == 1


def test_moving_averages_follow_in_short_epochs_and_published_presets_keep_their_own() -> None:
    recipe = PRESETS["fast"].recipe
    short = dataclasses.replace(recipe, dataset="uci")
    tuned = dataclasses.replace(short, finetune=Finetuning("20260131-093000-4f2a1c"))
    assert model.build(short).get_layer("norm1").momentum == 0.84
    assert "momentum=0.84" in keras_script(Stage(short))
    assert model.build(tuned).get_layer("norm1").momentum == 0.99
    rows = [row for preset in PRESETS.values() for row in layers.layers(preset.recipe)]
    assert not any(row.options for row in rows if row.kind == "BatchNormalization")


def test_the_seed_decides_the_first_weights() -> None:
    recipe = PRESETS["simple"].recipe
    first, again = (model.build(recipe).get_weights()[0] for _ in range(2))
    other = model.build(dataclasses.replace(recipe, seed=1)).get_weights()[0]
    assert (first == again).all()
    assert (first != other).any()
