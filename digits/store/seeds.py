"""Runs that differ in seed or fold alone, as groups, and the name that such a group shares."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from digits.recipes.recipe import VALIDATION, Recipe
from digits.store import runs
from digits.store.run_folder import Run


def by_seeds(recipes: Mapping[Run, Recipe]) -> list[tuple[Run, ...]]:
    """Groups of runs that differ in seed or fold alone, in the order of their first runs.

    One whose validation images the seed draws is in no group with those of folds.
    """
    members: dict[Recipe, list[Run]] = {}
    for run, recipe in recipes.items():
        alike = replace(recipe, seed=0, validation=VALIDATION[recipe.split.fold > 0])
        members.setdefault(alike, []).append(run)
    return list(map(tuple, members.values()))


def all_have_seeds(recipes: Mapping[Run, Recipe]) -> bool:
    """Whether these are three runs or more, each of a group of two seeds or folds or more."""
    groups = by_seeds(recipes)
    return len(recipes) > 2 and all(len({recipes[run] for run in group}) > 1 for group in groups)


def common_name(group: Sequence[Run]) -> str:
    """The name of the first run, without its seed or fold."""
    return re.sub(r" · (seed|fold) \d+\b", "", runs.summary(group[0]).name)


def siblings(run: Run) -> list[Run]:
    """The runs that were started together with it, itself among them, in order."""
    group = runs.summary(run).group
    return [one for one in reversed(runs.all()) if group and runs.summary(one).group == group]
