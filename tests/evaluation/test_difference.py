"""Differences of accuracies: against Newcombe's published interval, and what chance alone does."""

import numpy as np
import pytest

from digits.evaluation.difference import paired, unpaired


def test_the_unpaired_interval_is_newcombes() -> None:
    """Table II of Newcombe 1998, example a, method 10: 56/70 against 48/80."""
    difference = unpaired(56, 70, 48, 80)
    assert difference.share == pytest.approx(0.2)
    assert (difference.low, difference.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert difference.certain


def test_a_difference_reads_with_its_interval_or_as_none_that_the_images_can_show() -> None:
    assert unpaired(5820, 6000, 5952, 6000).in_words() == (
        "2.2 points lower (95% interval 1.7 to 2.7)"
    )
    assert unpaired(5950, 6000, 5952, 6000).in_words() == (
        "no different as far as 6,000 images can show"
    )


def test_the_same_images_show_smaller_differences_than_others_do() -> None:
    before = np.arange(6000) >= 60  # 99.0 %
    now = np.arange(6000) >= 45  # the same, and a quarter of its mistakes mended
    assert paired(now, before).certain
    assert paired(now, before).in_words().startswith("0.25 points higher")
    assert paired(before, now).share == -paired(now, before).share
    assert not unpaired(int(now.sum()), 6000, int(before.sum()), 6000).certain
    assert not paired(now, now).certain


def test_nineteen_of_twenty_intervals_hold_the_true_difference() -> None:
    rng = np.random.default_rng(1)
    held = []
    for _ in range(400):
        easy, luck = rng.random(1000) < 0.85, rng.random((2, 1000))
        difference = paired(easy | (luck[0] < 0.6), easy | (luck[1] < 0.4))  # 94 and 91 %
        held.append(difference.low <= 0.03 <= difference.high)
    assert 0.92 < np.mean(held) < 0.98


def test_of_equal_models_one_in_twenty_seems_different_at_most() -> None:
    rng = np.random.default_rng(0)
    draws = [[rng.random(1000) < 0.95 for _ in range(2)] for _ in range(500)]
    assert np.mean([paired(*pair).certain for pair in draws]) < 0.06
    counts = [[int(draw.sum()) for draw in pair] for pair in draws]
    assert np.mean([unpaired(a, 1000, b, 1000).certain for a, b in counts]) < 0.07
