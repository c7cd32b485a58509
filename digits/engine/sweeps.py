"""Drives sweeps: begins trials, lets the best go on, and trains the winner with several seeds.

All that it knows is read from the folders of the sweep and its runs at every look, so that whoever
drives next, after this process has died, goes on where it was.
"""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import get_args

from digits.engine.client import Engine
from digits.recipes.halving import Begin, Promote, Trial, best, next_action, rungs
from digits.store import sweeps
from digits.store.files import reason
from digits.store.sweeps import LOCK, SEEDS, Entry, Kind, Progress, Sweep

INTERVAL = 0.5  # seconds between two looks
PATIENCE = 2.0  # seconds until the next attempt after one that failed, as on a full disk
SAVED = 2.0  # seconds that may not be counted when this process dies
AHEAD = 1  # runs that wait in the queue, so that no worker waits for the next look


@dataclass(frozen=True)
class Look:
    """A sweep and its trials as they are at a moment."""

    sweep: Sweep
    entries: list[Entry]
    trials: list[Trial]

    @classmethod
    def at(cls, sweep: Sweep) -> "Look":
        entries = sweep.entries()
        return cls(sweep, entries, [entry.trial() for entry in entries])

    @property
    def active(self) -> list[Entry]:
        """The trials whose runs are queued or trained."""
        pairs = zip(self.entries, self.trials, strict=True)
        return [entry for entry, trial in pairs if trial.state == "active"]


def drive(sweep: Sweep, engine: Engine, report: Callable[[Sweep], None]) -> None:
    """Drive one sweep to its end, and ``report`` it at every look.

    Raises ``ValueError`` where its folder is damaged, or another process drives it.
    """
    with _lock(sweep) as mine:
        if not mine:
            raise ValueError("Another process drives this sweep.")
        counted = time.monotonic()
        while sweep.progress.state == "running":
            time.sleep(INTERVAL)
            counted = _look(sweep, engine, counted)
            report(sweep)


def drive_all(engine: Engine) -> threading.Thread:
    """Drive every unfinished sweep in a thread, which ends when there is none or no engine."""
    thread = threading.Thread(target=_drive_all, args=[engine], daemon=True, name="sweeps")
    thread.start()
    return thread


def _drive_all(engine: Engine) -> None:
    counted: dict[str, float] = {}
    while (unfinished := sweeps.unfinished()) and engine.alive():
        time.sleep(INTERVAL)
        for sweep in unfinished:
            since = counted.setdefault(sweep.id, time.monotonic())
            with suppress(ValueError, OSError), _lock(sweep) as mine:  # damaged or deleted
                if mine:
                    counted[sweep.id] = _look(sweep, engine, since)


@contextmanager
def _lock(sweep: Sweep) -> Iterator[bool]:
    """Whether this process alone drives the sweep; the system frees the lock of one that dies."""
    with (sweep.folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _look(sweep: Sweep, engine: Engine, counted: float) -> float:
    """Do what is due, and tell how the sweep stands, if that has changed.

    ``counted`` is until when, on a monotonic clock, its time has been counted; returns the same.
    """
    before, now = sweep.progress, time.monotonic()
    passed = 0.0 if sweep.wanted == "pause" else now - counted
    seconds = before.seconds + passed
    try:
        progress = step(sweep, engine, seconds)
    except Exception as error:  # dask has many for a scheduler that dies; the next look may do
        progress = Progress(message=reason(error))
        time.sleep(PATIENCE)
    if progress != replace(before, seconds=0.0) or passed >= SAVED:
        sweep.write_progress(replace(progress, seconds=seconds))
        return now
    return counted if passed else now


def step(sweep: Sweep, engine: Engine, seconds: float) -> Progress:
    """Begin and continue what is due now, without waiting for any of it; tells how it stands.

    Raises ``OSError`` when runs cannot be queued or no worker answers, and ``ValueError`` where the
    sweep's folder is damaged.
    """
    plan, wanted = sweep.plan, sweep.wanted
    if wanted == "cancel":
        _stop_all(sweep, engine)
        return Progress("cancelled", message="Cancelled. Its runs are kept.")
    look = Look.at(sweep)
    if wanted == "pause":
        return Progress(message="Paused: no trial begins or goes on.")
    for entry in look.active:
        if entry.interrupted:
            engine.submit(entry.run)
    late = plan.minutes is not None and seconds >= 60 * plan.minutes
    if late:
        _cut_short(look.active)
    if wanted != "stop" and not late:
        look = _fill(look, engine)
    if look.active:
        waits = "Its running trials come to their next rung. " * (late or wanted == "stop")
        return Progress(message=waits.strip())
    return _finals(sweep, look.trials, engine)


def _stop_all(sweep: Sweep, engine: Engine) -> None:
    """End its runs, also where a trial's file is damaged."""
    for kind in get_args(Kind):
        with suppress(ValueError):
            for entry in sweep.entries(kind):
                if entry.state == "active":
                    engine.stop(entry.run)


def _fill(look: Look, engine: Engine) -> Look:
    """Give every idle worker a trial, as successive halving has it."""
    sweep, entries, trials = look.sweep, list(look.entries), list(look.trials)
    plan = sweep.plan
    marks = rungs(plan.base.epochs, plan.promotion)
    more = len(trials) < plan.trials
    for _ in range(engine.workers() + AHEAD - len(look.active)):
        action = next_action(trials, marks, more)
        if isinstance(action, Begin):
            values = engine.suggest(plan.space, plan.base, plan.sampler, plan.seed, trials)
            if values is None:  # every point of the grid has been tried
                more = False
                action = next_action(trials, marks, more)
            else:
                number = len(trials) + 1
                run = sweep.create_run("trial", number, values, action.until)
                entries.append(Entry(number, run, values))
                trials.append(Trial(number, "active", (), values))
                engine.submit(run)
        if isinstance(action, Promote):
            index = action.number - 1
            run = entries[index].run
            run.request_pause(after_epoch=action.until)
            engine.submit(run)
            trials[index] = replace(trials[index], state="active")
        if action is None:
            break
    return Look(sweep, entries, trials)


def _cut_short(active: list[Entry]) -> None:
    """Let the trials pause after the epoch that they are in, for the minutes are over."""
    for entry in active:
        with suppress(ValueError):
            last = entry.run.status.epoch + 1
            after = entry.run.pause_epoch()
            if after is None or after > last:
                entry.run.request_pause(after_epoch=last)


def _finals(sweep: Sweep, trials: list[Trial], engine: Engine) -> Progress:
    """Train the winner in full with several seeds; only these meet the test images."""
    winner = best(trials)
    if winner is None:
        return Progress("finished", message="No trial came to the end of an epoch.")
    finals = sweep.entries("final")
    if finals:  # of a winner that was chosen before, whatever has changed since
        winner = replace(winner, values=finals[0].values)
    for number in range(len(finals) + 1, SEEDS + 1):
        run = sweep.create_run("final", number, dict(winner.values))
        finals.append(Entry(number, run, dict(winner.values)))
        engine.submit(run)
    for entry in finals:
        if entry.interrupted:
            engine.submit(entry.run)
    if any(entry.state == "active" for entry in finals):
        return Progress(message=f"The winner is trained in full with {SEEDS} seeds.")
    return Progress("finished")
