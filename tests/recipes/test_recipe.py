"""Recipes: what they refuse, and that they survive JSON."""

import dataclasses

import pytest

from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Conv, Finetuning, Recipe


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_comes_back_from_json_as_it_went(name: str) -> None:
    recipe = PRESETS[name].recipe
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("optimizer", "magic"),
        ("head", "attention"),
        ("learning_rate", -1.0),
        ("learning_rate", float("nan")),
        ("learning_rate", "fast"),
        ("epochs", 0),
        ("epochs", 2.5),
        ("batch_size", True),
        ("dropout", 1.0),
        ("conv", (Conv(filters=0),)),
        ("conv", (Conv(),) * 9),
        ("dense", (0,)),
        ("seed", -1),
        ("label_smoothing", 0.1),  # with integer labels
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    words = {"conv": "filters|blocks", "dense": "units", "label_smoothing": "smoothing"}
    with pytest.raises(ValueError, match=f"(?i){words.get(field, field)}"):
        dataclasses.replace(Recipe(), **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"conv": 3}', '{"conv": [], "dense": [],"unheard_of": 1}']
)
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a recipe"):
        Recipe.from_json(text)


def test_a_recipe_in_words_tells_what_distinguishes_it() -> None:
    words = str(PRESETS["three-blocks"].recipe)
    for word in ("mnist", "64 3×3", "dense 32", "adam", "0.001", "batch 32"):
        assert word in words


def test_a_recipe_without_a_lesson_is_written_as_if_there_were_none() -> None:
    assert "finetune" not in Recipe().to_json()
    taught = Recipe(finetune=Finetuning("20260131-093000-4f2a1c", share=0.3, replay=0))
    assert Recipe.from_json(taught.to_json()) == taught
    assert "taught drawings" in str(taught)


@pytest.mark.parametrize(
    ("field", "value"), [("share", 1.0), ("share", "half"), ("repeats", 0), ("replay", -1)]
)
def test_a_lesson_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    lesson = dataclasses.replace(Finetuning("20260131-093000-4f2a1c"), **{field: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{field} of the lesson"):
        Recipe(finetune=lesson)
