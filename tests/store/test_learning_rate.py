"""Changes of the learning rate: asked for, recorded once, and the latest wish counts."""

import pytest

from digits.recipes.recipe import Recipe
from digits.recipes.schedule import RateChange
from digits.store import learning_rate, runs
from digits.store.run_folder import Run
from digits.store.status import Status


@pytest.fixture
def run() -> Run:
    return runs.create(Recipe(dataset="uci", learning_rate=0.001), "Test")


def test_a_request_holds_from_its_step_and_is_served_once(run: Run) -> None:
    assert learning_rate.peak(run) == 0.001
    learning_rate.request(run, 0.002)
    assert learning_rate.requested(run) == 0.002
    assert learning_rate.record_request(run, 20)
    assert learning_rate.requested(run) is None
    assert not learning_rate.record_request(run, 40)
    assert learning_rate.changes(run) == (RateChange(20, 0.002),)
    assert learning_rate.peak(run) == 0.002


def test_a_request_met_again_after_a_death_is_not_recorded_twice(run: Run) -> None:
    learning_rate.request(run, 0.002)
    learning_rate.record_request(run, 30)
    learning_rate.request(run, 0.002)  # as if the worker had died before it was removed
    assert learning_rate.record_request(run, 20)
    assert learning_rate.changes(run) == (RateChange(30, 0.002),)


def test_a_later_request_takes_the_place_of_changes_that_a_resumed_run_has_yet_to_meet(
    run: Run,
) -> None:
    for step, rate in ((10, 0.005), (30, 0.002), (20, 0.003)):
        learning_rate.request(run, rate)
        assert learning_rate.record_request(run, step)
    assert learning_rate.changes(run) == (RateChange(10, 0.005), RateChange(20, 0.003))


def test_changes_are_told_with_the_epochs_after_which_they_held(run: Run) -> None:
    status = Status("finished", epoch=3, epochs=3, step=60, steps=60)
    assert learning_rate.changed_under_way(run, status) == ""
    for step, rate in ((20, 0.0005), (30, 0.0001)):
        learning_rate.request(run, rate)
        learning_rate.record_request(run, step)
    assert learning_rate.changed_under_way(run, status) == (
        "Learning rate changed under way: lr 0.001 → 0.0005 after epoch 1, "
        "lr 0.0005 → 0.0001 after epoch 1.5."
    )


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e9, float("nan"), float("inf")])
def test_a_rate_that_no_recipe_may_have_is_refused(run: Run, rate: float) -> None:
    with pytest.raises(ValueError, match="learning rate is"):
        learning_rate.request(run, rate)
    assert learning_rate.requested(run) is None
