"""Training curves: smoothed, downsampled, over epochs or seconds."""

import numpy as np

from digits.store.run_folder import Run


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
    """A run's curve for comparison: x in epochs, or in seconds of training, and y.

    A training metric is smoothed and downsampled; a validation metric has a point an epoch. Over
    seconds a curve ends with the last whole epoch, since only these are timed. Raises
    ``ValueError`` when a file of the run is damaged.
    """
    ends, status = run.epoch_metrics(), run.status
    epochs = np.insert(ends["epoch"], 0, 0.0)
    elapsed = np.insert(np.cumsum(ends["seconds"]), 0, 0.0)
    if metric.startswith("val_"):
        x, y = ends["epoch"], ends[metric]
    else:
        steps = run.step_metrics()
        points = downsample(len(steps["step"]), 200)
        x = (steps["step"] * status.epochs / max(1, status.steps))[points]
        y = smooth(steps[metric], smoothing_window(len(steps["step"])))[points]
    if seconds:
        timed = x <= epochs[-1]
        x, y = np.interp(x[timed], epochs, elapsed), y[timed]
    return x, y
