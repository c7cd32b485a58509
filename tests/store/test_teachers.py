"""Teachers: a run keeps a copy of each, so that they may be deleted, and refuses what is none."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from digits.recipes.recipe import Recipe
from digits.store import files, forks, runs
from digits.store.run_folder import EPOCH_COLUMNS, Run
from digits.store.teachers import teachers

RECIPE = Recipe(dataset="uci", epochs=1, distillation=0.5)
NOBODY = "20260131-093000-4f2a1c"
NEWER = "29991231-235959-4f2a1c"
MANY = [f"20260131-09300{digit}-4f2a1c" for digit in range(9)]


def _finished(name: str) -> Run:
    run = runs.create(Recipe(dataset="uci"), name)
    run.write_model(lambda path: path.write_text(name))
    return run


def test_a_run_keeps_its_teachers_when_they_are_deleted() -> None:
    models = [_finished("First"), _finished("Second")]
    recipe = dataclasses.replace(RECIPE, teachers=tuple(run.id for run in models))
    assert teachers(recipe, runs.root()) == models
    run = runs.create(recipe, "Student")
    for model in models:
        model.delete()
    kept = teachers(recipe, runs.root(), run)
    assert [(one.id, one.name, one.model_path.read_text()) for one in kept] == [
        (models[0].id, "First", "First"),
        (models[1].id, "Second", "Second"),
    ]
    assert runs.all() == [run], "its teachers are in no list"
    with pytest.raises(ValueError, match=f"Run {models[0].id} cannot be a teacher"):
        teachers(recipe, runs.root())


def test_a_fork_inherits_teachers_that_were_deleted() -> None:
    teacher = _finished("Teacher")
    recipe = dataclasses.replace(RECIPE, teachers=(teacher.id,))
    parent = runs.create(recipe, "Parent")
    parent.append_epochs([(1, *[0.1] * (len(EPOCH_COLUMNS) - 1))])
    parent.write_weights(lambda path: path.write_text("weights"), 1)
    teacher.delete()
    fork = forks.fork(parent, 1, recipe, "Fork")
    parent.delete()
    assert [one.name for one in teachers(recipe, runs.root(), fork)] == ["Teacher"]


@pytest.mark.slow
def test_only_a_run_that_trained_to_its_end_is_found_by_its_recipe(trained: Run) -> None:
    recipe, status = trained.recipe, trained.status
    assert runs.finished(dataclasses.replace(recipe, seed=5)) is None
    newer = Run(Path(shutil.copytree(trained.folder, trained.folder.with_name(NEWER))))
    files.writes += 1
    assert runs.finished(recipe) == newer
    newer.write_status(dataclasses.replace(status, state="stopped"))
    assert runs.finished(recipe) == trained
    newer.write_status(status)
    (newer.folder / "recipe.json").write_text("torn")
    files.writes += 1
    assert runs.finished(recipe) == trained, "a damaged run is passed over"


@pytest.mark.parametrize("id", [NOBODY, "unfinished"])
def test_what_has_no_model_is_no_teacher_and_leaves_no_run(id: str) -> None:
    if id == "unfinished":
        id = runs.create(Recipe(dataset="uci"), "Unfinished").id
    before = runs.all()
    with pytest.raises(ValueError, match=f"Run {id} cannot be a teacher: it has not finished"):
        runs.create(dataclasses.replace(RECIPE, teachers=(id,)), "Student")
    assert runs.all() == before


def test_without_distillation_nobody_is_asked() -> None:
    recipe = dataclasses.replace(RECIPE, distillation=0.0, teachers=(NOBODY,))
    assert runs.create(recipe, "Student").recipe == recipe


@pytest.mark.parametrize(
    "ids",
    [("../..",), ("x",), (NOBODY + "\n",), (1,), NOBODY, [NOBODY], tuple(MANY), (NOBODY, NOBODY)],
)
def test_a_recipe_refuses_what_are_no_ids_or_too_many(ids: object) -> None:
    with pytest.raises(ValueError, match="eachers"):
        dataclasses.replace(RECIPE, teachers=ids)
