"""What became of each image through the epochs: when it was learned, how often forgotten."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LearningEvents:
    """Three arrays of (n,), one entry for each image.

    ``learned`` (int64) is the epoch, counted from 1, from which the image was right until the
    end; 0 where it was wrong at the end. ``forgotten`` (int64) counts how often it was right in
    one epoch and wrong in the next. ``never`` (bool): right in no epoch.
    """

    learned: np.ndarray
    forgotten: np.ndarray
    never: np.ndarray


def learning_events(y_true: np.ndarray, y_pred: np.ndarray) -> LearningEvents:
    """Follow images through training: labels (n,) and predictions (epochs, n), integers.

    Source: Toneva et al. 2019, An empirical study of example forgetting during deep neural
    network learning; that counts at every batch that has the image in it, this at every epoch.
    """
    right = y_pred == y_true
    held = np.logical_and.accumulate(right[::-1]).sum(axis=0)  # last epochs without a mistake
    return LearningEvents(
        learned=np.where(held > 0, len(right) - held + 1, 0),
        forgotten=(right[:-1] & ~right[1:]).sum(axis=0),
        never=~right.any(axis=0),
    )
