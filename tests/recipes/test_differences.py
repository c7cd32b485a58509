"""Recipes are named, and linked, by what distinguishes them from a preset."""

import dataclasses

import pytest

from digits.recipes.differences import closest_preset, default_name, differences, from_link, to_link
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import Conv, Recipe

FAST = for_available_data("fast")
TEACHERS = ("20260131-093000-4f2a1c", "20260131-093001-c04b2e")


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
    assert default_name(changed) == "Fast · 500 images · dropout 0.5 · no batch norm"
    assert closest_preset(changed) == "fast"
    taught = dataclasses.replace(PRESETS["tiny"].recipe, teachers=TEACHERS)
    tiny = PRESETS["tiny"].recipe
    assert differences(taught, tiny) == {"teachers": (TEACHERS, ())}
    assert default_name(dataclasses.replace(for_available_data("tiny"), teachers=TEACHERS)) == (
        "Tiny · teacher: 2 runs"
    )
    assert "distillation 0.9 · teacher: 2 runs" in str(taught)


def test_what_people_tune_most_is_named_first_and_the_network_and_the_data_last() -> None:
    changed = dataclasses.replace(
        FAST, dataset="mnist-small", conv=(Conv(8),), optimizer="sgd", dropout=0.5
    )
    assert (
        default_name(changed, "fast")
        == "Fast · dropout 0.5 · SGD with momentum 0.9 · conv 8 · 1 more"
    )
    changed = dataclasses.replace(changed, learning_rate=0.1, epochs=14, batch_size=32)
    assert default_name(changed, "fast") == "Fast · lr 0.1 · 14 epochs · batch 32 · 4 more"


def test_the_runs_of_a_test_of_one_setting_have_different_names() -> None:
    """Whichever setting it is, and however many others differ from the preset all the while."""
    common = dataclasses.replace(
        FAST, learning_rate=0.1, epochs=14, batch_size=32, train_images=500, dropout=0.5
    )
    tests = {
        "rotation": (0.0, 5.0, 10.0),
        "learning_rate": (0.001, 0.01, 0.1),  # the preset's among them
        "epochs": (12, 14),
        "batch_norm": (True, False),
        "conv": tuple((Conv(32, size), Conv(64), Conv(128)) for size in (3, 5, 7)),
        "seed": (0, 1),
    }
    for setting, values in tests.items():
        recipes = [dataclasses.replace(common, **{setting: value}) for value in values]
        names = [
            default_name(recipe, "fast", before)
            for before, recipe in zip([common, *recipes], recipes, strict=False)
        ]
        assert len(set(names)) == len(values), names


def test_what_differs_from_the_run_before_is_named_first_even_as_the_preset_has_it() -> None:
    before = dataclasses.replace(
        FAST, learning_rate=0.1, epochs=14, batch_size=32, dropout=0.5, zoom=0.1
    )
    turned = dataclasses.replace(before, rotation=5.0)
    assert default_name(turned, "fast", before) == "Fast · rotation 5 · lr 0.1 · 14 epochs · 3 more"
    usual = dataclasses.replace(before, learning_rate=FAST.learning_rate)
    assert default_name(usual, "fast", before) == "Fast · lr 0.01 · 14 epochs · batch 32 · 2 more"
    assert default_name(before, "fast", usual) == "Fast · lr 0.1 · 14 epochs · batch 32 · 2 more"


def test_few_differences_are_all_that_is_named_whatever_the_run_before() -> None:
    before = dataclasses.replace(FAST, dropout=0.5, rotation=5.0)
    assert default_name(FAST, "fast", before) == "Fast"
    changed = dataclasses.replace(FAST, learning_rate=0.1, rotation=5.0)
    assert default_name(changed, "fast", before) == "Fast · lr 0.1 · rotation 5"
    assert default_name(changed, "fast", FAST) == "Fast · lr 0.1 · rotation 5"


def test_blocks_with_the_same_filters_are_told_apart_by_their_kernels() -> None:
    wide = dataclasses.replace(FAST, conv=(Conv(32, 7), Conv(64), Conv(128, pool=False)))
    assert default_name(wide, "fast") == "Fast · conv 32x7p,64x3p,128x3"


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
        distillation=0.5,
        teachers=TEACHERS,
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
