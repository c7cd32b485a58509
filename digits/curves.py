"""Makes long, noisy curves fit to look at."""

import numpy as np


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of each value and up to ``window - 1`` before it: (n,) to (n,)."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def thin(n: int, most: int = 400) -> np.ndarray:
    """Indices of at most ``most`` of ``n`` points, evenly spread, the last one always in."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(int)
