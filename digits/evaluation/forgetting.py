"""Learning and forgetting events of each image over the epochs."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LearningEvents:
    """Three arrays of (n,), one entry for each image.

    ``learned_epoch`` (int64) is the epoch, counted from 1, from which the image is classified
    correctly until the end; 0 where it is misclassified at the end. ``forgetting_events`` (int64)
    counts how often it is correct after one epoch and misclassified after the next.
    ``never_learned`` (bool) marks images that are correct after no epoch.
    """

    learned_epoch: np.ndarray
    forgetting_events: np.ndarray
    never_learned: np.ndarray


def learning_events(y_true: np.ndarray, y_pred: np.ndarray) -> LearningEvents:
    """Count learning and forgetting events: labels (n,) and predictions (epochs, n), integers.

    Source: Toneva et al. 2019, An empirical study of example forgetting during deep neural
    network learning (ICLR). The paper looks at an image whenever it is in a batch; this function
    looks once an epoch.
    """
    correct = y_pred == y_true
    final_streak = np.logical_and.accumulate(correct[::-1]).sum(axis=0)  # (n,) epochs
    return LearningEvents(
        learned_epoch=np.where(final_streak > 0, len(correct) - final_streak + 1, 0),
        forgetting_events=(correct[:-1] & ~correct[1:]).sum(axis=0),
        never_learned=~correct.any(axis=0),
    )
