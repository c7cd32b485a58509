"""Makes long, noisy curves fit to look at."""

import numpy as np

from digits.store.runs import Run


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of each value and up to ``window - 1`` before it: (n,) to (n,)."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def smoothing_window(n: int) -> int:
    """How many of ``n`` batches to smooth over: a twentieth of them, 100 at most."""
    return max(1, min(100, n // 20))


def downsample(n: int, most: int = 400) -> np.ndarray:
    """Indices of at most ``most`` of ``n`` points, evenly spread, the last one always in."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(int)


def curve(run: Run, metric: str, *, seconds: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A run's curve to lay over those of others: x in epochs, or seconds of training, and y.

    A training metric is smoothed and thinned; one of validation has a point an epoch. Over
    seconds a curve ends with the last whole epoch, since only these are timed. Raises
    ``ValueError`` when a file of the run is damaged.
    """
    ends, status = run.epoch_metrics(), run.status
    done = np.insert(ends["epoch"], 0, 0.0)
    clock = np.insert(np.cumsum(ends["seconds"]), 0, 0.0)
    if metric.startswith("val_"):
        x, y = ends["epoch"], ends[metric]
    else:
        steps = run.step_metrics()
        shown = downsample(len(steps["step"]), 200)
        x = (steps["step"] * status.epochs / max(1, status.steps))[shown]
        y = smooth(steps[metric], smoothing_window(len(steps["step"])))[shown]
    if seconds:
        timed = x <= done[-1]
        x, y = np.interp(x[timed], done, clock), y[timed]
    return x, y
