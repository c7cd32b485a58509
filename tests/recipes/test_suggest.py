"""What a sweep tries next, by chance, by grid and by what it has learned; and importances."""

import dataclasses

import numpy as np
import pytest

from digits.recipes.halving import Trial
from digits.recipes.recipe import Recipe
from digits.recipes.space import Space
from digits.recipes.suggest import STARTUP, Sampler, importance, suggest

BASE = Recipe()
SPACE = Space.parse(
    {
        "learning_rate": "1e-4..1e-1",
        "batch_size": "32,64,128",
        "dense": "16 32,16",
        "train_images": "500..4000",
    }
)


def searched(sampler: Sampler, number: int, seed: int = 0) -> list[Trial]:
    """A sweep in which all but the learning rate is chance, and 0.01 is best."""
    trials: list[Trial] = []
    for index in range(number):
        values = suggest(SPACE, BASE, sampler, seed, trials)
        assert values is not None
        accuracy = 1 - abs(np.log10(values["learning_rate"]) + 2) / 4
        state = "ended" if index % 4 == 0 else "paused"
        trials.append(Trial(index + 1, state, (accuracy,) * (1 + 2 * (index % 4 == 0)), values))
    return trials


@pytest.mark.parametrize("sampler", ["random", "grid", "tpe"])
def test_the_same_trials_give_the_same_values_so_that_a_restart_changes_nothing(
    sampler: Sampler,
) -> None:
    trials = searched(sampler, STARTUP + 2)
    assert suggest(SPACE, BASE, sampler, 0, trials) == suggest(SPACE, BASE, sampler, 0, trials)
    assert len({str(trial.values) for trial in trials}) == len(trials)


def test_what_is_learned_comes_nearer_to_the_best_than_chance() -> None:
    def mean_of_last(sampler: Sampler) -> float:
        return float(np.mean([trial.accuracy for trial in searched(sampler, 40)[-15:]]))

    assert mean_of_last("tpe") > mean_of_last("random") + 0.05


def test_a_grid_ends_after_each_of_its_points_once() -> None:
    space = Space.parse({"batch_size": "32,64", "batch_norm": "false,true"})
    trials: list[Trial] = []
    while (values := suggest(space, BASE, "grid", 1, trials)) is not None:
        trials.append(Trial(len(trials) + 1, "active", (), values))
    assert sorted(str(trial.values) for trial in trials) == sorted(map(str, space.grid(BASE)))


def test_the_hyperparameter_that_decides_is_the_most_important() -> None:
    found = importance(SPACE, searched("random", 40))
    assert max(found, key=found.__getitem__) == "learning_rate"
    assert sum(found.values()) == pytest.approx(1)
    assert importance(SPACE, searched("random", 5)) == {}


def test_failed_trials_teach_what_to_avoid() -> None:
    trials = [
        dataclasses.replace(trial, state="failed", accuracies=())
        if trial.values["learning_rate"] > 0.003
        else trial
        for trial in searched("random", 30)
    ]
    next_ones = []
    for _ in range(10):
        values = suggest(SPACE, BASE, "tpe", 0, trials)
        assert values is not None
        next_ones.append(values["learning_rate"])
        trials.append(Trial(len(trials) + 1, "failed", (), values))
    assert np.median(next_ones) < 0.003
