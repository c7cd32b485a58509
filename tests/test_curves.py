"""Smoothing and thinning of curves."""

import numpy as np
import pytest

from digits.curves import smooth, thin


def test_smoothing_is_the_mean_of_the_last_few_values() -> None:
    values = np.array([4.0, 2.0, 6.0, 0.0])
    assert smooth(values, 2).tolist() == [4, 3, 4, 3]
    assert smooth(values, 1).tolist() == values.tolist()
    assert smooth(np.empty(0), 5).tolist() == []


@pytest.mark.parametrize("n", [1, 2, 399, 400, 401, 5000])
def test_thinning_keeps_both_ends_and_bounds_the_number(n: int) -> None:
    chosen = thin(n, most=400)
    assert len(chosen) == min(n, 400)
    assert (chosen[0], chosen[-1]) == (0, n - 1)
    assert (np.diff(chosen) > 0).all()


def test_nothing_can_be_thinned() -> None:
    assert thin(0).tolist() == []
