"""Forks: runs that go on from the weights of another run, after any epoch that it has kept.

All that a fork needs lies in its own folder ``parent``, which is laid out as a run's: the parent
may be deleted when the fork starts or resumes.
"""

import dataclasses
from pathlib import Path
from typing import TypedDict

from digits.recipes.keras_script import Stage
from digits.recipes.layers import Layer, layers
from digits.recipes.recipe import Fork, Recipe
from digits.recipes.schedule import RateChange
from digits.store import files, learning_rate, runs, teachers
from digits.store.files import Count
from digits.store.finetuning import BASE_MODEL, DRAWINGS
from digits.store.run_folder import ABOUT, PARENT, RECIPE, TEACHERS, Run, weights_file

MAX_EPOCHS = 1000
STAGES = "stages.json"  # in the copy of the parent: what a script repeats before the fork


class _Stage(TypedDict):
    recipe: str
    changes: list[learning_rate.Change]
    epochs: Count
    keeps_optimizer: bool


def fork(parent: Run, epoch: int, recipe: Recipe, name: str, preset: str = "") -> Run:
    """A new run, not yet queued, that trains ``recipe`` from the parent's weights after an epoch.

    It continues the state of the parent's optimizer where a checkpoint has it and the optimizer is
    the same. Raises ``ValueError`` when the weights are missing, and as ``check_fork`` does,
    ``OSError`` when the folder cannot be filled.
    """
    before = parent.recipe
    check_fork(recipe, before)
    parent.weights_path(epoch)
    earlier = before.fork.epochs_before if before.fork else 0
    recipe = dataclasses.replace(recipe, fork=Fork(parent.id, epoch, earlier + epoch))
    trained = stages(parent)

    def fill(folder: Path) -> None:
        own = folder / PARENT
        for file in (RECIPE, ABOUT, weights_file(epoch)):
            files.copy(parent.folder, file, own, file)
        files.write_json(own, STAGES, _rows(trained, epoch))
        for done, path in parent.checkpoints():
            if done == epoch:
                files.copy(parent.folder, path.name, own, path.name)
        for file in (BASE_MODEL, DRAWINGS):  # without its drawings, a fork would be tested on them
            if files.exists(parent.folder, file):
                files.copy(parent.folder, file, folder, file)
        teachers.keep(recipe, folder, parent.folder / TEACHERS)

    return runs.create(recipe, name, preset, fill=fill)


def train_more(parent: Run, epochs: int) -> Run:
    """A fork, not yet queued, that goes on as the parent ended, for so many epochs.

    Its schedule begins anew, at the learning rate that the parent had last. Raises as ``fork``.
    """
    saved = parent.saved_epochs()
    if not saved:
        raise ValueError("This run has kept no weights of an epoch. Train it again.")
    rate = learning_rate.peak(parent)
    recipe = dataclasses.replace(parent.recipe, epochs=epochs, learning_rate=rate)
    words = f"{epochs} more {'epoch' if epochs == 1 else 'epochs'}"
    return fork(parent, saved[-1], recipe, f"{parent.name} · {words}", parent.preset)


def check_fork(recipe: Recipe, before: Recipe) -> None:
    """Raise ``ValueError`` where ``recipe`` cannot go on with the weights of ``before``.

    These must fit into its network, and must not have learned its validation images.
    """
    if _weights(recipe) != _weights(before):
        raise ValueError(
            "A fork keeps the network of its parent, whose weights it goes on with. Set its "
            "convolutions, batch normalization and dense layers as they were, or train anew."
        )
    if recipe.dataset == before.dataset and recipe.split != before.split:
        raise ValueError(
            "A fork keeps the validation images of its parent, which has learned the others: "
            f"those of {before.split}. Set seed and validation images as they were, or train anew."
        )


def _weights(recipe: Recipe) -> list[tuple[str, int, tuple[int, ...]]]:
    """Kind, parameters and shape of each layer that has weights."""
    return [_form(layer) for layer in layers(recipe) if layer.parameters]


def _form(layer: Layer) -> tuple[str, int, tuple[int, ...]]:
    return layer.kind, layer.parameters, layer.shape


def stages(run: Run) -> tuple[Stage, ...]:
    """What a script repeats: the runs that this one goes on from, oldest first, and itself.

    Raises ``ValueError`` when a file is damaged.
    """
    recipe, parent, before = run.recipe, own_parent(run), list[Stage]()
    if recipe.fork and files.exists(parent.folder, STAGES):
        rows: list[_Stage] = files.read_json(parent.folder, STAGES, list[_Stage])
        before = [
            Stage(
                Recipe.from_json(row["recipe"]),
                tuple(RateChange(**change) for change in row["changes"]),
                row["epochs"],
                row["keeps_optimizer"],
            )
            for row in rows
        ]
    keeps = bool(
        before and before[-1].recipe.optimizer == recipe.optimizer and parent.checkpoints()
    )
    return (*before, Stage(recipe, learning_rate.changes(run), keeps_optimizer=keeps))


def _rows(before: tuple[Stage, ...], epoch: int) -> list[_Stage]:
    """Stages as a file has them, the last one as far as this epoch."""
    before = (*before[:-1], dataclasses.replace(before[-1], epochs=epoch))
    return [
        _Stage(
            recipe=stage.recipe.to_json(),
            changes=[
                learning_rate.Change(step=change.step, learning_rate=change.learning_rate)
                for change in stage.changes
            ],
            epochs=stage.epochs or stage.recipe.epochs,
            keeps_optimizer=stage.keeps_optimizer,
        )
        for stage in before
    ]


def own_parent(run: Run) -> Run:
    """A fork's own copy of what it needs of its parent."""
    return Run(run.folder / PARENT)


def origin(run: Run) -> str:
    """Where a fork comes from: "Forked from 11 Fast after epoch 3."; "" for no fork."""
    forked = run.recipe.fork
    if not forked:
        return ""
    parent = own_parent(run)
    try:
        name = f"{parent.number} {parent.name}" if parent.number else parent.name
    except ValueError:
        name = forked.parent_run
    deleted = "" if files.exists(runs.root(), forked.parent_run) else ", which was deleted,"
    return f"Forked from {name}{deleted} after epoch {forked.epoch}."
