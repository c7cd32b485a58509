"""The time of a run is judged by the runs before it."""

import dataclasses
import json

import pytest

from digits.recipes.recipe import Conv
from digits.store.expected_time import expected_seconds
from digits.store.run_folder import Run
from tests.conftest import TINY


def test_nothing_is_expected_before_the_first_run() -> None:
    assert expected_seconds(TINY) is None


def test_the_same_network_takes_the_same_time_for_each_image(trained: Run) -> None:
    result = trained.result()
    assert result is not None
    speed = result["images_per_second"]
    assert speed
    recipe = trained.recipe
    assert expected_seconds(recipe) == pytest.approx(1_293 * recipe.epochs / speed)
    twice = dataclasses.replace(recipe, epochs=2 * recipe.epochs)
    assert expected_seconds(twice) == pytest.approx(2 * 1_293 * recipe.epochs / speed)
    few = dataclasses.replace(recipe, train_images=100, seed=7)
    assert expected_seconds(few) == pytest.approx(100 * recipe.epochs / speed)


def test_another_network_takes_as_much_longer_as_it_multiplies_more(trained: Run) -> None:
    same = expected_seconds(trained.recipe)
    wider = expected_seconds(dataclasses.replace(trained.recipe, conv=(Conv(64), Conv(64))))
    assert same is not None
    assert wider is not None
    assert wider > 4 * same


def test_teachers_add_what_they_multiply(trained: Run) -> None:
    alone = expected_seconds(trained.recipe)
    taught = dataclasses.replace(trained.recipe, distillation=0.5, teachers=(trained.id,))
    seconds = expected_seconds(taught)
    assert alone is not None
    assert seconds == pytest.approx(alone * 4 / 3), "the teacher goes forward, and not backward"
    by_shipped = expected_seconds(dataclasses.replace(taught, teachers=()))
    assert by_shipped is not None
    assert by_shipped > seconds, "the shipped model is larger"
    gone = dataclasses.replace(taught, teachers=("20260131-093000-4f2a1c",))
    assert expected_seconds(gone) is None


def test_a_damaged_run_is_passed_over(trained: Run) -> None:
    (trained.folder / "recipe.json").write_text(json.dumps({"version": 0}))
    assert expected_seconds(TINY) is None
