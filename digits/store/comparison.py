"""A run compared with the one before it: what was changed, and what that did to its accuracy."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

from digits.data import datasets
from digits.data.datasets import DATASETS, Split
from digits.evaluation.difference import Difference, paired, unpaired
from digits.recipes.differences import differences, in_words_beside
from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.store import runs
from digits.store.run_folder import FINAL, Result, Run

TOLD = 2  # changed settings that are named one by one
LOOKED_AT = 20  # runs that are looked at for one with other settings


def recipe_before(recipe: Recipe, listed: Iterable[Run]) -> Recipe | None:
    """That of the first listed run with other settings: the one that a new run is compared with.

    Runs of a group differ in their seed or fold alone, which counts as no difference. Damaged runs
    are passed over.
    """
    for run in islice(listed, LOOKED_AT):
        with suppress(ValueError):
            before = run.recipe
            if runs.summary(run).group:
                before = replace(before, seed=recipe.seed, validation=recipe.validation)
            if differences(recipe, before):
                return before
    return None


def compare(run: Run, before: Run) -> str:
    """One sentence: the settings that differ, and the accuracies that followed.

    Raises ``ValueError`` when either has no result or a file is damaged, and as ``datasets.load``.
    """
    recipe, recipe_before = run.recipe, before.recipe
    results = run.result(), before.result()
    if not results[0] or not results[1]:
        raise ValueError("Only runs that have a result can be compared.")
    settings = changes(recipe, recipe_before)
    info, info_before = DATASETS[recipe.dataset], DATASETS[recipe_before.dataset]
    if info.test_images != info_before.test_images:
        return f"{settings}: accuracies on different digits do not compare."
    validation, test = (
        _validation(run, before, results[0], results[1]),
        test_difference(run, before),
    )
    if not validation.certain and not test.certain:
        images = f"{validation.images:,} validation and {test.images:,} test images"
        return f"{settings}: no difference that {images} can show."
    accuracies = [
        f"{part} accuracy {difference.in_words()}"
        for part, difference in (("validation", validation), ("test", test))
    ]
    return f"{settings}: {', '.join(accuracies)}."


def better_before(run: Run, before: Run) -> dict[str, Any]:
    """What to set again as the run before had it, if its validation accuracy was certainly higher.

    Empty if not, and where more differs than a sentence tells, or the seed or the digits do. Raises
    as ``compare`` does.
    """
    recipe, recipe_before = run.recipe, before.recipe
    results = run.result(), before.result()
    changed = differences(recipe, recipe_before)
    if (
        len(changed) > TOLD
        or {"seed", "validation", "dataset"} & set(changed)
        or not results[0]
        or not results[1]
    ):
        return {}
    difference = _validation(run, before, results[0], results[1])
    if not difference.certain or difference.share > 0:
        return {}
    return {name: old for name, (_, old) in changed.items()}


def changes(recipe: Recipe, before: Recipe) -> str:
    """What differs, as in "learning rate 0.01 → 0.0002", or "same settings"."""
    changed = differences(recipe, before)
    words = [change_in_words(name, old, new) for name, (new, old) in changed.items()]
    words += ["other first weights"] * (recipe.fork != before.fork)
    more = [f"{len(words) - TOLD} more"] if len(words) > TOLD else []
    return ", ".join([*words[:TOLD], *more]) or "same settings"


def change_in_words(name: str, old: object, new: object) -> str:
    """One setting before and after."""
    described = HYPERPARAMETERS[name]
    if described.parts:
        return f"{in_words_beside(name, old, new)} → {in_words_beside(name, new, old)}"
    label = described.label.split(" (")[0].lower()
    if described.kind is bool:
        return f"{label} {'on' if new else 'off'}"
    return f"{label} {described.display(old).lower()} → {described.display(new).lower()}"


def _validation(run: Run, before: Run, result: Result, result_before: Result) -> Difference:
    """On the same validation images, where both have them, else on each run's own."""
    recipe, recipe_before = run.recipe, before.recipe
    if (recipe.dataset, recipe.split) == (recipe_before.dataset, recipe_before.split):
        both = [val_correct(one) for one in (run, before)]
        if both[0] is not None and both[1] is not None:
            return paired(both[0], both[1])
    counts = []
    for recipe_of, result_of in ((recipe, result), (recipe_before, result_before)):
        images = DATASETS[recipe_of.dataset].val_images
        counts += [round(result_of["val_accuracy"] * images), images]
    return unpaired(*counts)


def val_correct(run: Run) -> np.ndarray | None:
    """Which validation images the final model classifies correctly, (n,) bool, if that is kept."""
    epoch = run.final_epoch()
    if epoch == FINAL:
        return None
    y = _val_labels(run.recipe.dataset, run.recipe.split)
    p = run.val_probabilities(epoch)
    return p.argmax(axis=1) == y if len(p) == len(y) else None


def test_difference(run: Run, before: Run) -> Difference:
    """On the test images, which both share. Raises ``ValueError`` where they do not."""
    y = test_labels(run.recipe.dataset)
    p, p_before = run.test_probabilities(), before.test_probabilities()
    if not len(p) == len(p_before) == len(y):
        raise ValueError("These runs were tested on other images, so they do not compare.")
    return paired(p.argmax(axis=1) == y, p_before.argmax(axis=1) == y)


@lru_cache(maxsize=32)
def _val_labels(dataset: str, split: Split) -> np.ndarray:
    return datasets.load_val(dataset, split)[1]


@lru_cache(maxsize=8)
def test_labels(dataset: str) -> np.ndarray:
    """The labels of the test images: (n,) uint8."""
    return datasets.load_test(dataset)[1]
