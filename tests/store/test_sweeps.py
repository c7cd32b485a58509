"""Sweeps on disk: what is refused, what survives, and what damage to their folders says."""

import dataclasses
import json
from pathlib import Path

import pytest

from digits.recipes.halving import best
from digits.recipes.space import Space
from digits.store import runs, sweeps
from digits.store.status import Status
from digits.store.sweeps import Plan, Progress
from tests.conftest import TINY
from tests.sweeps import searched

SPACE = Space.parse({"learning_rate": "1e-4..1e-1", "conv": "8x3p 16x3p,16x3"})
PLAN = Plan(dataclasses.replace(TINY, epochs=9), SPACE, trials=4, minutes=1.5, sampler="grid")


def test_a_plan_comes_back_as_it_was() -> None:
    sweep = sweeps.create(PLAN)
    assert sweeps.open(sweep.id).plan == PLAN
    assert [sweep.number, sweeps.create(PLAN).number] == [1, 2]
    assert sweep.progress == Progress()
    assert sweep.wanted == "run"


def test_no_list_of_runs_takes_the_sweeps_for_runs_and_trials_are_runs() -> None:
    sweep = searched(6)
    assert {run.id for run in runs.all()} == {
        entry.run.id for entry in [*sweep.entries(), *sweep.entries("final")]
    }
    assert all(run.name.startswith("Sweep 1 · ") for run in runs.all())


def test_a_trial_knows_its_values_and_what_its_run_has_reached() -> None:
    sweep = searched(9)
    for entry, trial in zip(sweep.entries(), sweep.trials(), strict=True):
        assert entry.run.recipe == sweep.plan.recipe(dict(trial.values))
        assert trial.accuracies == tuple(entry.run.epoch_metrics()["val_accuracy"])
    answer = sweep.answer(sweep.trials())
    assert len(answer.test_accuracies) == 3
    assert answer.best in sweep.trials()


def test_the_winner_stays_the_best_when_its_trial_is_deleted() -> None:
    sweep = searched(9)
    trials = sweep.trials()
    winner = sweep.answer(trials).best
    assert winner == best(trials)
    sweep.entries()[winner.number - 1].run.delete()
    trials = sweep.trials()
    assert best(trials)  # another
    assert sweep.answer(trials).best is None


def test_trials_do_not_stop_early_and_the_winner_may() -> None:
    plan = dataclasses.replace(PLAN, base=dataclasses.replace(PLAN.base, patience=3))
    values = PLAN.space.grid(PLAN.base)[0]
    assert (plan.recipe(values).patience, plan.recipe(values, "final").patience) == (0, 3)


@pytest.mark.parametrize(
    ("schedule", "promotion", "restarts"),
    [("one-cycle", True, True), ("one-cycle", False, False), ("constant", True, False)],
)
def test_trials_that_pause_restart_their_schedule_and_the_winner_does_not(
    schedule: str, promotion: bool, restarts: bool
) -> None:
    base = dataclasses.replace(PLAN.base, schedule=schedule)
    plan = dataclasses.replace(PLAN, base=base, promotion=promotion)
    values = PLAN.space.grid(PLAN.base)[0]
    assert plan.recipe(values).restarts == restarts
    assert not plan.recipe(values, "final").restarts


def test_test_accuracies_stay_unseen_until_the_sweep_is_finished() -> None:
    sweep = searched(9)
    sweep.write_progress(Progress("running"))
    assert sweep.answer(sweep.trials()).test_accuracies == ()


def test_a_run_that_nobody_trains_is_to_be_taken_up_unless_a_visitor_stopped_it() -> None:
    sweep = sweeps.create(PLAN)
    run = sweep.create_run("trial", 1, PLAN.space.grid(PLAN.base)[0], until=1)
    [entry] = sweep.entries()
    assert (entry.interrupted, entry.state) == (True, "active")
    run.request_stop()
    assert (entry.interrupted, entry.state) == (False, "ended")
    run.write_status(Status("failed", message="The loss became infinite."))
    assert sweep.trials()[0].state == "failed"


def test_trials_whose_runs_were_deleted_count_as_failed_and_nothing_else_breaks() -> None:
    sweep = searched(9)
    for entry in sweep.entries()[:3]:
        entry.run.delete()
    trials = sweep.trials()
    assert [trial.state for trial in trials[:3]] == ["failed"] * 3
    assert len(trials) == 9
    for entry in sweep.entries():
        if entry.run.folder.exists():
            entry.run.delete()
    assert sweep.answer(sweep.trials()).best is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"trials": 0}, "A sweep has 1 to 10,000 trials, not 0."),
        ({"trials": 10_001}, "1 to 10,000 trials, not 10,001."),
        ({"minutes": 0.0}, "more than 0 minutes, or no limit"),
        ({"minutes": float("nan")}, "at most a million minutes, not nan"),
        ({"sampler": "magic"}, "There is no sampler magic"),
        ({"space": Space.parse({"conv": "8x28p 9x28p"})}, "Nothing in this space can be built"),
    ],
)
def test_a_plan_that_cannot_be_done_is_refused(changes: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        dataclasses.replace(PLAN, **changes)


@pytest.mark.parametrize("file", ["plan.json", "progress.json", "wanted.json", "trial-1.json"])
@pytest.mark.parametrize("content", ["", '{"number": 1', "[]", '{"run": "../x", "state": 3}'])
def test_a_torn_file_is_one_sentence_that_names_it(file: str, content: str) -> None:
    sweep = searched(3, finished=False)
    (sweep.folder / file).write_text(content)
    with pytest.raises(ValueError, match=f"^{file} of sweep {sweep.id} is damaged") as caught:
        print(sweep.plan, sweep.progress, sweep.wanted, sweep.trials())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values", [{"dropout": "0.1"}, {"learning_rate": "0.01", "conv": "8x28p,8x28p"}]
)
def test_a_trial_of_settings_that_are_not_searched_is_damaged(values: dict[str, str]) -> None:
    sweep = sweeps.create(PLAN)
    entry = {"run": "20260131-093000-4f2a1c", "values": values}
    (sweep.folder / "trial-1.json").write_text(json.dumps(entry))
    with pytest.raises(ValueError, match="its settings are none of those that are searched"):
        sweep.trials()


def test_a_damaged_sweep_is_left_alone_and_can_be_deleted() -> None:
    sweep, other = sweeps.create(PLAN), sweeps.create(PLAN)
    (sweep.folder / "plan.json").unlink()
    assert sweeps.unfinished() == [other]
    sweeps.delete(sweep)
    assert sweeps.all() == [other]
    with pytest.raises(ValueError, match="Cancel it"):
        sweeps.delete(other)


def test_a_link_that_names_no_sweep_says_so(runs_root: Path) -> None:
    with pytest.raises(ValueError, match="names no sweep"):
        sweeps.open("../runs")
    with pytest.raises(LookupError, match="may have been deleted"):
        sweeps.open("20260131-093000-4f2a1c")
