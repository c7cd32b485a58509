"""Teachers in distillation: the runs whose models another run learns from.

A run keeps its own copy of each, laid out as a run, so that the teachers may be deleted.
"""

from pathlib import Path

from digits.recipes.recipe import Recipe
from digits.store import files
from digits.store.run_folder import ABOUT, MODEL, RECIPE, TEACHERS, Run

KEPT = (RECIPE, ABOUT, MODEL)


def keep(recipe: Recipe, folder: Path, source: Path) -> None:
    """Copy the recipe's teachers from ``source`` into a run's folder, where it lacks them."""
    for id in _needed(recipe):
        teacher, own = Run(source / id), folder / TEACHERS / id
        if teacher.has_model and not Run(own).has_model:
            for file in KEPT:
                files.copy(teacher.folder, file, own, file)


def teachers(recipe: Recipe, root: Path, run: Run | None = None) -> list[Run]:
    """The recipe's teachers as ``run`` has kept them; without a run, those in the folder ``root``.

    Empty where the shipped model is the teacher, or there is none. Raises ``ValueError`` for one
    that is not there or has no model.
    """
    source = run.folder / TEACHERS if run else root
    found = [Run(source / id) for id in _needed(recipe)]
    for teacher in found:
        if not teacher.has_model:
            raise ValueError(
                f"Run {teacher.id} cannot be a teacher: it has not finished, or was deleted. "
                "Choose another."
            )
    return found


def _needed(recipe: Recipe) -> tuple[str, ...]:
    return recipe.teachers if recipe.distillation else ()
