"""Remedies: each is a recipe that the controls can show, and another one than the run's."""

import dataclasses
from typing import get_args

import pytest

from digits.evaluation.diagnosis import Kind
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import HYPERPARAMETERS, Conv, Recipe
from digits.recipes.remedies import MOST, remedies

RECIPES = [preset.recipe for preset in PRESETS.values()] + [
    Recipe(learning_rate=rate, optimizer=optimizer, epochs=epochs, train_images=images)
    for optimizer in ("adam", "sgd", "adadelta")
    for rate, epochs, images in ((1e-5, 1, 500), (1.0, 50, None), (0.0003, 30, 40_000))
]
RECIPES += [
    Recipe(dropout=0.9, conv_dropout=0.5, shift=6.0, rotation=45.0, batch_norm=True),
    Recipe(conv=(), dense=(), activation="sigmoid", patience=2),
    Recipe(conv=(Conv(8),), head="global-max", dense=()),
    Recipe(dataset="uci", train_images=1_000, learning_rate=100.0),
]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_remedy_changes_the_recipe_to_values_that_the_controls_offer(kind: str) -> None:
    for recipe in RECIPES:
        tried = remedies(kind, recipe)
        assert len(tried) <= MOST
        assert len({remedy.label for remedy in tried}) == len(tried)
        for remedy in tried:
            changed = dataclasses.replace(recipe, **remedy.changes)  # raises out of range
            assert changed != recipe
            for name, value in remedy.changes.items():
                described = HYPERPARAMETERS[name]
                if described.options and value is not None:
                    assert value in described.options
                if described.slider and not described.parts:
                    low, high, _ = described.slider
                    assert low <= value <= high


def test_what_went_wrong_decides_what_to_try() -> None:
    def labels(kind: str, **changes: object) -> list[str]:
        return [remedy.label for remedy in remedies(kind, Recipe(**changes))]  # type: ignore[arg-type]

    assert labels("diverged", learning_rate=0.1)[0] == "learning rate 0.001"
    assert labels("rate too low", learning_rate=2e-5)[0] == "learning rate 0.001"
    assert labels("guessing", learning_rate=0.1)[0] == "learning rate 0.001"
    assert labels("guessing", learning_rate=0.001, activation="sigmoid")[0] == "ReLU"
    assert labels("overfitting", train_images=500) == [
        "5,000 training images",
        "dropout 0.5",
        "shift 2, rotation 10",
    ]
    assert "6 epochs" in labels("still improving", epochs=3)
    assert "learning rate 0.002" in labels("still improving")
    assert labels("underfitting", dropout=0.9)[0] == "dropout 0.2 at most"
    assert labels("healthy") == ["seed 1"]
