"""A run's model in the formats of other tools: the file of each, and what a check of it found."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from digits.store import files
from digits.store.files import Amount, Count, Share
from digits.store.run_folder import MODEL, MODEL_H5, Positive, Run

EXPORTS = "exports.json"
FOLDER = "exports"
COMMAND = "pip install -r requirements-export.txt"


@dataclass(frozen=True)
class Format:
    """A format: its title, its file in the run's folder, and the packages that it takes."""

    title: str
    file: str
    packages: tuple[str, ...] = ()  # beside those of requirements.txt, by the name of the import


LITERT = ("ai_edge_litert",)
FORMATS = {
    "keras": Format(".keras", MODEL),
    "h5": Format(".h5", MODEL_H5),
    "savedmodel": Format("SavedModel", f"{FOLDER}/saved_model.zip"),
    "litert": Format("LiteRT float32", f"{FOLDER}/float32.tflite", LITERT),
    "litert-float16": Format("LiteRT float16", f"{FOLDER}/float16.tflite", LITERT),
    "litert-int8": Format("LiteRT int8", f"{FOLDER}/int8.tflite", LITERT),
    "onnx": Format("ONNX", f"{FOLDER}/model.onnx", ("tf2onnx", "onnx", "onnxruntime")),
}


class Check(TypedDict):
    """What a file answered for all test images, read again in a process of its own.

    ``milliseconds`` is the median time of one image on one thread. ``differing`` answers are not
    those of the Keras model; no probability differs by more than ``largest_difference``.
    """

    bytes: Count
    milliseconds: Amount
    accuracy: Share
    differing: Count
    largest_difference: Share
    images: Positive


class Exports(TypedDict):
    """The formats that were written and checked, and why others could not be, by name."""

    checks: dict[str, Check]
    problems: dict[str, str]


def read(run: Run) -> Exports:
    """What is known of each format; of none before the first export.

    Raises ``ValueError`` when the file is damaged.
    """
    if not files.exists(run.folder, EXPORTS):
        return Exports(checks={}, problems={})
    return files.read_json(run.folder, EXPORTS, Exports)


def write(run: Run, exports: Exports) -> None:
    """Replace what is known of the formats."""
    files.write_json(run.folder, EXPORTS, exports)


def path(run: Run, name: str) -> Path:
    """Where the file of a format lies, whether or not it is there."""
    return run.folder / FORMATS[name].file


def missing(run: Run) -> list[str]:
    """The formats that were not yet written and checked. Raises ``ValueError`` as ``read`` does."""
    checks = read(run)["checks"]
    return [
        name
        for name, format in FORMATS.items()
        if name not in checks or not files.is_plain(run.folder, format.file)
    ]
