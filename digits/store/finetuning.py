"""Fine-tuning runs: a base model goes on training, on people's drawings and on replayed images.

All that such a run needs lies in its own folder, so that neither the base model's run nor the
drawings need be there when it starts or resumes.
"""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from digits.data.datasets import Dataset, stratify
from digits.ink import collection
from digits.ink.collection import Drawing
from digits.recipes.recipe import Finetuning, Recipe
from digits.store import files, runs
from digits.store.files import IMAGES, LABELS, PROBABILITIES, WORDS
from digits.store.run_folder import MODEL, Run

BASE_MODEL = "base_model.keras"
DRAWINGS = "drawings.npz"
BEFORE_AFTER = "before_after.npz"
DATA_FORMS = {
    "x_train": IMAGES,
    "y_train": LABELS,
    "x_held_out": IMAGES,
    "y_held_out": LABELS,
    "seen": WORDS,
}


@dataclass(frozen=True, eq=False)
class FinetuningData:
    """The drawings of a fine-tuning run, as they were when it was created.

    ``x_*`` are (n, 28, 28) uint8, ``y_*`` (n,) uint8: drawings to train on, and held-out ones.
    ``seen`` holds the keys of all drawings that the model was ever trained on.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_held_out: np.ndarray
    y_held_out: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """Probabilities, (n, 10) float32, before and after fine-tuning.

    Those of the test images after it are ``Run.test_probabilities``.
    """

    test_before: np.ndarray
    held_out_before: np.ndarray
    held_out_after: np.ndarray
    train_before: np.ndarray
    train_after: np.ndarray


def create(base: Run, recipe: Recipe, drawings: list[Drawing], name: str) -> Run:
    """A new run, not yet queued, that fine-tunes the model of a finished one on drawings.

    ``recipe`` has ``finetune`` set, and the network and the seed of ``base``'s recipe, so that
    the validation images stay the same. Raises ``ValueError`` when there are too few drawings or
    no model, ``OSError`` when the folder cannot be filled.
    """
    if recipe.finetune is None:
        raise ValueError("This recipe has no fine-tuning in it.")
    train, held_out = split(drawings, recipe.finetune, seen_drawings(base))
    if not base.has_model:
        raise ValueError("The base run has no model: it has not finished, or was deleted.")
    seen = np.array(sorted({drawing.key for drawing in train} | seen_drawings(base)))
    data = FinetuningData(*collection.images(train), *collection.images(held_out), seen)

    def fill(folder: Path) -> None:
        files.copy(base.folder, MODEL, folder, BASE_MODEL)
        files.write_arrays(folder, DRAWINGS, data)

    return runs.create(recipe, name, fill=fill)


def split(
    drawings: list[Drawing], finetune: Finetuning, seen: frozenset[str] = frozenset()
) -> tuple[list[Drawing], list[Drawing]]:
    """The drawings to train on and the held-out ones, each digit in proportion.

    The same drawings and the same seed give the same split. What the model has been trained on
    before may be trained on again, but is never held out. Raises ``ValueError`` when a part would
    be empty.
    """
    drawings = sorted(drawings, key=lambda drawing: drawing.key)
    if len(drawings) < 2:
        raise ValueError("Fine-tuning needs two drawings: one to train on and one held out.")
    y = np.array([drawing.label for drawing in drawings])
    count = min(max(round(finetune.train_share * len(drawings)), 1), len(drawings) - 1)
    first, second = stratify(y, count, np.random.default_rng(finetune.seed))
    held_out = [drawings[index] for index in second if drawings[index].key not in seen]
    if not held_out:
        raise ValueError(
            "This model has been trained on all the other drawings before, so none can be held "
            "out. Add drawings, or start from its base run."
        )
    return [drawings[index] for index in first], held_out


def mix_with_replay(dataset: Dataset, finetune: Finetuning, data: FinetuningData) -> Dataset:
    """The data set with other training images: drawings, repeated, and some of its own."""
    rng = np.random.default_rng(finetune.seed)
    replay, _ = stratify(dataset.y_train, min(finetune.replay, len(dataset.y_train)), rng)
    x = [np.repeat(data.x_train, finetune.repeats, axis=0), dataset.x_train[replay]]
    y = [np.repeat(data.y_train, finetune.repeats), dataset.y_train[replay]]
    return dataclasses.replace(dataset, x_train=np.concatenate(x), y_train=np.concatenate(y))


def base_model_path(run: Run) -> Path:
    """A run's own copy of its base model. Raises ``ValueError`` when it is missing."""
    if not files.is_plain(run.folder, BASE_MODEL):
        raise ValueError(f"{BASE_MODEL} of run {run.id} is missing.")
    return run.folder / BASE_MODEL


def load_data(run: Run) -> FinetuningData:
    """A run's own copy of its drawings. Raises ``ValueError`` when it is missing or damaged."""
    data = files.read_arrays(run.folder, DRAWINGS, FinetuningData, DATA_FORMS)
    if len(data.x_train) != len(data.y_train) or len(data.x_held_out) != len(data.y_held_out):
        raise ValueError(f"{DRAWINGS} of run {run.id} is damaged: labels and images differ.")
    return data


def before_after(run: Run) -> BeforeAfter:
    """Probabilities before and after. Raises ``ValueError`` when they are missing or damaged."""
    forms = {field.name: PROBABILITIES for field in dataclasses.fields(BeforeAfter)}
    p, data = files.read_arrays(run.folder, BEFORE_AFTER, BeforeAfter, forms), load_data(run)
    held_out, train = len(data.y_held_out), len(data.y_train)
    lengths = [len(array) for array in vars(p).values()]
    if lengths != [len(run.test_probabilities()), held_out, held_out, train, train]:
        raise ValueError(f"{BEFORE_AFTER} of run {run.id} is damaged: it has other images.")
    return p


def write_before_after(run: Run, probabilities: BeforeAfter) -> None:
    files.write_arrays(run.folder, BEFORE_AFTER, probabilities)


def seen_drawings(run: Run) -> frozenset[str]:
    """Keys of the drawings that a run's model was ever trained on; none without fine-tuning."""
    return _seen(run, *run.file_stamps(DRAWINGS))


@lru_cache(maxsize=5_000)
def _seen(run: Run, changed: int, size: int) -> frozenset[str]:
    return frozenset(load_data(run).seen.tolist()) if changed else frozenset()


def unseen(run: Run, drawings: list[Drawing]) -> list[Drawing]:
    """The drawings that a run's model was never trained on, on which it can be tested."""
    return [drawing for drawing in drawings if drawing.key not in seen_drawings(run)]
