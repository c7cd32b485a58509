"""How far two models' accuracies lie apart, with the interval that the images leave open."""

from dataclasses import dataclass

import numpy as np

from digits.evaluation.metrics import mcnemar, wilson_interval


@dataclass(frozen=True)
class Difference:
    """An accuracy minus an earlier one: a share, with its 95 % interval from ``low`` to ``high``.

    ``images`` is the smaller number of those that either model was tested on.
    """

    share: float
    low: float
    high: float
    images: int
    certain: bool  # whether chance alone would rarely make one as large

    def in_words(self) -> str:
        """As in "2.2 points lower (95% interval 1.7 to 2.7)"."""
        if not self.certain:
            return f"no different as far as {self.images:,} images can show"
        low, high = sorted((abs(self.low), abs(self.high)))
        way = "higher" if self.share > 0 else "lower"
        return (
            f"{_points(abs(self.share))} points {way} "
            f"(95% interval {_points(low)} to {_points(high)})"
        )


def unpaired(correct: int, total: int, correct_before: int, total_before: int) -> Difference:
    """The difference of two accuracies on different images.

    Raises ``ValueError`` when a total is not positive.
    Source: Newcombe 1998, Interval estimation for the difference between independent proportions,
    method 10.
    """
    share, before = correct / max(1, total), correct_before / max(1, total_before)
    low, high = wilson_interval(correct, total)
    low_before, high_before = wilson_interval(correct_before, total_before)
    difference = share - before
    least = difference - np.hypot(share - low, high_before - before)
    most = difference + np.hypot(high - share, before - low_before)
    certain = bool(least > 0 or most < 0)
    return Difference(
        difference, float(least), float(most), min(total, total_before), certain=certain
    )


def paired(correct: np.ndarray, correct_before: np.ndarray) -> Difference:
    """The difference on the same images: (n,) bool each, in the same order.

    There is one where McNemar's test says so and the interval leaves out 0.
    Source: Newcombe 1998, Improved confidence intervals for the difference between binomial
    proportions based on paired data, method 10.
    """
    test, n = mcnemar(correct, correct_before), len(correct)
    sums = int(correct.sum()), int(correct_before.sum())
    (low, high), (low_before, high_before) = (wilson_interval(k, n) for k in sums)
    share, before = (k / n for k in sums)
    down, up = share - low, high - share
    down_before, up_before = before - low_before, high_before - before
    phi = _correlation(int((correct & correct_before).sum()), test.only_a, test.only_b, n)
    least = share - before - np.sqrt(down**2 - 2 * phi * down * up_before + up_before**2)
    most = share - before + np.sqrt(up**2 - 2 * phi * up * down_before + down_before**2)
    certain = bool(test.p < 0.05 and (least > 0 or most < 0))
    return Difference(share - before, float(least), float(most), n, certain=certain)


def _correlation(both: int, only_a: int, only_b: int, n: int) -> float:
    """That of two models' correct answers, from a table of 2 × 2, corrected as Newcombe does."""
    neither = n - both - only_a - only_b
    product = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    tilt = both * neither - only_a * only_b
    if tilt > 0:
        tilt = max(tilt - n // 2, 0)
    return tilt / product**0.5 if product else 0.0


def _points(share: float) -> str:
    """Percentage points; two decimals where one would say nothing."""
    return f"{100 * share:.1f}" if share >= 0.005 else f"{100 * share:.2f}"
