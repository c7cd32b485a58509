"""Recipes: what they refuse, and that they survive JSON."""

import dataclasses
import json

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
        ("dataset", "fashion"),
        ("batch_norm", 2),
        ("conv", (Conv(kernel_size=29),)),
        ("dense", (64, 5000)),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        dataclasses.replace(Recipe(), **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"version": 2}',
        '{"version": 2, "conv": 3}',
        '{"version": 2, "conv": [], "dense": [], "unheard_of": 1}',
        "[" * 100_000,
    ],
)
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a recipe"):
        Recipe.from_json(text)


def test_a_huge_number_in_a_recipe_is_refused_as_out_of_range() -> None:
    with pytest.raises(ValueError, match=r"epochs is 10.*it can be 1 to 1000"):
        Recipe.from_json('{"version": 2, "conv": [], "dense": [], "epochs": 1' + "0" * 400 + "}")


@pytest.mark.parametrize("version", [None, 1, 3, "2"])
def test_a_recipe_of_another_version_is_refused_with_that_reason(version: object) -> None:
    fields = json.loads(Recipe().to_json())
    assert fields.pop("version") == 2
    if version is not None:
        fields["version"] = version
    with pytest.raises(ValueError, match="another version of the app"):
        Recipe.from_json(json.dumps(fields))


def test_a_recipe_in_words_tells_what_distinguishes_it() -> None:
    words = str(PRESETS["three-blocks"].recipe)
    for word in ("mnist", "64 3×3", "dense 32", "adam", "0.001", "batch 32"):
        assert word in words


def test_a_recipe_without_fine_tuning_does_not_mention_it() -> None:
    assert "finetune" not in Recipe().to_json()
    assert "fine-tuned" not in str(Recipe())
    tuned = Recipe(finetune=Finetuning("20260131-093000-4f2a1c", train_share=0.3, replay=0))
    assert Recipe.from_json(tuned.to_json()) == tuned
    assert "fine-tuned on drawings" in str(tuned)


@pytest.mark.parametrize(
    ("field", "value"),
    [("train_share", 1.0), ("train_share", "half"), ("repeats", 0), ("replay", -1)],
)
def test_fine_tuning_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    finetuning = dataclasses.replace(Finetuning("20260131-093000-4f2a1c"), **{field: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{field} of the fine-tuning"):
        Recipe(finetune=finetuning)
