"""Runs of several folds: their accuracy as one, and which of two such groups is better."""

from collections.abc import Sequence

import numpy as np
import pytest

from digits.data import datasets
from digits.data.datasets import FOLDS, Split
from digits.recipes.recipe import VALIDATION, Recipe
from digits.store import runs
from digits.store.cross_validation import difference, in_words, out_of_fold, run_of_fold
from digits.store.run_folder import Run
from digits.store.verdict import verdict
from tests.pages.test_mistakes import finish
from tests.widgets.test_label_errors import validate

IMAGES = 1_437  # of UCI's that are not for testing


def group(wrong: int, folds: Sequence[str] = VALIDATION[1:], skipped: int = 0) -> list[Run]:
    """Finished runs; each misclassifies ``wrong`` images of its fold, after ``skipped`` others."""
    return [_finished(Recipe(dataset="uci", validation=fold), wrong, skipped) for fold in folds]


def _together(wrong: int) -> list[Run]:
    """The same as one group, as a click makes it."""
    made = runs.create_folds(Recipe(dataset="uci"), "Run", "")
    return [_finish(run, wrong) for run in made]


def _finished(recipe: Recipe, wrong: int, skipped: int = 0) -> Run:
    return _finish(runs.create(recipe, "Run"), wrong, skipped)


def _finish(run: Run, wrong: int, skipped: int = 0) -> Run:
    _, y = datasets.load_val("uci", run.recipe.split)
    y[skipped : skipped + wrong] = (y[skipped : skipped + wrong] + 1) % 10
    return validate(finish(run, {}), np.eye(10)[y])


def test_every_image_is_judged_by_the_run_that_did_not_learn_it() -> None:
    told = in_words(group(wrong=3))
    assert told.startswith("Cross-validated accuracy 97.91% (95% interval 97.0")
    assert f"{IMAGES:,} images of {FOLDS} folds" in told


def test_groups_of_the_same_folds_are_compared_image_by_image() -> None:
    worse, better = group(wrong=4), group(wrong=1)
    found = difference(better, list(reversed(worse)))
    assert found
    assert found.certain
    assert found.images == IMAGES
    assert found.share == pytest.approx(30 / IMAGES)
    told = verdict([worse, better], ["Worse", "Better"])
    assert told.startswith("“Better” is better by 2.09 points on 1,437 validation images of 10 fol")
    assert "Test accuracy: No difference that 10 runs can show" in told
    same = verdict([worse, group(wrong=4, skipped=2)], ["A", "B"])
    assert same.startswith("No difference that 1,437 validation images of 10 folds can show.")


def test_all_images_have_the_probabilities_of_the_run_that_did_not_learn_them() -> None:
    _, y, folds = datasets.load_folds("uci")
    made = _together(wrong=2)
    p = out_of_fold(made[4], folds)
    assert (p.argmax(axis=1) != y).sum() == 2 * FOLDS
    for fold in (1, 7):
        assert run_of_fold(made[0], fold).recipe.split == Split(fold=fold)
        _, expected = datasets.load_val("uci", Split(fold=fold))
        assert (y[folds == fold] == expected).all()


def test_where_the_run_of_a_fold_is_missing_a_sentence_says_how_to_get_it() -> None:
    _, _, folds = datasets.load_folds("uci")
    made = _together(wrong=2)
    (made[2].folder / "result.json").unlink()
    with pytest.raises(ValueError, match=r"validates on fold 3. \*10 folds\*, beside"):
        out_of_fold(made[0], folds)
    with pytest.raises(ValueError, match="validates on fold 1"):
        out_of_fold(runs.create(Recipe(dataset="uci"), "Alone"), folds)


def test_what_is_no_group_of_folds_has_no_such_accuracy() -> None:
    whole = group(wrong=1)
    by_seed = [_finished(Recipe(dataset="uci", seed=seed), 1) for seed in (1, 2)]
    unfinished = runs.create(Recipe(dataset="uci", validation="fold-3"), "Run")
    for others in (whole[:1], by_seed, [whole[0], *group(1, ["fold-1"])], [whole[0], unfinished]):
        assert in_words(others) == ""
    assert difference(whole, whole[:4]) is None
    assert difference(by_seed, by_seed) is None


def test_a_recipe_tells_which_images_it_validates_on() -> None:
    assert Recipe(seed=3).split == Split(seed=3)
    assert Recipe(seed=3, validation="fold-2").split == Split(fold=2)
    assert [str(recipe.split) for recipe in (Recipe(seed=3), Recipe(validation="fold-10"))] == [
        "seed 3",
        "fold 10",
    ]
