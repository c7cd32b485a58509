"""The learning rate of every step."""

import numpy as np
import pytest

from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.recipes.schedule import RateChange, cycles, learning_rates

SCHEDULES = HYPERPARAMETERS["schedule"].choices


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_step_exceeds_the_peak_and_one_reaches_it(schedule: str) -> None:
    rates = learning_rates(Recipe(schedule=schedule, learning_rate=0.01), 1001)
    assert rates.shape == (1001,)
    assert rates.max() == pytest.approx(0.01, rel=1e-3)
    assert (rates >= 0).all()


def test_cosine_falls_all_the_way_and_is_half_in_the_middle() -> None:
    rates = learning_rates(Recipe(schedule="cosine", learning_rate=0.01), 101)
    assert (np.diff(rates) < 0).all()
    assert rates[50] == pytest.approx(0.005)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_one_cycle_climbs_for_three_tenths_and_then_falls() -> None:
    rates = learning_rates(Recipe(schedule="one-cycle", learning_rate=0.01), 1001)
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates.argmax() == pytest.approx(300, abs=2)
    assert (np.diff(rates[:300]) > 0).all()
    assert (np.diff(rates[302:]) < 0).all()
    assert rates[-1] < 1e-6


def test_a_run_of_one_step_has_a_rate() -> None:
    for schedule in SCHEDULES:
        for restarts in (False, True):
            assert np.isfinite(
                learning_rates(Recipe(schedule=schedule, restarts=restarts), 1)
            ).all()


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
def test_a_schedule_that_restarts_is_run_through_until_each_rung(schedule: str) -> None:
    recipe = Recipe(schedule=schedule, epochs=9, restarts=True)
    assert cycles(recipe, 900) == [100, 200, 600]
    rates = learning_rates(recipe, 900)
    for begin, end in ((0, 100), (100, 300), (300, 900)):
        once = Recipe(schedule=schedule)
        assert rates[begin:end] == pytest.approx(learning_rates(once, end - begin))


def test_without_restarts_and_with_one_epoch_there_is_one_cycle() -> None:
    assert cycles(Recipe(epochs=9), 900) == [900]
    assert cycles(Recipe(epochs=1, restarts=True), 100) == [100]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_new_peak_scales_what_is_left_of_the_schedule(schedule: str) -> None:
    recipe = Recipe(schedule=schedule, learning_rate=0.01)
    plain = learning_rates(recipe, 100)
    changed = learning_rates(recipe, 100, [RateChange(40, 0.001), RateChange(60, 0.02)])
    assert (changed[:40] == plain[:40]).all()
    assert changed[40:60] == pytest.approx(plain[40:60] / 10)
    assert changed[60:] == pytest.approx(plain[60:] * 2)
