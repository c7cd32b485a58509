"""Accuracy on test images that are rotated, shifted, scaled, noisy, thicker or thinner."""

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from digits.data import datasets
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker import augmentation
from digits.worker.predict import load, predict

TRANSFORMS: dict[str, tuple[str, tuple[float, ...]]] = {  # unit and strengths of each
    "rotation": ("degrees counterclockwise", tuple(range(-60, 61, 10))),
    "shift": ("pixels", tuple(range(9))),
    "scale": ("times", tuple(n / 10 for n in range(5, 16))),
    "noise": ("standard deviations, of full ink", tuple(n / 10 for n in range(7))),
    "stroke_width": ("pixels of stroke width", tuple(n / 2 for n in range(-4, 5))),
}
SEED = 1998  # of directions and noise: the same for all runs, so that they compare
SUPERSAMPLING = 4  # points of a pixel, each way, where strokes are dilated or eroded


def robustness(run: Run, report: Callable[[str], None] = lambda message: None) -> dict[str, Any]:
    """Accuracy of a run's final model on transformed test images, as ``Run.robustness`` gives it.

    The file is written after each transform; one that is in it is not repeated. Raises
    ``ValueError`` when the run has no model, and as ``datasets.load_test`` does.
    """
    network = load(ModelRef(run))
    x, y = datasets.load_test(run.recipe.dataset)
    try:
        curves = run.robustness() or {}
    except ValueError:  # a damaged file is made anew
        curves = {}
    for number, (kind, (unit, strengths)) in enumerate(TRANSFORMS.items(), 1):
        if kind in curves:
            continue
        name = kind.replace("_", " ")
        report(f"Transforming {len(x):,} test images: {name}, {number} of {len(TRANSFORMS)}.")
        predicted = [predict(network, transform(x, kind, s)).argmax(axis=1) for s in strengths]
        correct = np.stack(predicted) == y  # (strengths, n)
        curves[kind] = {
            "unit": unit,
            "strengths": list(strengths),
            "accuracy": correct.mean(axis=1).tolist(),
            "per_digit": [[float(row[y == d].mean()) for d in range(10)] for row in correct],
            "images": len(y),
        }
        run.write_robustness(curves)
    return curves


def examples(image: np.ndarray, kind: str) -> np.ndarray:
    """One image, (28, 28) uint8, at every strength of a transform: (strengths, 28, 28) uint8."""
    return np.concatenate([transform(image[None], kind, s) for s in TRANSFORMS[kind][1]])


def transform(images: np.ndarray, kind: str, strength: float) -> np.ndarray:
    """Apply one of ``TRANSFORMS`` to (n, 28, 28) uint8 images; no strength returns them unchanged.

    A shift goes right, left, up or down, at random for each image; the noise is Gaussian and
    differs between strengths only by its scale.
    """
    if kind == "stroke_width":
        return change_stroke_width(images, strength)
    random = np.random.default_rng(SEED)
    if kind == "noise":
        noise = random.standard_normal(images.shape, np.float32)
        changed = images + np.float32(255 * strength) * noise
    else:
        directions = np.array([(-1, 0), (1, 0), (0, 1), (0, -1)], np.float32)
        left, up = directions[random.integers(4, size=len(images))].T
        changed = augmentation.transform(
            images[..., None].astype(np.float32),
            rotation=np.full(len(images), strength if kind == "rotation" else 0, np.float32),
            zoom=np.full(len(images), strength if kind == "scale" else 1, np.float32),
            left=left * (strength if kind == "shift" else 0),
            up=up * (strength if kind == "shift" else 0),
        ).numpy()[..., 0]
    return np.rint(changed.clip(0, 255)).astype(np.uint8)


def change_stroke_width(images: np.ndarray, width: float) -> np.ndarray:
    """Dilate strokes by ``width`` pixels in all, at most 2, or erode them where it is negative.

    ``images`` is (n, 28, 28) uint8, and so is the result. Gray-scale dilation or erosion by a disc
    of half that width, on images enlarged 4 times and reduced again by their mean, so that a
    quarter of a pixel on either side counts. A point of the large image lies in a block of equal
    ones, its pixel; so only the 9 pixels around can be within reach.
    """
    most = np.maximum if width > 0 else np.minimum
    reach = abs(width) / 2 * SUPERSAMPLING
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    total = np.zeros(images.shape, np.uint16)
    for row, column in itertools.product(range(SUPERSAMPLING), repeat=2):
        down = (
            row + 1,
            0,
            SUPERSAMPLING - row,
        )  # points to the pixel above, to its own, to that below
        right = (column + 1, 0, SUPERSAMPLING - column)
        near = [
            padded[:, i : i + 28, j : j + 28]
            for i, j in itertools.product(range(3), repeat=2)
            if math.hypot(down[i], right[j]) <= reach
        ]
        total += functools.reduce(most, near)
    return np.rint(total / SUPERSAMPLING**2).astype(np.uint8)
