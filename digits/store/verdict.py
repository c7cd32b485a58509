"""Which of two runs, or of two groups of seeds or folds, is better, in a sentence."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from digits.data.datasets import DATASETS
from digits.evaluation.difference import Difference
from digits.evaluation.metrics import mcnemar
from digits.evaluation.seeds import welch
from digits.store import cross_validation
from digits.store.comparison import test_difference, test_labels
from digits.store.run_folder import RESULT, TEST_PROBABILITIES, Run

CHANGING = (RESULT, TEST_PROBABILITIES)  # files on which a verdict depends


def verdict(groups: Sequence[Sequence[Run]], names: Sequence[str]) -> str:
    """Two groups of runs, of which a single run is one, compared; the later is B in "A and B".

    A pair is compared image by image on the test images, groups by the scatter of their runs, and
    those of the same folds also on the images that these validate on. Raises ``ValueError``
    with a sentence where that is impossible or a file is damaged, and as ``datasets.load`` does.
    """
    stamps = tuple(run.file_stamps(*CHANGING) for group in groups for run in group)
    return _verdict(tuple(map(tuple, groups)), tuple(names), stamps)


@lru_cache(maxsize=256)
def _verdict(
    groups: tuple[tuple[Run, ...], ...], names: tuple[str, ...], changed: tuple[object, ...]
) -> str:
    a, b = groups
    names = tuple(f"“{name}”" for name in names)
    results = [[run.result() for run in group] for group in groups]
    if not all(result for group in results for result in group):
        raise ValueError("The verdict comes when each of these runs has a result.")
    if len({DATASETS[run.recipe.dataset].test_images for run in (*a, *b)}) > 1:
        raise ValueError("Accuracies on different test images do not compare.")
    if len(a) == len(b) == 1:
        return _pair(a[0], b[0], *names)
    if min(len(a), len(b)) < 2:
        single = names[0 if len(a) == 1 else 1]
        raise ValueError(f"For a verdict, train {single} with more seeds or folds.")
    accuracies = [np.array([one["test_accuracy"] for one in group if one]) for group in results]
    images = results[0][0]["test_images"] if results[0][0] else 1
    test = welch(accuracies[1], accuracies[0], images).in_words(names[1], names[0])
    if not (validation := cross_validation.difference(b, a)):
        return test
    words = f"{validation.images:,} validation images of {len(b)} folds"
    if not validation.certain:
        return f"No difference that {words} can show. Test accuracy: {test}"
    return f"{_better(validation, words, *names)} Test accuracy: {test}"


def _pair(a: Run, b: Run, name_a: str, name_b: str) -> str:
    y = test_labels(a.recipe.dataset)
    difference = test_difference(b, a)
    correct = [run.test_probabilities().argmax(axis=1) == y for run in (a, b)]
    test = mcnemar(*correct)
    if not difference.certain:
        alone, fewer = test.only_a + test.only_b, min(test.only_a, test.only_b)
        return (
            f"No difference that {len(y):,} test images can show: only one of the two recognizes "
            f"{alone:,} of them, {fewer:,} against {alone - fewer:,} ({test.p_in_words})."
        )
    images, p = f"{len(y):,} test images", f"; McNemar {test.p_in_words}"
    return _better(difference, images, name_a, name_b, p)


def _better(difference: Difference, images: str, name_a: str, name_b: str, p: str = "") -> str:
    """Which one is better on these images, and by how much."""
    better = name_b if difference.share > 0 else name_a
    low, high = sorted((abs(difference.low), abs(difference.high)))
    return (
        f"{better} is better by {100 * abs(difference.share):.2f} points on {images} "
        f"(95% interval {100 * low:.2f} to {100 * high:.2f}{p})."
    )
