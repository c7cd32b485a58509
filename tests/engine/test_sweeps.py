"""Sweeps on real workers: to their end, paused, cancelled, and through kill -9 of each process."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from digits.engine import Engine
from digits.engine import sweeps as driver
from digits.recipes.space import Space
from digits.store import runs, sweeps
from digits.store.status import DONE
from digits.store.sweeps import Plan, Sweep
from tests.conftest import ROOT, TINY, until
from tests.engine.test_client import worker_of

pytestmark = pytest.mark.slow

SPACE = Space.parse({"learning_rate": "1e-4..1e-1", "batch_size": "100,200"})
PLAN = Plan(dataclasses.replace(TINY, epochs=3), SPACE, trials=4, sampler="random")
DRIVE = """
from digits.engine import Engine, sweeps as driver
from digits.store import sweeps
driver.drive_all(Engine()).join()
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    started = Engine()
    yield started
    started.close()


def check(sweep: Sweep) -> None:
    """Every trial is there once, each at a rung, and only the winner's three seeds are tested."""
    trials, entries, finals = sweep.trials(), sweep.entries(), sweep.entries("final")
    assert [trial.number for trial in trials] == list(range(1, sweep.plan.trials + 1))
    assert {trial.epochs for trial in trials} <= {1, 3}
    assert any(trial.epochs == 3 for trial in trials)
    assert len({entry.run.id for entry in [*entries, *finals]}) == len(entries) + 3
    assert {entry.run.id for entry in [*entries, *finals]} == {run.id for run in runs.all()}
    for entry in [*entries, *finals]:
        status = entry.run.status
        assert status.state in ("paused", *DONE)
        assert not entry.run.gaps()
        assert entry.run.epoch_metrics()["epoch"].tolist() == list(range(1, status.epoch + 1))
    assert all(entry.run.result() is None for entry in entries)
    assert all(entry.run.result() for entry in finals)
    assert {entry.run.recipe.seed for entry in finals} == {0, 1, 2}
    assert all(entry.state == "ended" for entry in finals)


def test_a_sweep_pauses_goes_on_and_ends_with_a_tested_winner(engine: Engine) -> None:
    sweep = sweeps.create(PLAN)
    driver.step(sweep, engine, 0)
    sweep.want("pause")
    until(lambda: not driver.Look.at(sweep).active, "the first trials to come to their rung")
    begun = len(sweep.entries())
    assert 1 <= begun <= engine.workers() + driver.AHEAD
    assert driver.step(sweep, engine, 1).message.startswith("Paused")
    assert len(sweep.entries()) == begun
    assert all(entry.run.result() is None for entry in sweep.entries())
    sweep.want("run")
    seen = []
    driver.drive(sweep, engine, lambda now: seen.append(now.answer(now.trials())))
    check(sweep)
    assert [answer.test_accuracies for answer in seen[:-1]] == [()] * (len(seen) - 1)
    answer = seen[-1]
    assert len(answer.test_accuracies) == 3
    assert answer.best
    assert answer.best.accuracy == max(trial.accuracy for trial in sweep.trials())
    winner = sweep.entries("final")[0].run.recipe
    assert winner == sweep.plan.recipe(dict(answer.best.values), "final")


def test_a_cancelled_sweep_ends_its_runs_and_a_stopped_one_still_tests_its_winner(
    engine: Engine,
) -> None:
    sweep = sweeps.create(dataclasses.replace(PLAN, promotion=False))
    driver.step(sweep, engine, 0)
    sweep.want("cancel")
    assert driver.step(sweep, engine, 1).state == "cancelled"
    until(lambda: not driver.Look.at(sweep).active, "its runs to end")
    assert not sweep.entries("final")
    stopped = sweeps.create(PLAN)
    driver.step(stopped, engine, 0)
    stopped.want("stop")
    driver.drive(stopped, engine, lambda now: None)
    assert len(stopped.entries()) < stopped.plan.trials
    assert len(stopped.answer(stopped.trials()).test_accuracies) == 3


def test_when_the_minutes_are_over_the_trials_pause_and_the_winner_is_trained(
    engine: Engine,
) -> None:
    sweep = sweeps.create(dataclasses.replace(PLAN, minutes=0.001, promotion=False))
    driver.step(sweep, engine, 0)
    driver.step(sweep, engine, 0.06)  # before a warm worker has trained a second epoch
    driver.drive(sweep, engine, lambda now: None)
    assert {trial.epochs for trial in sweep.trials()} == {1}
    assert len(sweep.answer(sweep.trials()).test_accuracies) == 3


def test_nothing_is_lost_when_each_process_is_killed_in_turn() -> None:
    sweep = sweeps.create(dataclasses.replace(PLAN, trials=6))
    served = drive_elsewhere()
    try:
        until(lambda: len(sweep.entries()) >= 2, "two trials")
        cluster = clusters(served)[0]
        worker_of(cluster.pid).send_signal(signal.SIGKILL)
        until(lambda: len(sweep.entries()) >= 3, "the third trial")
        clusters(served)[0].send_signal(signal.SIGKILL)
        until(lambda: len(sweep.entries()) >= 5, "the fifth trial")
        os.kill(served.pid, signal.SIGKILL)
        served.wait()
        assert sweep.progress.state == "running"
        served = drive_elsewhere()
        assert served.wait(300) == 0
    finally:
        served.kill()
    assert sweep.progress.state == "finished"
    check(sweep)


def drive_elsewhere() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DRIVE], cwd=ROOT)


def clusters(server: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(server.pid).children()
        if "digits.engine.cluster" in child.cmdline()
    ]
