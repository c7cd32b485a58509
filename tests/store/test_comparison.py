"""A run compared with the one before it, in words."""

import dataclasses

import numpy as np
import pytest

from digits.data import datasets
from digits.recipes.recipe import Conv, Recipe
from digits.store import runs
from digits.store.comparison import better_before, changes, compare, recipe_before
from digits.store.run_folder import Run
from tests.damage import complete_run


@pytest.fixture
def before() -> Run:
    return complete_run("Before", finetunes=False)


def worse(mistakes: int, **changes: object) -> Run:
    """A run that classifies this many validation and test images wrongly."""
    run = complete_run("Worse", finetunes=False)
    run.write_recipe(dataclasses.replace(run.recipe, **changes))  # type: ignore[arg-type]
    y_val, y_test = datasets.load_val("uci")[1], datasets.load_test("uci")[1]
    p_val, p_test = (np.eye(10, dtype=np.float32)[labels] for labels in (y_val, y_test))
    for p in (p_val, p_test):
        p[:mistakes] = np.roll(p[:mistakes], 1, axis=1)
    run.write_val_probabilities(p_val.astype(np.float16), 2)
    run.write_test_probabilities(p_test.astype(np.float16), 2)
    run.write_test_probabilities(p_test)
    result = run.result()
    assert result
    run.write_result(result | {"val_accuracy": 1 - mistakes / len(y_val)})
    return run


def test_the_sentence_has_what_changed_and_both_accuracies(before: Run) -> None:
    assert compare(worse(20, learning_rate=0.0002), before) == (
        "learning rate 0.002 → 0.0002: validation accuracy 13.9 points lower (95% interval 8.5 to "
        "20.5), test accuracy 5.6 points lower (95% interval 3.4 to 8.4)."
    )


@pytest.mark.parametrize(
    ("mistakes", "changed", "again"),
    [
        (20, {"learning_rate": 0.0002}, {"learning_rate": 0.002}),
        (2, {"learning_rate": 0.0002}, {}),  # chance
        (20, {"seed": 1}, {}),
        (20, {"learning_rate": 0.0002, "dropout": 0.5, "batch_size": 16}, {}),  # which of them?
    ],
)
def test_what_a_better_run_before_had_is_told_where_it_is_plain(
    mistakes: int, changed: dict[str, object], again: dict[str, object], before: Run
) -> None:
    assert better_before(worse(mistakes, **changed), before) == again


def test_a_run_that_is_better_than_the_one_before_has_nothing_to_go_back_to(before: Run) -> None:
    assert better_before(before, worse(20, learning_rate=0.0002)) == {}


def test_a_difference_that_chance_makes_is_none(before: Run) -> None:
    assert compare(worse(2, dropout=0.5), before) == (
        "dropout before output 0 → 0.5: no difference that 144 validation and 360 test images can "
        "show."
    )


def test_another_seed_has_other_validation_images_so_that_more_is_chance() -> None:
    before = worse(10)
    assert "same settings: validation accuracy 4.2 points lower" in compare(worse(16), before)
    other = compare(worse(16, seed=1), before)
    assert other.startswith("seed 0 → 1: validation accuracy no different as far as 144 images")


def test_other_digits_do_not_compare(before: Run) -> None:
    sentence = compare(worse(0, dataset="mnist"), before)
    assert sentence == "data set uci → mnist: accuracies on different digits do not compare."


def test_a_run_without_a_result_is_told(before: Run) -> None:
    run = worse(1)
    (run.folder / "result.json").unlink()
    with pytest.raises(ValueError, match="have a result"):
        compare(run, before)


def test_changes_read_as_the_controls_name_them() -> None:
    recipe = Recipe(train_images=500, conv=(Conv(8),), batch_norm=True)
    assert changes(recipe, Recipe()) == ("training images all → 500, conv 32–64 → conv 8, 1 more")
    assert changes(Recipe(batch_norm=True), Recipe()) == "batch normalization on"
    wider = changes(Recipe(conv=(Conv(32, 5), Conv(64))), Recipe(conv=(Conv(32), Conv(64))))
    assert wider == "conv 32x3p,64x3p → conv 32x5p,64x3p"
    assert changes(Recipe(optimizer="sgd"), Recipe()) == "optimizer adam → sgd with momentum 0.9"
    assert changes(recipe, recipe) == "same settings"


def test_the_recipe_before_is_the_latest_with_other_settings() -> None:
    oldest, latest = (runs.create(Recipe(dropout=share), "Test") for share in (0.1, 0.2))
    listed = [latest, oldest]
    assert recipe_before(Recipe(), listed) == latest.recipe
    assert recipe_before(latest.recipe, listed) == oldest.recipe  # the same again
    assert recipe_before(oldest.recipe, [oldest]) is None
    (latest.folder / "recipe.json").write_text("{")
    assert recipe_before(Recipe(), listed) == oldest.recipe


def test_seeds_of_a_group_are_no_other_settings() -> None:
    before = runs.create(Recipe(dropout=0.5), "Test")
    seeds = runs.create_seeds(Recipe(), "Test", "", 3)
    folds = runs.create_folds(Recipe(), "Test", "")
    assert recipe_before(Recipe(), [*folds, *reversed(seeds), before]) == before.recipe
