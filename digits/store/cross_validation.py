"""Runs of several folds as one: each image is judged by the run that did not learn it."""

from collections.abc import Sequence

import numpy as np

from digits.data.datasets import FOLDS, Split
from digits.evaluation.difference import Difference, paired
from digits.evaluation.metrics import wilson_interval
from digits.recipes.layers import NUM_CLASSES
from digits.store.comparison import val_correct
from digits.store.run_folder import FINAL, Run
from digits.store.seeds import siblings


def in_words(group: Sequence[Run]) -> str:
    """One sentence of the accuracy on the validation images of a group's folds; "" without any.

    Raises as ``difference`` does.
    """
    if not (by_fold := _by_fold(group)):
        return ""
    correct = np.concatenate([*by_fold.values()])
    low, high = wilson_interval(int(correct.sum()), len(correct))
    return (
        f"Cross-validated accuracy {correct.mean():.2%} (95% interval {low:.2%} to {high:.2%}): "
        f"{len(correct):,} images of {len(by_fold)} folds, each judged by the run that did not "
        "learn it."
    )


def difference(group: Sequence[Run], before: Sequence[Run]) -> Difference | None:
    """How far apart two groups lie on the validation images of the folds that both have.

    ``None`` where they do not have the same ones. Raises ``ValueError`` when a file is damaged, and
    as ``datasets.load`` does.
    """
    by_fold, by_fold_before = _by_fold(group), _by_fold(before)
    if not by_fold or by_fold.keys() != by_fold_before.keys():
        return None
    pairs = [(correct, by_fold_before[fold]) for fold, correct in by_fold.items()]
    correct, correct_before = map(np.concatenate, zip(*pairs, strict=True))
    return paired(correct, correct_before)


def run_of_fold(run: Run, fold: int) -> Run:
    """The run of that fold among those that were started together with ``run``.

    Raises ``ValueError`` where one of the folds has no run with a result.
    """
    return _judges(run)[fold]


def out_of_fold(run: Run, folds: np.ndarray) -> np.ndarray:
    """Probabilities (n, 10) float16 of all images, each by the run that did not learn it.

    ``folds``, (n,), are theirs. Raises ``ValueError`` as ``run_of_fold`` does, where a run was
    stopped within an epoch, and where a file is damaged.
    """
    probabilities = np.empty((len(folds), NUM_CLASSES), np.float16)
    for fold, one in _judges(run).items():
        if (epoch := one.final_epoch()) == FINAL:
            raise _missing(fold)
        p = one.val_probabilities(epoch)
        if len(p) != (folds == fold).sum():
            raise ValueError("The data set has changed since these runs were trained.")
        probabilities[folds == fold] = p
    return probabilities


def _judges(run: Run) -> dict[int, Run]:
    """The runs that were started together with ``run``, by the fold that each validates on."""
    finished = {one.recipe.split.fold: one for one in siblings(run) if one.result()}
    for fold in range(1, FOLDS + 1):
        if fold not in finished:
            raise _missing(fold)
    return finished


def _missing(fold: int) -> ValueError:
    return ValueError(
        f"No run of this recipe is finished that validates on fold {fold}. *{FOLDS} folds*, "
        "beside *Train*, trains one for each; then every training image is judged by the run "
        "that did not learn it."
    )


def _by_fold(group: Sequence[Run]) -> dict[tuple[str, Split], np.ndarray]:
    """Which images of its fold each run's final model classifies correctly: (n,) bool by fold.

    Empty unless these are two runs or more, each with a result and of a fold of its own.
    """
    recipes = [run.recipe for run in group]
    folds = [(recipe.dataset, recipe.split) for recipe in recipes if recipe.split.fold]
    if not len({*folds}) == len(group) > 1 or not all(run.result() for run in group):
        return {}
    by_fold = {}
    for fold, run in zip(folds, group, strict=True):
        if (correct := val_correct(run)) is None:
            return {}
        by_fold[fold] = correct
    return by_fold
