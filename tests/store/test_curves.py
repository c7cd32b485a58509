"""Smoothing and thinning of curves."""

import numpy as np
import pytest

from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.curves import curve, downsample, smooth
from digits.store.runs import Run
from digits.store.status import Status


def test_smoothing_is_the_mean_of_the_last_few_values() -> None:
    values = np.array([4.0, 2.0, 6.0, 0.0])
    assert smooth(values, 2).tolist() == [4, 3, 4, 3]
    assert smooth(values, 1).tolist() == values.tolist()
    assert smooth(np.empty(0), 5).tolist() == []


@pytest.mark.parametrize("n", [1, 2, 399, 400, 401, 5000])
def test_thinning_keeps_both_ends_and_bounds_the_number(n: int) -> None:
    chosen = downsample(n, most=400)
    assert len(chosen) == min(n, 400)
    assert (chosen[0], chosen[-1]) == (0, n - 1)
    assert (np.diff(chosen) > 0).all()


def test_nothing_can_be_thinned() -> None:
    assert downsample(0).tolist() == []


@pytest.fixture
def trained() -> Run:
    """A run of four epochs of 100 steps, torn in the third; an epoch took 10 s, the next 20 s."""
    run = runs.create(Recipe(dataset="uci", epochs=4), "Trained")
    run.append_steps((step, 1 / step, 1 - 1 / step) for step in range(1, 251))
    run.append_epochs(
        [(1, 0.5, 0.5, 0.4, 0.6, 0.001, 10, 20), (2, 0.3, 0.7, 0.2, 0.8, 0.001, 20, 40)]
    )
    run.write_status(Status("running", epoch=2, epochs=4, step=250, steps=400))
    return run


def test_a_training_curve_runs_to_the_last_step_and_no_further_than_was_timed(trained: Run) -> None:
    x, y = curve(trained, "loss")
    assert x[0] == pytest.approx(0.01)
    assert x[-1] == 2.5
    assert len(x) == len(y) == 200
    assert (np.diff(y) < 0).all()
    x, y = curve(trained, "loss", seconds=True)
    assert x[-1] == pytest.approx(30, abs=0.5)
    assert len(x) == len(y)


def test_a_validation_curve_has_a_point_an_epoch(trained: Run) -> None:
    assert [axis.tolist() for axis in curve(trained, "val_accuracy")] == [[1, 2], [0.6, 0.8]]
    x, _ = curve(trained, "val_accuracy", seconds=True)
    assert x.tolist() == [10, 30]


@pytest.mark.parametrize("metric", ["loss", "accuracy", "val_loss", "val_accuracy"])
def test_a_run_that_has_not_begun_has_an_empty_curve(metric: str) -> None:
    run = runs.create(Recipe(dataset="uci"), "New")
    for seconds in (False, True):
        x, y = curve(run, metric, seconds=seconds)
        assert len(x) == len(y) == 0
