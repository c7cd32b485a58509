"""Training curves: smoothed, downsampled, over epochs or seconds, and as a diagnosis wants them."""

import numpy as np

from digits.data.datasets import DATASETS
from digits.evaluation.diagnosis import Curves
from digits.recipes.recipe import Recipe
from digits.recipes.remedies import USUAL_RATES
from digits.recipes.schedule import RateChange, learning_rates
from digits.store import learning_rate
from digits.store.run_folder import Run
from digits.store.status import DONE, INFINITE


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


def for_diagnosis(run: Run) -> Curves:
    """A run's curves with what it takes to judge them.

    Raises ``ValueError`` when a file of the run is damaged.
    """
    status = run.status
    infinite = status.state == "failed" and status.message.startswith(INFINITE)
    return judged(
        run.recipe,
        run.step_metrics(),
        run.epoch_metrics(),
        steps=status.steps,
        changes=learning_rate.changes(run),
        ended=status.state in DONE,
        infinite=infinite,
    )


def judged(
    recipe: Recipe,
    batches: dict[str, np.ndarray],
    ends: dict[str, np.ndarray],
    *,
    steps: int,
    changes: tuple[RateChange, ...] = (),
    ended: bool = True,
    infinite: bool = False,
) -> Curves:
    """The same from the metrics of each batch and of each epoch; ``steps`` are of all epochs."""
    harder = {"dropout": recipe.dropout or recipe.conv_dropout, "augmentation": recipe.augments}
    return Curves(
        loss=batches["loss"],
        accuracy=batches["accuracy"],
        train_loss=ends["loss"],
        train_accuracy=ends["accuracy"],
        val_loss=ends["val_loss"],
        val_accuracy=ends["val_accuracy"],
        rates=learning_rates(recipe, max(steps, len(batches["loss"])), changes),
        relative_rate=recipe.learning_rate / USUAL_RATES[recipe.optimizer],
        val_images=DATASETS[recipe.dataset].val_images,
        harder=" and ".join(word for word, there in harder.items() if there),
        ended=ended,
        infinite=infinite,
    )
