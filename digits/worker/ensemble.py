"""Writes the models of several runs as one, which averages their probabilities."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from digits.data import datasets
from digits.recipes.layers import IMAGE_SHAPE
from digits.store import files
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker.finish import evaluate
from digits.worker.model import build
from digits.worker.predict import load, load_file


def write_ensemble(group: Sequence[Run], path: Path) -> dict[str, Any]:
    """Write the runs' models as one ``.keras`` file; tells what that file classifies correctly.

    Fit for JSON: ``file``, ``networks``, ``parameters``, ``bytes``, ``test_accuracy`` and
    ``test_images``, of the first run's data set. Raises ``ValueError`` for fewer than two runs,
    another ending, a folder that is not there, or a run without a model, ``OSError`` where the file
    cannot be written, and as ``datasets.load`` does.
    """
    if len(group) < 2:
        raise ValueError("An ensemble is of two runs or more.")
    if path.suffix != ".keras":
        raise ValueError(f"{path.name} must end in .keras.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent}.")
    x, y = datasets.load_test(group[0].recipe.dataset)
    ensemble = averaged(group)
    files.replace(path.parent, path.name, ensemble.save)
    _, accuracy, p = evaluate(load_file(path), x, y)
    return {
        "file": str(path),
        "networks": len(group),
        "parameters": ensemble.count_params(),
        "bytes": path.stat().st_size,
        "test_accuracy": accuracy,
        "test_images": len(p),
    }


def averaged(group: Sequence[Run]) -> keras.Model:
    """One model from (batch, 28, 28, 1) in [0, 1] to the mean of the runs' probabilities."""
    image = keras.Input(IMAGE_SHAPE, name="image")
    probabilities = []
    for number, run in enumerate(group, 1):
        network = build(run.recipe)
        network.set_weights(load(ModelRef(run)).get_weights())
        network.name = f"network{number}"
        probabilities.append(network(image))
    return keras.Model(image, keras.layers.Average(name="mean")(probabilities), name="ensemble")
