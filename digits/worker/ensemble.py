"""Writes the models of several runs as one, which averages their probabilities.

It can also average over copies of the image that are moved by a few pixels, which the networks
misread in different ways.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

from digits.data import datasets
from digits.recipes.layers import IMAGE_SHAPE
from digits.store import files
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker.finish import evaluate
from digits.worker.model import build
from digits.worker.predict import load, load_file

MAX_SHIFT = 4  # pixels: MNIST's digits have as much paper around them


def write_ensemble(group: Sequence[Run], path: Path, shift: int = 0) -> dict[str, Any]:
    """Write the runs' models as one ``.keras`` file; tells what that file classifies correctly.

    With ``shift`` it also averages over copies of each image, as ``shifts`` says.

    Fit for JSON: ``file``, ``networks``, ``copies`` of an image, ``parameters``, ``bytes``,
    ``test_accuracy`` and ``test_images``, of the first run's data set, and ``val_accuracy`` where
    the runs have the same validation images, otherwise ``None``. Raises ``ValueError`` for a single
    run without a shift, a shift out of range, another ending, a folder that is not there, or a run
    without a model, ``OSError`` where the file cannot be written, and as ``datasets.load`` does.
    """
    if not 0 <= shift <= MAX_SHIFT:
        raise ValueError(f"A shift is of 0 to {MAX_SHIFT} pixels; {shift} is not.")
    if len(group) < 2 and not shift:
        raise ValueError("An ensemble is of two runs or more, or of one with a shift.")
    if path.suffix != ".keras":
        raise ValueError(f"{path.name} must end in .keras.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent}.")
    dataset = group[0].recipe.dataset
    splits = {(run.recipe.dataset, run.recipe.split) for run in group}
    test = datasets.load_test(dataset)
    ensemble = averaged(group, shift)
    files.replace(path.parent, path.name, ensemble.save)
    written = load_file(path)
    validated = None
    if len(splits) == 1:
        validated = evaluate(written, *datasets.load_val(dataset, group[0].recipe.split))[1]
    _, accuracy, p = evaluate(written, *test)
    return {
        "file": str(path),
        "networks": len(group),
        "copies": len(shifts(shift)),
        "parameters": ensemble.count_params(),
        "bytes": path.stat().st_size,
        "val_accuracy": validated,
        "test_accuracy": accuracy,
        "test_images": len(p),
    }


def averaged(group: Sequence[Run], shift: int = 0) -> keras.Model:
    """One model from (batch, 28, 28, 1) in [0, 1] to the mean of the runs' probabilities."""
    image = keras.Input(IMAGE_SHAPE, name="image")
    copies = _moved(image, shift) if shift else [image]
    probabilities = []
    for number, run in enumerate(group, 1):
        network = build(run.recipe)
        network.set_weights(load(ModelRef(run)).get_weights())
        network.name = f"network{number}"
        probabilities += [network(copy) for copy in copies]
    return keras.Model(image, layers.Average(name="mean")(probabilities), name="ensemble")


def shifts(most: int) -> list[tuple[int, int]]:
    """Rows and columns by which to move an image, ``most`` pixels together at most."""
    steps = range(-most, most + 1)
    return [(down, right) for down in steps for right in steps if abs(down) + abs(right) <= most]


def _moved(image: keras.KerasTensor, most: int) -> list[keras.KerasTensor]:
    padded = layers.ZeroPadding2D(most, name="paper")(image)
    return [
        layers.Cropping2D(((most - down, most + down), (most - right, most + right)))(padded)
        for down, right in shifts(most)
    ]
