"""Groups of seeds: mean curves, and a difference with its interval."""

import numpy as np
import pytest
from scipy import stats

from digits.evaluation.seeds import band, student_quantile, welch

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("freedom", [1, 1.3, 2, 4, 7.7, 30, 500])
def test_the_quantile_is_students(freedom: float) -> None:
    assert student_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-4)


def test_the_interval_is_welchs() -> None:
    a, b = RANDOM.normal(0.99, 0.001, 3), RANDOM.normal(0.98, 0.004, 5)
    difference = welch(a, b, 10_000)
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert difference.share - difference.half == pytest.approx(interval.low, rel=1e-3)
    assert difference.share + difference.half == pytest.approx(interval.high, rel=1e-3)


def test_two_groups_of_the_same_recipe_rarely_differ() -> None:
    groups = RANDOM.normal(0.99, 0.001, (2_000, 2, 3))
    found = [welch(a, b, 10_000).certain for a, b in groups]
    assert 0.01 < np.mean(found) < 0.07


def test_a_difference_reads_as_a_sentence() -> None:
    low, high = np.array([0.980, 0.981, 0.982]), np.array([0.990, 0.991, 0.992])
    told = welch(high, low, 1_000).in_words("B", "A")
    assert told == "B is better by 1.00 ± 0.23 points; 3 runs each."
    assert welch(low, high, 1_000).in_words("B", "A").startswith("A is better by 1.00")
    none = welch(low[:2], low, 1_000).in_words("B", "A")
    assert none.startswith("No difference that 2 runs against 3 can show (0.05 ± ")


def test_equal_accuracies_are_no_certainty() -> None:
    same = np.full(3, 0.99)
    assert not welch(same + 1 / 30_000, same, 10_000).certain
    with pytest.raises(ValueError, match="two or more"):
        welch(same, same[:1], 100)


def test_a_band_holds_what_all_curves_have() -> None:
    x = np.array([1.0, 2, 3])
    found = band([(x, np.array([1.0, 2, 3])), (x[:2], np.array([3.0, 2]))])
    assert found
    assert found.x.tolist() == [1, 2]
    assert (found.mean.tolist(), found.low.tolist()) == ([2, 2], [1, 2])
    assert found.high.tolist() == [3, 2]


def test_curves_measured_at_different_places_are_interpolated() -> None:
    x = np.linspace(0, 10, 11)
    found = band([(x, x), (x[1:] + 0.5, x[1:] + 0.5)])
    assert found
    assert (found.x[0], found.x[-1]) == (1.5, 10)
    assert found.mean == pytest.approx(found.x)
    assert band([(x, x), (x[:0], x[:0])]) is None
    assert band([(x[:3], x[:3]), (x[5:], x[5:])]) is None
