"""Teachers in distillation: the runs whose models another run learns from.

A run keeps its own copy of each, laid out as a run, so that the teachers may be deleted.
"""

from pathlib import Path

from digits.recipes.recipe import Recipe
from digits.store import files
from digits.store.run_folder import ABOUT, MODEL, RECIPE, TEACHERS, Run

KEPT = (RECIPE, ABOUT, MODEL)


def keep(recipe: Recipe, folder: Path) -> None:
    """Copy the recipe's teachers from the runs beside ``folder`` into it, but those it has.

    Raises ``ValueError`` for one that is not there or has no model.
    """
    for id in recipe.teachers if recipe.distillation else ():
        own = folder / TEACHERS / id
        if not Run(own).has_model:
            _copy(_finished(folder.parent, id), own)


def inherit(parent: Run, recipe: Recipe, folder: Path) -> None:
    """Copy those of the recipe's teachers that the parent of a fork has kept."""
    for id in recipe.teachers:
        kept = Run(parent.folder / TEACHERS / id)
        if kept.has_model:
            _copy(kept, folder / TEACHERS / id)


def teachers(recipe: Recipe, root: Path, run: Run | None = None) -> list[Run]:
    """The recipe's teachers as ``run`` has kept them; without a run, those in the folder ``root``.

    Empty where the shipped model is the teacher. Raises ``ValueError`` for one without a model.
    """
    return [_finished(run.folder / TEACHERS if run else root, id) for id in recipe.teachers]


def _finished(root: Path, id: str) -> Run:
    run = Run(root / id)
    if not run.has_model:
        raise ValueError(
            f"Run {id} cannot be a teacher: it has not finished, or was deleted. Choose another."
        )
    return run


def _copy(run: Run, to: Path) -> None:
    for file in KEPT:
        files.copy(run.folder, file, to, file)
