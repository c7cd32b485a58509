"""Recipes are named, and linked, by what distinguishes them from a preset."""

import dataclasses

import pytest

from digits.recipes.differences import closest_preset, default_name, differences, from_link, to_link
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import Conv, Recipe

FAST = for_available_data("fast")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_called_by_its_title(preset: str) -> None:
    assert default_name(for_available_data(preset), preset) == PRESETS[preset].title


def test_a_changed_preset_is_called_by_what_differs() -> None:
    changed = dataclasses.replace(FAST, learning_rate=0.0002)
    assert default_name(changed, "fast") == "Fast · lr 0.0002"
    three = for_available_data("three-epochs")
    one = default_name(dataclasses.replace(three, epochs=1), "three-epochs")
    assert one.endswith(" · 1 epoch")
    assert differences(changed, FAST) == {"learning_rate": (0.0002, 0.01)}
    changed = dataclasses.replace(FAST, batch_norm=False, train_images=500, dropout=0.5)
    assert default_name(changed) == "Fast · 500 images · no batch norm · dropout 0.5"
    assert closest_preset(changed) == "fast"
    changed = dataclasses.replace(changed, conv=(Conv(8), Conv(16)), dense=(32, 16), seed=3)
    assert default_name(changed, "fast").endswith("conv 8–16 · no batch norm · 3 more")


def test_every_difference_can_be_said_in_words() -> None:
    ends = {
        "conv": (),
        "dense": (64,),
        "head": "global-average",
        "optimizer": "sgd",
        "schedule": "cosine",
        "epochs": 33,
    }
    for name, value in ends.items():
        words = default_name(dataclasses.replace(FAST, **{name: value}), "fast")
        assert words.startswith("Fast · ")
        assert "{" not in words


@pytest.mark.parametrize("preset", PRESETS)
def test_a_link_gives_the_recipe_back(preset: str) -> None:
    recipe = dataclasses.replace(
        for_available_data(preset),
        conv=(Conv(8, 7, pool=False), Conv(16)),
        dense=(32, 16),
        train_images=None,
        batch_norm=True,
        learning_rate=0.00025,
        shift=1.5,
    )
    assert from_link(to_link(recipe, preset)) == (recipe, preset, [])


def test_a_link_to_a_preset_is_its_name() -> None:
    for preset, described in PRESETS.items():
        assert to_link(described.recipe, preset) == preset


def test_what_a_link_asks_for_and_cannot_have_is_told() -> None:
    link = "fast;epochs=1e9;dropout=0.5;dropout=7;colour=red;batch_norm=perhaps;learning_rate=inf"
    recipe, preset, ignored = from_link(
        link + ";conv=9;label_smoothing=0.1;loss=hinge;seed=" + "9" * 5000
    )
    assert (preset, recipe.dropout, recipe.epochs) == ("fast", 0.5, FAST.epochs)
    assert len(ignored) == 8
    assert "“colour=red” is no hyperparameter" in ignored
    assert from_link("teapot") == (FAST, "fast", ["“teapot” is no preset"])
    assert from_link("") == (FAST, "fast", ["“” is no preset"])


def test_hostile_links_raise_nothing() -> None:
    for text in (
        ";" * 1000,
        "fast;=;==;conv=,;dense=,",
        "\x00",
        "fast;conv=" + "1x1," * 9999,
        "fast;dataset=../x",
    ):
        assert isinstance(from_link(text)[0], Recipe)
