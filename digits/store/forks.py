"""Forks: runs that go on from the weights of another run, after any epoch that it has kept.

All that a fork needs lies in its own folder ``parent``, which is laid out as a run's: the parent
may be deleted when the fork starts or resumes.
"""

import dataclasses
from pathlib import Path

from digits.recipes.layers import Layer, layers
from digits.recipes.recipe import Fork, Recipe
from digits.store import files, learning_rate, runs
from digits.store.finetuning import BASE_MODEL, DRAWINGS
from digits.store.run_folder import ABOUT, PARENT, RECIPE, Run, weights_file

MAX_EPOCHS = 1000


def fork(parent: Run, epoch: int, recipe: Recipe, name: str, preset: str = "") -> Run:
    """A new run, not yet queued, that trains ``recipe`` from the parent's weights after an epoch.

    It continues the state of the parent's optimizer where a checkpoint has it and the optimizer is
    the same. Raises ``ValueError`` when the weights are missing or belong to another network,
    ``OSError`` when the folder cannot be filled.
    """
    before = parent.recipe
    check_network(recipe, before)
    parent.weights_path(epoch)
    earlier = before.fork.epochs_before if before.fork else 0
    recipe = dataclasses.replace(recipe, fork=Fork(parent.id, epoch, earlier + epoch))

    def fill(folder: Path) -> None:
        own = folder / PARENT
        for file in (RECIPE, ABOUT, weights_file(epoch)):
            files.copy(parent.folder, file, own, file)
        for done, path in parent.checkpoints():
            if done == epoch:
                files.copy(parent.folder, path.name, own, path.name)
        for file in (BASE_MODEL, DRAWINGS):  # without its drawings, a fork would be tested on them
            if files.exists(parent.folder, file):
                files.copy(parent.folder, file, folder, file)

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


def check_network(recipe: Recipe, before: Recipe) -> None:
    """Raise ``ValueError`` unless weights of ``before``'s network fit into that of ``recipe``."""
    if _weights(recipe) != _weights(before):
        raise ValueError(
            "A fork keeps the network of its parent, whose weights it goes on with. Set its "
            "convolutions, batch normalization and dense layers as they were, or train anew."
        )


def _weights(recipe: Recipe) -> list[tuple[str, int, tuple[int, ...]]]:
    """Kind, parameters and shape of each layer that has weights."""
    return [_form(layer) for layer in layers(recipe) if layer.parameters]


def _form(layer: Layer) -> tuple[str, int, tuple[int, ...]]:
    return layer.kind, layer.parameters, layer.shape


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
