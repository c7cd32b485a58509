"""The ticked runs as groups, such as a recipe's seeds or folds; a single run is a group, too."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import streamlit as st

from digits.recipes.differences import in_words
from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.seeds import all_have_seeds, by_seeds, common_name
from widgets.shared.plot import run_color

EACH, SEEDS = "each", "seeds"
KEY = "runs-group"


@dataclass(frozen=True)
class Group:
    """Runs that are compared as one, the name of them all, and their color."""

    name: str
    runs: tuple[Run, ...]
    color: str


def choose_groups(ticked: Sequence[Run]) -> list[Group]:
    """Let the visitor group three runs or more, by seeds and folds or by a setting.

    They are grouped by seeds and folds from the start where each of them has others to go with.
    Runs whose recipe is damaged are left out of groups.
    """
    recipes = _recipes(ticked)
    options = [EACH, SEEDS, *_differing(list(recipes.values()))]
    if len(recipes) < 3:
        return grouped(recipes, EACH, ticked)
    if st.session_state.get(KEY) not in options:
        st.session_state[KEY] = SEEDS if all_have_seeds(recipes) else EACH
    by = st.selectbox(
        "Group by",
        options,
        format_func=_in_words,
        key=KEY,
        width=260,
        label_visibility="collapsed",
        help="Runs of a group are shown as their mean and range.",
    )
    return grouped(recipes, by, ticked)


def grouped(recipes: dict[Run, Recipe], by: str, ticked: Sequence[Run]) -> list[Group]:
    """Groups in the order of their first runs: by ``EACH``, ``SEEDS`` or a hyperparameter."""
    if by == EACH:
        return _colored([(_label(run), [run]) for run in ticked])
    if by == SEEDS:
        return _colored([(_name(of_group), of_group) for of_group in by_seeds(recipes)])
    members: dict[Hashable, list[Run]] = {}
    for run, recipe in recipes.items():
        members.setdefault(getattr(recipe, by), []).append(run)
    return _colored([(in_words(by, value), of_group) for value, of_group in members.items()])


def _colored(named: Sequence[tuple[str, Sequence[Run]]]) -> list[Group]:
    """Groups, each in the color of its first run, or of one whose color no group before has."""
    groups: list[Group] = []
    for name, of_group in named:
        taken = [group.color for group in groups]
        colors = list(map(run_color, of_group))
        color = next((color for color in colors if color not in taken), colors[0])
        groups.append(Group(name, tuple(of_group), color))
    return groups


def _name(of_group: Sequence[Run]) -> str:
    return _label(of_group[0]) if len(of_group) == 1 else common_name(of_group)


def _in_words(option: str) -> str:
    if option == EACH:
        return "Each run alone"
    if option == SEEDS:
        return "Group seeds and folds"
    label = HYPERPARAMETERS[option].label
    return f"Group by {label[0].lower()}{label[1:]}"


def _recipes(ticked: Sequence[Run]) -> dict[Run, Recipe]:
    recipes = {}
    for run in ticked:
        try:
            recipes[run] = run.recipe
        except ValueError:
            continue  # told where it is shown alone
    return recipes


def _differing(recipes: list[Recipe]) -> list[str]:
    """The hyperparameters of which there is more than one value, but not one for each recipe."""
    names = [name for name in HYPERPARAMETERS if name not in ("seed", "validation")]
    return [n for n in names if 1 < len({getattr(one, n) for one in recipes}) < len(recipes)]


def _label(run: Run) -> str:
    summary = runs.summary(run)
    return summary.label if summary.number else f"{summary.name} · {run.created:%d %b %H:%M}"
