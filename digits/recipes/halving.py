"""Asynchronous successive halving with promotion: how long each trial of a sweep is trained.

A trial pauses at each rung, after 1, 3, 9, 27 … epochs. Whenever a worker is idle, the best paused
trial of a rung's top third goes on to the next one; where there is none, a new trial begins. It is
a pure function of what the trials have reached, so that nothing is lost when the process that asks
it dies. Source: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ETA = 3  # of a rung's trials one goes on, for this many times the epochs

State = Literal["active", "paused", "ended", "failed"]


@dataclass(frozen=True)
class Trial:
    """What a sweep knows of one trial.

    It is "active" while its run is queued or trained, and "ended" after its last epoch, or when a
    visitor stopped it. ``accuracies`` are those on the validation images after each epoch. One that
    has "failed", as when its loss became infinite, counts as accuracy 0.
    """

    number: int  # from 1
    state: State
    accuracies: tuple[float, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        return len(self.accuracies)

    @property
    def accuracy(self) -> float:
        """On the validation images after the last epoch."""
        return self.accuracies[-1] if self.accuracies and self.state != "failed" else 0.0


@dataclass(frozen=True)
class Promote:
    """Let a paused trial go on until it has done so many epochs."""

    number: int
    until: int


@dataclass(frozen=True)
class Begin:
    """Begin a new trial, for so many epochs."""

    until: int


def rungs(epochs: int, promotion: bool = True) -> tuple[int, ...]:
    """The epochs after which trials are compared, the last of which is a whole run's.

    Without ``promotion`` every trial is trained in full.
    """
    marks = [1]
    while marks[-1] * ETA < epochs:
        marks.append(marks[-1] * ETA)
    return tuple(dict.fromkeys([*marks, epochs])) if promotion else (epochs,)


def expected_trials(trials: int, marks: tuple[int, ...]) -> tuple[int, ...]:
    """How many trials are trained until each rung, about: all until the first, a third further."""
    return tuple(max(1, trials // ETA**further) for further in range(len(marks)))


def expected_epochs(trials: int, marks: tuple[int, ...]) -> int:
    """The epochs of a whole sweep, about."""
    counts = expected_trials(trials, marks)
    steps = zip(counts, marks, (0, *marks), strict=False)
    return sum(count * (mark - before) for count, mark, before in steps)


def next_action(
    trials: Sequence[Trial], marks: tuple[int, ...], more: bool
) -> Promote | Begin | None:
    """What an idle worker should do; ``None`` is nothing until another trial has reached a rung.

    ``more`` says whether new trials may begin. When none may and none is active, the best of a
    rung goes on even if a third of the rung is less than one, so that one trial is trained in full.
    """
    waiting = any(trial.state == "active" for trial in trials)
    for before, rung, until in reversed(list(zip((0, *marks), marks, marks[1:], strict=False))):
        reached = [trial for trial in trials if _reached(trial, rung, before)]
        places = len(reached) // ETA
        if not places and not more and not waiting:
            places = 1
        best = sorted(reached, key=lambda trial: _rank(trial, rung))[:places]
        for trial in best:
            if trial.state == "paused" and trial.epochs < until:
                return Promote(trial.number, until)
    return Begin(marks[0]) if more else None


def best(trials: Iterable[Trial]) -> Trial | None:
    """The trial of the highest validation accuracy; of equals, the one with more epochs."""
    compared = [trial for trial in trials if trial.accuracies and trial.state != "failed"]
    return max(
        compared, key=lambda trial: (trial.accuracy, trial.epochs, -trial.number), default=None
    )


def _reached(trial: Trial, rung: int, before: int) -> bool:
    """Whether it counts on a rung; one that failed does on the rung that it was to reach."""
    return trial.epochs >= rung or (trial.state == "failed" and trial.epochs >= before)


def _rank(trial: Trial, rung: int) -> tuple[float, int]:
    accuracy = 0.0 if trial.state == "failed" else trial.accuracies[rung - 1]
    return -accuracy, trial.number
