"""Runs read as one model: an ensemble, whose probabilities are the mean of theirs."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from digits.store.comparison import test_labels
from digits.store.run_folder import RESULT, TEST_PROBABILITIES, Run


def ensemble_accuracy(group: Sequence[Run]) -> float | None:
    """The share of test images that these runs, read as one model, classify correctly.

    ``None`` before two of them have a result, and where not all were tested on the same images.
    Raises ``ValueError`` when a file is damaged, and as ``datasets.load`` does.
    """
    stamps = tuple(run.file_stamps(RESULT, TEST_PROBABILITIES) for run in group)
    return _accuracy(tuple(group), stamps)


@lru_cache(maxsize=256)
def _accuracy(group: tuple[Run, ...], changed: tuple[object, ...]) -> float | None:
    tested = [run for run in group if run.result()]
    recipes = [run.recipe for run in tested]
    if len(tested) < 2 or len({recipe.dataset for recipe in recipes}) > 1:
        return None
    y = test_labels(recipes[0].dataset)
    p = [run.test_probabilities() for run in tested]
    if any(len(each) != len(y) for each in p):
        return None
    return float((np.mean(p, axis=0).argmax(axis=1) == y).mean())
