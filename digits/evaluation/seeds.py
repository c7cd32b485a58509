"""Several runs of one recipe: means with their range, and how far two such groups lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POINTS = 100  # of a mean curve whose runs were not measured at the same places
ANGLES = 20_001


@dataclass(frozen=True)
class Band:
    """The mean of several curves at the places ``x``, and their range: four (points,) arrays."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class GroupDifference:
    """Mean accuracy of ``runs`` runs minus that of ``runs_before``, with its 95 % interval."""

    share: float
    half: float  # half the width of the interval
    runs: int
    runs_before: int

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out 0."""
        return abs(self.share) > self.half

    def in_words(self, name: str, before: str) -> str:
        """One sentence, as in "B is better by 0.12 ± 0.05 points; 3 runs each."."""
        same = self.runs == self.runs_before
        runs = f"{self.runs} runs" + (" each" if same else f" against {self.runs_before}")
        amount = f"{100 * abs(self.share):.2f} ± {100 * self.half:.2f} points"
        if self.certain:
            return f"{name if self.share > 0 else before} is better by {amount}; {runs}."
        runs = f"{self.runs} runs" + ("" if same else f" against {self.runs_before}")
        return f"No difference that {runs} can show ({amount})."


def band(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> Band | None:
    """The band of curves, x and y each, over the places that all of them have.

    ``None`` where there is no such place.
    """
    if not curves or not all(len(x) for x, _ in curves):
        return None
    start, end = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    places = curves[0][0]
    if any(not np.isin(places[places <= end], x).all() for x, _ in curves):
        places = np.linspace(start, end, POINTS)
    places = places[(places >= start) & (places <= end)]
    if not len(places):
        return None
    values = np.stack([np.interp(places, x, y) for x, y in curves])
    return Band(places, values.mean(axis=0), values.min(axis=0), values.max(axis=0))


def mean_in_words(accuracies: Sequence[float]) -> str:
    """One sentence of the test accuracies, in [0, 1], of a group of seeds: their mean and range."""
    mean, low, high = sum(accuracies) / len(accuracies), min(accuracies), max(accuracies)
    return f"Test accuracy {mean:.2%}, mean of {len(accuracies)}, from {low:.2%} to {high:.2%}."


def welch(accuracies: np.ndarray, before: np.ndarray, images: int) -> GroupDifference:
    """Compare the accuracies, in [0, 1], of two groups of seeds on the same ``images``.

    The groups may differ in size and in how much their runs scatter. They are not paired by seed:
    a seed makes other weights and another order where a setting differs. An accuracy is a multiple
    of 1/``images``, so no group scatters less than this rounding does. Raises ``ValueError`` for a
    group of fewer than two.
    Source: Welch 1947, The generalization of "Student's" problem when several different population
    variances are involved (Biometrika 34).
    """
    groups = accuracies, before
    if min(map(len, groups)) < 2:
        raise ValueError("A comparison of seeds needs two or more on each side.")
    rounding = 1 / (12 * images**2)
    parts = [max(float(group.var(ddof=1)), rounding) / len(group) for group in groups]
    variance = sum(parts)
    spread = sum(part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
    half = student_quantile(variance**2 / spread) * variance**0.5
    difference = float(accuracies.mean() - before.mean())
    return GroupDifference(difference, half, len(accuracies), len(before))


def student_quantile(freedom: float, share: float = 0.975) -> float:
    """The quantile of Student's t distribution of so many degrees of freedom, at least 1.

    With t = √freedom · tan(angle) the density is a power of the cosine, which is summed up.
    """
    angles = np.linspace(-np.pi / 2, np.pi / 2, ANGLES)
    density = np.cos(angles).clip(0) ** (freedom - 1)
    sums = np.cumsum(np.append(0.0, (density[1:] + density[:-1]) / 2))
    return float(np.sqrt(freedom) * np.tan(np.interp(share * sums[-1], sums, angles)))
