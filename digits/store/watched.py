"""Drawings that visitors follow while a run trains: pages ask in its folder, its worker answers."""

import threading
from dataclasses import dataclass

import numpy as np

from digits.store import files
from digits.store.files import IMAGES, PROBABILITIES
from digits.store.run_folder import Run

WATCHED = "watched_drawings.npy"  # what pages ask for
PREDICTED = "watched_predicted.npz"  # what the worker has answered last
FORMS = {"x": IMAGES, "p": PROBABILITIES}
MAX_WATCHED = 40  # drawings: a classroom's; each costs the run as much as one of its samples

_lock = threading.Lock()  # visitors come in threads of their own


@dataclass(frozen=True, eq=False)
class _Predicted:
    """Drawings (n, 28, 28) uint8 with their probabilities (n, 10) float16."""

    x: np.ndarray
    p: np.ndarray


def follow(run: Run, x: np.ndarray) -> list[np.ndarray | None]:
    """The latest probabilities (10,) of each of (n, 28, 28) uint8, while the run trains.

    ``None`` stands for one that the worker has not predicted yet; it is asked to. The newest
    ``MAX_WATCHED`` of all visitors are predicted. Raises ``OSError`` where the folder cannot be
    written.
    """
    answers = _answers(run, x)
    missing = [image for image, answer in zip(x, answers, strict=True) if answer is None]
    if missing:
        with _lock:
            asked = drawings(run)
            new = [image for image in missing if not _places(asked, image).size]
            if new:
                asked = np.concatenate([asked, new])[-MAX_WATCHED:]
                files.write_array(run.folder, WATCHED, asked)
    return answers


def drawings(run: Run) -> np.ndarray:
    """What is to be predicted, (n, 28, 28) uint8; nothing where the file is damaged."""
    try:
        return files.read_array(run.folder, WATCHED, IMAGES)[-MAX_WATCHED:]
    except ValueError:
        return np.empty((0, 28, 28), np.uint8)


def write_predictions(run: Run, x: np.ndarray, p: np.ndarray) -> None:
    """Answer for these drawings, (n, 28, 28), with their probabilities, (n, 10)."""
    files.write_arrays(run.folder, PREDICTED, _Predicted(x, p))


def _answers(run: Run, x: np.ndarray) -> list[np.ndarray | None]:
    try:
        seen = files.read_arrays(run.folder, PREDICTED, _Predicted, FORMS)
    except ValueError:
        return [None] * len(x)
    places = [_places(seen.x, image) for image in x]
    return [seen.p[at[0]] if at.size and at[0] < len(seen.p) else None for at in places]


def _places(images: np.ndarray, image: np.ndarray) -> np.ndarray:
    return np.flatnonzero((images == image).all(axis=(1, 2)))
