"""Several runs read as one model: what two of three see right, and what does not go together."""

import numpy as np
import pytest

from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.ensemble import ensemble_accuracy
from tests.store.test_verdict import finished


def test_what_two_of_three_classify_correctly_counts() -> None:
    group = [finished(range(10)), finished(range(10, 20)), finished(range(15, 25))]
    assert ensemble_accuracy(group) == 1 - 5 / 360


def test_there_is_none_before_two_have_a_result() -> None:
    alone, waiting = finished(range(10)), runs.create(Recipe(dataset="uci"), "Run")
    assert ensemble_accuracy([alone]) is None
    assert ensemble_accuracy([alone, waiting]) is None


def test_there_is_none_for_runs_that_were_tested_on_other_images() -> None:
    assert ensemble_accuracy([finished(range(10)), finished(range(10), "mnist")]) is None


def test_a_file_that_changes_is_read_again() -> None:
    group = [finished(range(10)), finished(range(10))]
    assert ensemble_accuracy(group) == 1 - 10 / 360
    p = group[1].test_probabilities()
    group[1].write_test_probabilities(np.concatenate([p[20:], p[:20]]))
    assert ensemble_accuracy(group) != 1 - 10 / 360


def test_a_damaged_file_is_told() -> None:
    group = [finished(range(10)), finished(range(10))]
    (group[1].folder / "test_probabilities.npy").write_bytes(b"x")
    with pytest.raises(ValueError, match="damaged"):
        ensemble_accuracy(group)
