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

    Only images that exactly one model classifies correctly count, as in McNemar's test, which also
    says whether there is a difference. The interval is Wilson's of their split.
    """
    test = mcnemar(correct, correct_before)
    decided = test.only_a + test.only_b
    if not decided:
        return Difference(0.0, 0.0, 0.0, test.images, certain=False)
    least, most = (
        (2 * share - 1) * decided / test.images for share in wilson_interval(test.only_a, decided)
    )
    share = (test.only_a - test.only_b) / test.images
    certain = test.p < 0.05 and (least > 0 or most < 0)
    return Difference(share, least, most, test.images, certain=certain)


def _points(share: float) -> str:
    """Percentage points; two decimals where one would say nothing."""
    return f"{100 * share:.1f}" if share >= 0.005 else f"{100 * share:.2f}"
