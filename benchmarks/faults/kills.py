"""What survives ``kill -9``: of workers, schedulers and servers, at random moments."""

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import numpy as np
import psutil

from benchmarks import served
from benchmarks.faults.tab import Tab
from benchmarks.measure import figure, goal
from digits.recipes.recipe import Conv, Recipe
from digits.recipes.space import Space
from digits.store import runs, sweeps
from digits.store.run_folder import Run
from digits.store.status import DONE, UNFINISHED
from digits.store.sweeps import Plan
from tests.conftest import App, until

KILLS, VISITORS, TRIALS = 30, 20, 20
KILLS_PER_RUN = 3  # a run that loses its worker more often is given up
VICTIMS: dict[str, Callable[[App], psutil.Process]] = {
    "server": served.server,
    "scheduler": lambda app: served.scheduler(served.server(app)),
    "worker": lambda app: served.worker(served.server(app)),
}
# Some 15 s on two cores, and a second.
LONG = "recipe=fast;dataset=uci;conv=64x5p,64x3p;batch_size=32;epochs=12"
SHORT = "recipe=fast;dataset=uci;conv=16x5p;batch_size=32;epochs=12"


def kills(count: int = KILLS) -> list[dict[str, Any]]:
    """Random kills over all processes while runs train, against a run that nobody disturbs."""
    chance = random.Random(0)
    victims = [*VICTIMS] * -(-count // len(VICTIMS))
    chance.shuffle(victims)
    del victims[count:]
    wrong, difference, orphans = 0, 0.0, 0
    waits: dict[str, list[float]] = {name: [] for name in VICTIMS}
    returned: list[float] = []
    with _server() as (apps, start_again):
        undisturbed = _train(apps[-1])
        _end(undisturbed)
        while victims:
            run = _train(apps[-1])
            for _ in range(min(KILLS_PER_RUN, len(victims))):
                time.sleep(chance.uniform(0.1, 3.0))
                if _done(run):
                    break
                name = victims.pop()
                print(f"\r{len(victims):2} left: {name:<9}", end="", file=sys.stderr, flush=True)
                orphans += _kill(apps[-1], name)
                step, begun = _last_step(run), time.perf_counter()
                if name == "server":
                    start_again()
                returned.append(_go_on(apps[-1], run, step))
                waits[name].append(time.perf_counter() - begun)
            _end(run)
            lost, differs = _compare(run, undisturbed)
            wrong, difference = wrong + lost, max(difference, differs)
    print(file=sys.stderr)
    who = f"kills: {sum(map(len, waits.values()))} times kill -9,"
    return [
        goal(f"{who} files with rows lost or repeated", [wrong], 0, 0),
        goal(f"{who} loss, largest difference", [difference], 1e-4, 6),
        goal(f"{who} processes left over", [orphans], 0, 0),
        goal("kills: s from a worker's return to its first step", returned, 3),
        *(
            figure(f"kills: s until a run goes on, {name} killed", wait)
            for name, wait in waits.items()
            if wait
        ),
    ]


def rush(count: int = VISITORS) -> list[dict[str, Any]]:
    """``count`` visitors press Train at once; the worker is killed twice meanwhile."""
    started: list[Run] = []
    queues: list[list[Run]] = []
    deaths = [count // 5, count // 2]  # how many runs have started when the worker dies
    with _server() as (apps, _):
        _end(_train(apps[-1]))  # the engine has started
        before = runs.all()
        tabs = [Tab(apps[-1].url, f"{SHORT};seed={seed}") for seed in range(count)]
        clicks = [threading.Thread(target=tab.click, args=["Train"]) for tab in tabs]
        for click in clicks:
            click.start()

        def ended() -> bool:
            queues.append(runs.queue())
            for run in queues[-1]:
                if run.status.state == "running" and run not in started:
                    started.append(run)
            if deaths and len(started) > deaths[0] and started[-1].status.step:
                deaths.pop(0)
                VICTIMS["worker"](apps[-1]).kill()
            return not queues[-1] and len(runs.all()) == len(before) + count

        until(ended, "all runs to end", 20.0 * count)
        for click, tab in zip(clicks, tabs, strict=True):
            click.join()
            tab.close()
        rushed = [run for run in runs.all() if run not in before]
        unfinished = [run for run in rushed if run.status.state != "finished"]
    shown = {pair for queue in queues for pair in pairwise(queue)}
    place = {run: number for number, run in enumerate(started)}
    swapped = [pair for pair in shown if place.get(pair[0], -1) > place.get(pair[1], count)]
    return [
        goal(f"rush: of {count} runs not finished", [len(unfinished)], 0, 0),
        goal("rush: pairs that started in another order than shown", [len(swapped)], 0, 0),
        goal("rush: of two kills of the worker left out", [len(deaths)], 0, 0),
    ]


def sweep(count: int = TRIALS) -> list[dict[str, Any]]:
    """A sweep of ``count`` trials, while worker, scheduler and server are killed in turn."""
    space = Space.parse({"learning_rate": "1e-4..1e-1", "batch_size": "16,32,64"})
    base = Recipe(dataset="uci", conv=(Conv(16),), dense=(32,), epochs=9)
    orphans = 0
    with _server() as (apps, start_again):
        searched = sweeps.create(Plan(base, space, trials=count))
        _end(_train(apps[-1]))  # the engine has started, and drives the sweep
        for number, name in enumerate(("worker", "scheduler", "server"), 1):
            begun = count * number // 4
            until(lambda begun=begun: len(searched.entries()) >= begun, f"{begun} trials", 600)
            orphans += _kill(apps[-1], name)
            if name == "server":
                start_again()
                _end(_train(apps[-1]))
        until(lambda: searched.progress.state == "finished", "the end of the sweep", 600)
        entries, finals = searched.entries(), searched.entries("final")
        tried = [entry.run for entry in [*entries, *finals]]
        broken = [
            run
            for run in tried
            if run.epoch_metrics()["epoch"].tolist() != list(range(1, run.status.epoch + 1))
        ]
    who = f"sweep: {count} trials, three kills,"
    return [
        goal(f"{who} trials or winner's runs lost", [count + 3 - len(tried)], 0, 0),
        goal(f"{who} counted twice", [len(tried) - len({run.id for run in tried})], 0, 0),
        goal(f"{who} with epochs lost or repeated", [len(broken)], 0, 0),
        goal(f"{who} processes left over", [orphans], 0, 0),
    ]


@contextmanager
def _server() -> Iterator[tuple[list[App], Callable[[], None]]]:
    """A server, and what starts it again on the same folder of runs."""
    with served.served() as first:
        apps = [first]
        try:
            yield apps, lambda: apps.append(App(first.runs))
        finally:
            for app in apps[1:]:
                app.close()


def _train(app: App) -> Run:
    """Press Train; returns the run once its first step is there."""
    tab = Tab(app.url, LONG)
    before = runs.all()
    tab.click("Train")
    tab.close()
    until(lambda: set(runs.all()) - set(before), "the new run", 30)
    [run] = set(runs.all()) - set(before)
    until(lambda: run.status.step, "the first step", 120)
    return run


def _go_on(app: App, run: Run, step: int) -> float:
    """Wait until a run is past a step, and press Resume where it does not go on by itself.

    Returns the seconds from when a worker has taken it up again until its first step is told.
    """
    taken_up: list[float] = []
    first_step: list[float] = []

    def past() -> bool:
        status, now = run.status, time.perf_counter()
        if status.state not in (*UNFINISHED, *DONE):
            tab = Tab(app.url, f"run={run.id}")
            with suppress(LookupError):  # it has just gone on
                tab.click("Resume.*|Start again")
            tab.close()
        if status.message.startswith("Preparing"):
            taken_up.append(now)
        elif taken_up and status.step * status.epochs > status.epoch * status.steps:
            first_step.append(now)
        return _last_step(run) > step or _done(run)

    until(past, "the run to go on", 120)
    ends = [*first_step, time.perf_counter()]
    return ends[0] - (taken_up or ends)[0]


def _compare(run: Run, undisturbed: Run) -> tuple[int, float]:
    """How many files have other rows than the undisturbed run's, and how far the losses differ."""
    ours, theirs = run.step_metrics(), undisturbed.step_metrics()
    wrong = not np.array_equal(ours["step"], theirs["step"])
    difference = 0.0 if wrong else float(abs(ours["loss"] - theirs["loss"]).max())
    epochs, all_epochs = run.epoch_metrics()["epoch"], undisturbed.epoch_metrics()["epoch"]
    return wrong + (not np.array_equal(epochs, all_epochs)), difference


def _end(run: Run) -> None:
    until(lambda: _done(run), f"the end of {run.id}: {run.status.message}", 300)


def _done(run: Run) -> bool:
    return run.status.state in DONE


def _last_step(run: Run) -> int:
    steps = run.step_metrics()["step"]
    return int(steps[-1]) if len(steps) else 0


def _kill(app: App, name: str) -> int:
    """Kill a process; returns how many of those below it outlive it by 15 seconds."""
    victim = VICTIMS[name](app)
    below = victim.children(recursive=True)
    victim.kill()
    if name == "server":
        app.process.wait()
    _, alive = psutil.wait_procs([victim, *below], timeout=15)
    return sum(not _dead(orphan) for orphan in alive)


def _dead(process: psutil.Process) -> bool:
    """Whether it is dead, and only its parent has not taken note."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
