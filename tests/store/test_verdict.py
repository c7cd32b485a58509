"""Which of two runs or groups is better: certain, uncertain, and not to be said at all."""

import numpy as np
import pytest

from digits.data import datasets
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.verdict import verdict
from tests.damage import RESULT


def finished(wrong: range, dataset: str = "uci") -> Run:
    """A run whose model misclassifies these test images of UCI's and no other."""
    run = runs.create(Recipe(dataset=dataset), "Run")
    _, y = datasets.load_test("uci")
    predicted = y.copy()
    predicted[wrong] = (y[wrong] + 1) % 10
    run.write_test_probabilities(np.eye(10, dtype=np.float32)[predicted])
    accuracy = 1 - len(wrong) / len(y)
    run.write_result(RESULT | {"test_accuracy": accuracy, "test_images": len(y)})
    return run


def test_of_a_pair_the_better_is_named_with_its_interval() -> None:
    good, bad = finished(range(0, 10)), finished(range(0, 40))
    for pair, names in (((good, bad), ("Good", "Bad")), ((bad, good), ("Bad", "Good"))):
        told = verdict([[run] for run in pair], names)
        assert told.startswith("“Good” is better by 8.33 points on 360 test images (95% interval ")
        assert "McNemar p < 0.001" in told


def test_a_pair_that_the_images_cannot_tell_apart_says_so() -> None:
    told = verdict([[finished(range(0, 10))], [finished(range(5, 16))]], ["A", "B"])
    assert told == (
        "No difference that 360 test images can show: only one of the two recognizes 11 of them, "
        "5 against 6 (p = 1.00)."
    )


def test_groups_of_seeds_are_judged_by_how_their_runs_scatter() -> None:
    good = [finished(range(0, n)) for n in (10, 11, 12)]
    bad = [finished(range(0, n)) for n in (40, 43, 41)]
    told = verdict([bad, good], ["Bad", "Good"])
    assert told.startswith("“Good” is better by 8.43 ± ")
    assert told.endswith("points; 3 runs each.")
    scattered = [finished(range(0, n)) for n in (5, 40)]
    assert verdict([good, scattered], ["A", "B"]).startswith("No difference that 2 runs against 3")


def test_what_cannot_be_compared_is_a_sentence() -> None:
    run, unfinished = finished(range(3)), runs.create(Recipe(dataset="uci"), "Unfinished")
    with pytest.raises(ValueError, match="when each of these runs has a result"):
        verdict([[run], [unfinished]], ["A", "B"])
    with pytest.raises(ValueError, match="train “B” with more seeds or folds"):
        verdict([[run, finished(range(4))], [finished(range(5))]], ["A", "B"])
    with pytest.raises(ValueError, match="different test images"):
        verdict([[run], [finished(range(3), "mnist")]], ["A", "B"])


def test_a_result_that_changes_changes_the_verdict() -> None:
    a, b = finished(range(0, 10)), finished(range(0, 40))
    before = verdict([[a], [b]], ["A", "B"])
    b.write_test_probabilities(a.test_probabilities())
    assert verdict([[a], [b]], ["A", "B"]) != before
