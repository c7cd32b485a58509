"""Sweeps: what decisions cost on a clock, what promotion saves, and what more workers bring."""

import dataclasses
import heapq
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from benchmarks import served
from benchmarks.measure import figure, goal
from digits.data import datasets
from digits.engine import Engine
from digits.engine import sweeps as driver
from digits.recipes.halving import Begin, Promote, State, Trial, best, next_action, rungs
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Conv, Recipe
from digits.recipes.space import Space, Values, apply
from digits.recipes.suggest import Sampler, suggest
from digits.store import sweeps
from digits.store.sweeps import Plan, Sweep

SPACE = Space.parse(
    {
        "learning_rate": "1e-4..1e-1",
        "batch_size": "32,64,128",
        "label_smoothing": "0..0.2",
        "rotation": "0..20",
        "conv": "16x5p,32x3p,64x3 32x5p,64x3p,128x3",
    }
)
BASE = dataclasses.replace(PRESETS["fast"].recipe, epochs=27)
WORKERS, TRIALS = (1, 16, 256), 10_000
MOST_MILLISECONDS = 50.0  # of decisions a trial

IMAGES, EPOCHS = 6_000, 9  # of each recipe in the comparison, for all are trained in full
RECORDED = 60  # recipes of that space
WHOLE = 20  # of which random search trains in full
ORDERS = 200  # in which they come
MISSED_BY = (0.0, 0.05, 0.1)  # percentage points; 6,000 validation images tell no 0.1 apart

SCALED = (1, 2, 4)  # workers of one thread each
SCALED_PLAN = Plan(
    Recipe(dataset="uci", conv=(Conv(32), Conv(64)), dense=(64,), epochs=9),
    Space.parse({"learning_rate": "1e-4..1e-1", "batch_size": "16,32,64"}),
    trials=18,
    minutes=10,  # for each number of workers; on a machine of its own it takes less
    sampler="random",  # whose recipes are the same, however many workers there are
)


@dataclass(frozen=True)
class Simulated:
    """What a simulated sweep came to: ``idle`` is a share of the workers' time."""

    trials: list[Trial]
    deciding: list[float]  # seconds of the processor, of each decision
    idle: float


def simulate(workers: int, trials: int, epochs: int, sampler: Sampler = "tpe") -> Simulated:
    """A sweep of ``trials`` on ``workers``, whose epochs pass on a clock instead of being trained.

    An epoch takes 5 to 15 seconds of this clock, evenly spread, and a decision as long as it really
    takes: one worker after the other gets its next trial. The accuracy rises with the epochs to a
    height that depends on the distance of the learning rate from 0.01.
    """
    rng, marks = np.random.default_rng(0), rungs(epochs)
    known: list[Trial] = []
    until: list[int] = []
    running: list[tuple[float, int]] = []  # when it reaches its rung, and which
    deciding: list[float] = []
    now, busy = 0.0, 0.0
    while True:
        while len(running) < workers:
            since = time.process_time()
            action = next_action(known, marks, len(known) < trials)
            values: Values | None = {}
            if isinstance(action, Begin):
                values = suggest(SPACE, BASE, sampler, 0, known)
            deciding.append(time.process_time() - since)
            now += deciding[-1]
            if isinstance(action, Begin) and values is not None:
                known.append(Trial(len(known) + 1, "active", (), values))
                until.append(action.until)
                index = len(known) - 1
            elif isinstance(action, Promote):
                index = action.number - 1
                known[index] = dataclasses.replace(known[index], state="active")
                until[index] = action.until
            else:
                break
            seconds = rng.uniform(5, 15) * (until[index] - known[index].epochs)
            busy += seconds
            heapq.heappush(running, (now + seconds, index))
        if not running:
            return Simulated(known, deciding, 1 - busy / (workers * now))
        end, index = heapq.heappop(running)
        now = max(now, end)
        known[index] = dataclasses.replace(
            known[index],
            state="ended" if until[index] == epochs else "paused",
            accuracies=_curve(known[index].values, until[index]),
        )


def simulated() -> list[dict[str, Any]]:
    """Decisions in milliseconds a trial, and the share of time that workers had nothing to do."""
    lines = []
    for workers in WORKERS:
        trials = TRIALS if workers == WORKERS[-1] else TRIALS // 10
        sweep = simulate(workers, trials, BASE.epochs)
        what = f"sweep of {trials:,} trials on {workers} workers"
        overhead = [1000 * sum(sweep.deciding) / len(sweep.trials)]
        lines.append(goal(f"{what}: decisions, ms a trial", overhead, MOST_MILLISECONDS, 1))
        lines.append(figure(f"{what}: workers idle, %", [100 * sweep.idle]))
    return lines


def promotion() -> list[dict[str, Any]]:
    """Epochs until promotion has found what random search of whole runs finds.

    Random recipes are trained in full, each with its schedule in one piece, as random search does,
    and with restarts, as trials that pause do. So any number of sweeps can be replayed on their
    curves, each with the recipes in an order of its own.
    """
    whole, restarted = _record()
    return [
        line
        for how, curves in (("with restarts", restarted), ("in one piece", whole))
        for points in MISSED_BY
        for line in compare(whole, curves, points, how)
    ]


def compare(whole: np.ndarray, curves: np.ndarray, points: float, how: str) -> list[dict[str, Any]]:
    """Epochs of promotion to ``points`` below the best of random search, against those of that.

    ``whole`` are the curves of random search and ``curves`` those of promotion, of the same
    recipes, (recipes, epochs). A sweep that does not get so far counts with all epochs of all
    recipes.
    """
    finals = whole[:, -1]
    ratios, found, rng = [], [], np.random.default_rng(0)
    for _ in range(ORDERS):
        accuracy = finals[rng.permutation(len(finals))[:WHOLE]].max() - points / 100
        order = rng.permutation(len(curves))
        epochs = replay(curves[order], finals[order], accuracy)
        found.append(epochs is not None)
        ratios.append((epochs or curves.size) / (WHOLE * curves.shape[1]))
    what = f"promotion, schedule {how}, against {WHOLE} whole runs at random, "
    what += f"to {points:g} points below their best" if points else "to their best accuracy"
    quarter, middle, most = np.quantile(ratios, (0.25, 0.5, 0.75)).tolist()
    return [
        {
            "what": f"{what}: epochs, ×",
            "ours": f"{middle:.2f}",
            "baseline": "≤ 0.33",
            "ratio": f"{quarter:.2f} – {most:.2f} (quartiles)",
            "met": middle <= 1 / 3,
        },
        figure(f"{what}: found, % of {ORDERS} orders", [100 * float(np.mean(found))], 0),
    ]


def _record() -> np.ndarray:
    """Validation accuracies of random recipes: (without and with restarts, recipes, epochs)."""
    searched = dataclasses.replace(
        BASE, dataset=datasets.default(), train_images=IMAGES, epochs=EPOCHS
    )
    rng, curves = np.random.default_rng(0), []
    for number in range(1, RECORDED + 1):
        recipe = apply(searched, SPACE.draw(searched, rng))
        curves.append([_curve_of(recipe), _curve_of(dataclasses.replace(recipe, restarts=True))])
        print(f"\r{number} of {RECORDED} recipes", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return np.array(curves).swapaxes(0, 1)


def _curve_of(recipe: Recipe) -> np.ndarray:
    """Train a recipe: validation accuracies (epochs,), the rest 0 where it fails."""
    from digits.worker.trainer import train
    from tests.conftest import queued

    run = queued(recipe, "recorded")
    train(run)
    curve = np.zeros(recipe.epochs)
    reached = run.epoch_metrics()["val_accuracy"]
    curve[: len(reached)] = reached
    return curve


def replay(curves: np.ndarray, finals: np.ndarray, accuracy: float) -> int | None:
    """Epochs until the best of the trials that came to their end is as good as it is to be.

    It is judged by ``finals``, the recipes' accuracies (recipes,) when they are trained as winners.
    One worker trains. ``None`` if no winner is that good.
    """
    marks, known, epochs = rungs(curves.shape[1]), list[Trial](), 0
    while action := next_action(known, marks, len(known) < len(curves)):
        if isinstance(action, Begin):
            known.append(Trial(len(known) + 1, "paused"))
            index = len(known) - 1
        else:
            index = action.number - 1
        epochs += action.until - known[index].epochs
        state: State = "ended" if action.until == marks[-1] else "paused"
        reached = tuple(curves[index, : action.until].tolist())
        known[index] = dataclasses.replace(known[index], state=state, accuracies=reached)
        winner = best(trial for trial in known if trial.state == "ended")
        if winner and finals[winner.number - 1] >= accuracy:
            return epochs
    return None


def scaling() -> list[dict[str, Any]]:
    """One sweep, trained for real, on more and more workers of one thread each."""
    lines = []
    for workers in SCALED:
        speed, idle, overhead = _scaled(workers)
        what = f"sweep on {workers} worker{'s' * (workers > 1)}, {os.cpu_count()} cores:"
        lines.append(figure(f"{what} trials a minute", [speed], 1))
        lines.append(figure(f"{what} workers idle, %", [100 * idle], 0))
        lines.append(goal(f"{what} overhead, ms a trial", [overhead], MOST_MILLISECONDS, 0))
    return lines


def _scaled(workers: int) -> tuple[float, float, float]:
    """Trials a minute, the idle share of the workers' time, and milliseconds of overhead a trial.

    It is the time of the trials alone: the sweep is cancelled when its winner is trained. Overhead
    is what the scheduler and the process that drives the sweep take of the processor.
    """

    def cancel_after_trials(sweep: Sweep) -> None:
        if sweep.entries("final"):
            sweep.want("cancel")

    engine = Engine(workers)
    try:
        engine.client.wait_for_workers(workers, timeout=300)
        engine.client.get_task_stream()  # which begins to record
        this = psutil.Process()
        cluster, sweep = served.scheduler(this), sweeps.create(SCALED_PLAN)
        begun, before = time.time(), served.cpu(this, cluster)
        driver.drive(sweep, engine, cancel_after_trials)
        spent = served.cpu(this, cluster) - before
        trials = {entry.run.id for entry in sweep.entries()}
        spans = [
            (span["start"], span["stop"])
            for task in engine.client.get_task_stream(start=begun)
            if str(task["key"]).rpartition("-")[0] in trials
            for span in task["startstops"]
            if span["action"] == "compute"
        ]
    finally:
        engine.close()
    seconds = max(stop for _, stop in spans) - begun
    busy = sum(stop - start for start, stop in spans)
    return 60 * len(trials) / seconds, 1 - busy / (workers * seconds), 1000 * spent / len(trials)


def _curve(values: Any, epochs: int) -> tuple[float, ...]:
    height = 1 - (np.log10(values["learning_rate"]) + 2) ** 2 / 10
    after = np.arange(1, epochs + 1)
    noise = np.random.default_rng(int(1e9 * values["learning_rate"])).normal(0, 0.003, epochs)
    return tuple((height * (1 - 0.3 / after) + noise).clip(0, 1).tolist())
