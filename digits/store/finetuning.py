"""Lessons: a run that goes on from another's network and learns people's drawings as well.

All that it needs lies in its own folder, so that neither the other run nor the drawings need be
there when it starts or goes on: ``start.keras`` is the network that it begins with, and
``drawings.npz`` the drawings. ``lesson.npz`` then tells what was right before and after.
"""

import dataclasses
import shutil
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from digits.data.datasets import Dataset, stratify
from digits.ink import collection
from digits.ink.collection import Drawing
from digits.recipes.recipe import Finetuning, Recipe
from digits.store import runs
from digits.store.runs import Run

BASE_MODEL, DATA, BEFORE_AFTER = "start.keras", "drawings.npz", "lesson.npz"
Arrays = TypeVar("Arrays")


@dataclass(frozen=True, eq=False)
class FinetuningData:
    """The drawings of a lesson, as they were when it was set up.

    ``x_*`` are (n, 28, 28) uint8, ``y_*`` (n,) uint8: the drawings to learn, and those held back
    to see what came of it. ``known`` are the keys of all that the network has ever been taught.
    """

    x_taught: np.ndarray
    y_taught: np.ndarray
    x_held: np.ndarray
    y_held: np.ndarray
    known: np.ndarray


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """Probabilities, (n, 10) float32, before and after a lesson.

    Those of the test images after it are ``Run.probabilities``.
    """

    test_before: np.ndarray
    held_before: np.ndarray
    held_after: np.ndarray
    taught_before: np.ndarray
    taught_after: np.ndarray


def create(start: Run, recipe: Recipe, kept: list[Drawing], name: str) -> Run:
    """A new run, not yet queued, that teaches drawings to the network of a finished one.

    ``recipe`` has a lesson, and the network and the seed of ``start``'s recipe, so that the same
    images validate. Raises ``ValueError`` when there are too few drawings or the network is not
    there, ``OSError`` when the folder cannot be filled.
    """
    if recipe.finetune is None:
        raise ValueError("This recipe has no lesson in it.")
    taught, held = split(kept, recipe.finetune, seen_drawings(start))
    if not start.model_path.exists():
        raise ValueError("The run to start from has no model: it has not finished, or was deleted.")
    x_taught, y_taught = collection.images(taught)
    x_held, y_held = collection.images(held)
    keys = np.array(sorted({one.key for one in taught} | seen_drawings(start)))
    material = FinetuningData(x_taught, y_taught, x_held, y_held, keys)
    job = runs.create(recipe, name)
    try:
        job.replace(BASE_MODEL, lambda path: shutil.copyfile(start.model_path, path))
        job.replace(DATA, lambda path: np.savez(path, **dataclasses.asdict(material)))
    except OSError:
        job.delete()
        raise
    return job


def split(
    kept: list[Drawing], lesson: Finetuning, known: frozenset[str] = frozenset()
) -> tuple[list[Drawing], list[Drawing]]:
    """The drawings to learn and those held back, each digit in proportion.

    The same drawings and the same seed give the same parts. What the network has learned before
    is in neither part's way: it may be taught again, but is never held back. Raises
    ``ValueError`` when a part would be empty.
    """
    kept = sorted(kept, key=lambda one: one.key)
    if len(kept) < 2:
        raise ValueError("A lesson needs two drawings: one to learn, and one to see what it did.")
    y = np.array([one.label for one in kept])
    count = min(max(round(lesson.train_share * len(kept)), 1), len(kept) - 1)
    first, second = stratify(y, count, np.random.default_rng(lesson.seed))
    held = [kept[index] for index in second if kept[index].key not in known]
    if not held:
        raise ValueError(
            "This network has learned all the other drawings before, so none is left to see what "
            "a lesson did. Add drawings, or take the run that it started from."
        )
    return [kept[index] for index in first], held


def mix_with_replay(sets: Dataset, lesson: Finetuning, material: FinetuningData) -> Dataset:
    """The data set with a lesson's training images: drawings, repeated, and some of its own."""
    rng = np.random.default_rng(lesson.seed)
    replay, _ = stratify(sets.y_train, min(lesson.replay, len(sets.y_train)), rng)
    x = [np.repeat(material.x_taught, lesson.repeats, axis=0), sets.x_train[replay]]
    y = [np.repeat(material.y_taught, lesson.repeats), sets.y_train[replay]]
    return dataclasses.replace(sets, x_train=np.concatenate(x), y_train=np.concatenate(y))


def base_model_path(job: Run) -> Path:
    """A run's own copy of the network to begin with. Raises ``ValueError`` when it is missing."""
    path = job.folder / BASE_MODEL
    if not path.exists():
        raise ValueError(f"{BASE_MODEL} of run {job.id} is missing.")
    return path


def load_data(job: Run) -> FinetuningData:
    """A run's own copy of its drawings. Raises ``ValueError`` when it is missing or damaged."""
    return _arrays(job, DATA, FinetuningData)


def before_after(job: Run) -> BeforeAfter:
    """What came of a lesson. Raises ``ValueError`` when that is missing or damaged."""
    return _arrays(job, BEFORE_AFTER, BeforeAfter)


def seen_drawings(job: Run) -> frozenset[str]:
    """Keys of the drawings that a run's network was ever taught; none without a lesson."""
    return _known(job, *job.file_stamps(DATA))


@lru_cache(maxsize=5_000)
def _known(job: Run, changed: int, size: int) -> frozenset[str]:
    return frozenset(load_data(job).known.tolist()) if changed else frozenset()


def unseen(job: Run, kept: list[Drawing]) -> list[Drawing]:
    """The drawings that a run's network was never taught, on which it can be tested."""
    return [one for one in kept if one.key not in seen_drawings(job)]


def _arrays(job: Run, file: str, kind: type[Arrays]) -> Arrays:
    try:
        with np.load(job.folder / file, allow_pickle=False) as arrays:
            return kind(**arrays)
    except FileNotFoundError as error:
        raise ValueError(f"{file} of run {job.id} is missing.") from error
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} of run {job.id} is damaged.") from error
