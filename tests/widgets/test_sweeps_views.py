"""What the views of a sweep compute: the Pareto front, and axes that a few failures do not bend."""

import numpy as np

from digits.store import sweeps
from tests.sweeps import searched
from widgets.sweeps.trials import last_accuracies, read
from widgets.sweeps.views import accuracy_axis, pareto_front


def test_the_front_holds_exactly_those_that_none_beats_in_both() -> None:
    rng = np.random.default_rng(0)
    spent, accuracy = rng.random(60), rng.random(60)
    front = pareto_front(spent, accuracy)
    beaten = [
        any((spent <= spent[i]) & (accuracy >= accuracy[i]) & (np.arange(60) != i))
        for i in range(60)
    ]
    assert sorted(front) == [i for i in range(60) if not beaten[i]]
    assert (np.diff(spent[front]) > 0).all()


def test_a_front_of_equals_holds_one_of_them() -> None:
    assert pareto_front(np.ones(3), np.full(3, 0.9)) in ([0], [1], [2])
    assert pareto_front(np.array([2.0, 1.0]), np.array([0.8, 0.9])) == [1]


def test_the_axis_shows_the_best_and_not_the_few_that_failed() -> None:
    accuracies = np.array([0.1, 0.95, 0.96, 0.97, 0.98])
    low, high = accuracy_axis(accuracies)["range"]
    assert 0.9 < low < 0.95
    assert high > 0.98
    low, high = accuracy_axis(np.array([0.0]))["range"]
    assert low <= 0 < high


def test_the_views_get_each_trial_with_its_costs() -> None:
    shown = read(searched(12))
    assert len(shown.told) == 12
    assert shown.marks == (1, 3, 9, 27)
    for tried in shown.tried:
        assert tried.seconds == 2.5 * tried.trial.epochs
        assert len(tried.ends) == tried.trial.epochs
        assert tried.parameters > 1_000
    assert last_accuracies(shown.told).max() == max(t.accuracy for t in sweeps.all()[0].trials())
