"""The learning rate of every step, for the preview and for training."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digits.recipes.halving import rungs
from digits.recipes.recipe import Recipe


@dataclass(frozen=True)
class RateChange:
    """A new peak of the schedule while a run trains, from ``step`` on, counted from 0."""

    step: int
    learning_rate: float


def learning_rates(recipe: Recipe, steps: int, changes: Iterable[RateChange] = ()) -> np.ndarray:
    """The learning rate of each of ``steps`` training steps: (steps,) float32.

    A change scales what is left of the schedule, as if it had had that peak from the start.
    ``one-cycle`` climbs for 30 % of the steps from 1/25 of the peak and falls to 1/10,000 of
    that, both along a cosine. Source: Smith & Topin 2018; the shares are PyTorch's defaults.
    With ``restarts`` the schedule is run through anew until each rung of successive halving, so
    that the rate is low there. Source: Loshchilov & Hutter 2017.
    """
    peak = np.full(steps, recipe.learning_rate)
    for change in changes:
        peak[change.step :] = change.learning_rate
    t = np.concatenate(  # 0 at the first step of a cycle, 1 at its last
        [np.arange(length) / max(1, length - 1) for length in cycles(recipe, steps)]
    )
    if recipe.schedule == "cosine":
        rates = peak * (1 + np.cos(np.pi * t)) / 2
    elif recipe.schedule == "one-cycle":
        start, end, turn = peak / 25, peak / 25 / 1e4, 0.3
        up = start + (peak - start) * (1 - np.cos(np.pi * t / turn)) / 2
        down = end + (peak - end) * (1 + np.cos(np.pi * (t - turn) / (1 - turn))) / 2
        rates = np.where(t < turn, up, down)
    else:
        rates = peak
    return rates.astype(np.float32)


def cycles(recipe: Recipe, steps: int) -> list[int]:
    """How many of ``steps`` training steps each run through the schedule has."""
    ends = [end * steps // recipe.epochs for end in rungs(recipe.epochs, recipe.restarts)]
    return [end - begin for begin, end in pairwise([0, *ends])]
