"""How long each trial is trained: rungs, promotion, failures, and a whole sweep on a clock."""

import dataclasses

import numpy as np
import pytest

from benchmarks.sweeps import replay, simulate
from digits.recipes.halving import Begin, Promote, Trial, best, expected_epochs, next_action, rungs

MARKS = (1, 3, 9)


def paused(*accuracies: float, epochs: int = 1) -> list[Trial]:
    return [
        Trial(number, "paused", (accuracy,) * epochs)
        for number, accuracy in enumerate(accuracies, 1)
    ]


@pytest.mark.parametrize(
    ("epochs", "expected"), [(1, (1,)), (2, (1, 2)), (9, (1, 3, 9)), (30, (1, 3, 9, 27, 30))]
)
def test_rungs_triple_up_to_the_epochs_of_the_recipe(
    epochs: int, expected: tuple[int, ...]
) -> None:
    assert rungs(epochs) == expected
    assert rungs(epochs, promotion=False) == (epochs,)


def test_the_best_of_three_goes_on_and_until_then_new_trials_begin() -> None:
    assert next_action([], MARKS, more=True) == Begin(1)
    assert next_action(paused(0.9, 0.8), MARKS, more=True) == Begin(1)
    assert next_action(paused(0.8, 0.9, 0.7), MARKS, more=True) == Promote(2, 3)


def test_the_highest_rung_is_served_first() -> None:
    trials = [
        *(Trial(number, "paused", (0.5, 0.6, 0.1 * number)) for number in (1, 2, 3)),
        *(Trial(number, "paused", (0.9,)) for number in range(4, 13)),
    ]
    assert next_action(trials, MARKS, more=True) == Promote(3, 9)


def test_a_trial_that_was_promoted_keeps_its_place_so_that_no_other_takes_it() -> None:
    trials = paused(0.8, 0.9, 0.7)
    trials[1] = dataclasses.replace(trials[1], state="active")
    assert next_action(trials, MARKS, more=True) == Begin(1)
    assert next_action(trials, MARKS, more=False) is None


def test_a_failed_trial_counts_as_the_worst_of_the_rung_it_was_to_reach() -> None:
    trials = [*paused(0.2, 0.1), Trial(3, "failed")]
    assert next_action(trials, MARKS, more=True) == Promote(1, 3)
    assert best(trials) == trials[0]
    assert best([Trial(1, "failed", (0.9,))]) is None


def test_a_failure_on_the_first_rung_makes_no_room_on_the_second() -> None:
    trials = [*paused(0.2, epochs=3), Trial(2, "failed"), Trial(3, "failed")]
    assert next_action(trials, MARKS, more=True) == Begin(1)


def test_even_two_trials_end_with_one_trained_in_full() -> None:
    trials = paused(0.8, 0.9)
    assert next_action(trials, MARKS, more=False) == Promote(2, 3)
    trials[1] = Trial(2, "active", (0.9,))
    assert next_action(trials, MARKS, more=False) is None
    trials[1] = Trial(2, "paused", (0.9, 0.9, 0.95))
    assert next_action(trials, MARKS, more=False) == Promote(2, 9)
    trials[1] = Trial(2, "ended", (0.9,) * 9)
    assert next_action(trials, MARKS, more=False) is None


def test_the_decision_depends_on_the_trials_alone_and_not_on_their_order() -> None:
    trials = paused(0.8, 0.9, 0.7, 0.85, 0.6, 0.95)
    assert next_action(trials, MARKS, True) == next_action(trials[::-1], MARKS, True)


def test_promotion_finds_what_whole_runs_find_in_a_fraction_of_their_epochs() -> None:
    rng = np.random.default_rng(0)
    heights = rng.uniform(0.5, 0.99, 60)
    curves = heights[:, None] * (1 - 0.4 / np.arange(1, 28)) + rng.normal(0, 0.01, (60, 27))
    orders = [rng.permutation(curves) for _ in range(10)]
    goal = curves[:, -1].max() - 0.02
    found = [replay(ordered, ordered[:, -1], goal) for ordered in orders]
    assert all(found)
    whole = 27 * 60 / 2  # of a search that finds it half-way on average
    assert np.mean([epochs or 0 for epochs in found]) < whole / 3
    assert replay(curves, curves[:, -1], accuracy=2.0) is None


@pytest.mark.parametrize("workers", [1, 7, 64])
def test_a_sweep_on_a_clock_tries_every_trial_and_trains_few_in_full(workers: int) -> None:
    done = simulate(workers, trials=200, epochs=27, sampler="random")
    assert [trial.number for trial in done.trials] == list(range(1, 201))
    assert all(trial.state in ("paused", "ended") for trial in done.trials)
    assert {trial.epochs for trial in done.trials} == {1, 3, 9, 27}
    full = [trial for trial in done.trials if trial.state == "ended"]
    assert 200 // 27 <= len(full) <= 2 * 200 // 27 + workers
    top = sorted(done.trials, key=lambda trial: -trial.accuracies[0])[:5]
    assert any(trial.state == "ended" for trial in top)
    epochs = sum(trial.epochs for trial in done.trials)
    assert epochs < 200 * 27 / 5
    assert epochs == pytest.approx(expected_epochs(200, rungs(27)), rel=0.5)
    assert done.idle < (0.01 if workers == 1 else 0.8)  # the last to be promoted run alone
