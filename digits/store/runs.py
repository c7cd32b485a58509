"""All runs: created, opened, listed, searched, and in the order of the queue."""

import os
import secrets
import shutil
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from digits.recipes.layers import layers
from digits.recipes.recipe import Recipe
from digits.store import files
from digits.store.run_folder import ABOUT, ID, Run
from digits.store.status import UNFINISHED, Status

EPOCH_BYTES = 2**20  # of probabilities, curves and the rest that an epoch leaves, or less
WEIGHTS_AT_ONCE = 12  # three checkpoints of three times the weights, while one is written; models

__all__ = ["Run", "all", "check_space", "create", "open", "queue", "root", "search"]


def root() -> Path:
    """The folder of all runs: ``$DIGITS_RUNS``, else ``runs`` where the app was started."""
    return Path(os.environ.get("DIGITS_RUNS", "runs")).resolve()


def check_space(folder: Path, recipe: Recipe, epochs: int) -> None:
    """Raise ``OSError`` when the disk lacks room for so many more epochs and the final model."""
    weights = 4 * sum(layer.parameters for layer in layers(recipe))  # bytes
    needed = epochs * (weights + EPOCH_BYTES) + WEIGHTS_AT_ONCE * weights
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"The disk is full: the run needs {needed / 1e6:,.1f} MB more, and {free / 1e6:,.1f} "
            "MB are free. Delete runs that you no longer need."
        )


def create(recipe: Recipe, name: str, preset: str = "") -> Run:
    """A new folder with the recipe in it, not yet queued.

    Raises ``OSError`` when the disk lacks room for the run, and ``ValueError`` when its network
    cannot be built.
    """
    root().mkdir(parents=True, exist_ok=True)
    check_space(root(), recipe, recipe.epochs)
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    run = Run(root() / f"{moment}-{secrets.token_hex(3)}")
    run.folder.mkdir()
    run.write_recipe(recipe)
    files.write_json(run.folder, ABOUT, {"name": name, "preset": preset})
    run.write_status(Status("interrupted", epochs=recipe.epochs, message="Not queued yet."))
    return run


def open(id: str) -> Run:
    """The run of that id. Raises ``ValueError`` for what is no id, ``LookupError`` if none is."""
    if not ID.fullmatch(id):
        raise ValueError("The link names no run: a run's id looks like 20260131-093000-4f2a1c.")
    folder = root() / id
    if not folder.is_dir():
        raise LookupError(f"There is no run {id}; it may have been deleted.")
    return Run(folder)


def all() -> list[Run]:
    """Every run, newest first; each may still turn out to be damaged when it is read."""
    if not root().is_dir():
        return []
    folders = sorted(root().iterdir(), reverse=True)
    return [Run(folder) for folder in folders if ID.fullmatch(folder.name)]


def search(text: str) -> list[Run]:
    """The runs whose state, name and recipe contain every word of the text, newest first."""
    words = text.lower().split()
    return [run for run in all() if not words or _matches(run, words)]


def _matches(run: Run, words: list[str]) -> bool:
    try:
        text = f"{run.status.state} {run.name} {_recipe_in_words(run)}".lower()
    except ValueError:
        text = f"damaged {run.id}"
    return not [word for word in words if word not in text]


@lru_cache(maxsize=5_000)  # a recipe is never written again
def _recipe_in_words(run: Run) -> str:
    return str(run.recipe)


def queue() -> list[Run]:
    """The queued and running runs, in the order in which they are trained."""
    waiting = []
    for run in all():
        try:
            status = run.status
        except ValueError:
            continue
        if status.state in UNFINISHED:
            waiting.append((status.state != "running", status.since, run))
    return [run for *_, run in sorted(waiting, key=lambda entry: entry[:2])]
