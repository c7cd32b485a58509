"""A sweep's trials as the views draw them, with what each has cost."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from digits.recipes.halving import Trial, rungs
from digits.recipes.layers import count_parameters
from digits.recipes.space import Space, describe
from digits.store.run_folder import EPOCHS, Run, val_probabilities_file
from digits.store.sweeps import Sweep
from widgets.shared.format import chart_text

ACCURACY = "Validation accuracy"


@dataclass(frozen=True)
class Tried:
    """A trial, its run, and what it cost so far."""

    run: Run
    trial: Trial
    seconds: float
    ends: tuple[int, ...]  # when each epoch was over: time stamps
    parameters: int

    @property
    def label(self) -> str:
        return chart_text(f"{self.trial.number}: {describe(dict(self.trial.values))}")


@dataclass(frozen=True)
class Shown:
    """What the views draw."""

    sweep: str  # its id
    space: Space
    marks: tuple[int, ...]  # the rungs
    tried: list[Tried]

    @property
    def told(self) -> list[Tried]:
        """The trials that have a validation accuracy."""
        return [tried for tried in self.tried if tried.trial.accuracies]


def read(sweep: Sweep) -> Shown:
    """What the folders of the sweep and its runs say. Raises ``ValueError`` for damaged ones."""
    plan, tried = sweep.plan, []
    for entry in sweep.entries():
        trial = entry.trial()
        tried.append(
            Tried(
                entry.run,
                trial,
                *_costs(entry.run, trial.epochs, entry.run.file_stamps(EPOCHS)),
                count_parameters(plan.recipe(dict(entry.values))),
            )
        )
    return Shown(sweep.id, plan.space, rungs(plan.base.epochs, plan.promotion), tried)


@lru_cache(maxsize=4096)
def _costs(run: Run, epochs: int, stamps: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
    """Seconds of training, and when each epoch was over, as time stamps."""
    try:
        seconds = float(run.epoch_metrics()["seconds"].sum())
    except ValueError:
        seconds = 0.0
    ends = run.file_stamps(*(val_probabilities_file(epoch + 1) for epoch in range(epochs)))
    return seconds, ends[::2]


def last_accuracies(told: list[Tried]) -> np.ndarray:
    """The validation accuracy of each trial: (trials,) float64."""
    return np.array([one.trial.accuracy for one in told])
