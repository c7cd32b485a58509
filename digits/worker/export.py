"""Writes a run's model in the formats of other tools, and checks each file on the test images."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from digits.data import datasets
from digits.store import exports, files
from digits.store.exports import COMMAND, FORMATS, Check
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker.model import to_input
from digits.worker.predict import load, predict

ROOT = Path(__file__).parents[2]
REPRESENTATIVE = 200  # training images that show the converter the range of every layer
TIMEOUT = 600  # seconds
GROUPS = (  # formats that one process can read: the first takes seconds to load TensorFlow
    ("keras", "h5", "savedmodel"),
    ("litert", "litert-float16", "litert-int8"),
    ("onnx",),
)
NEEDS = "Needs packages that are not installed: " + COMMAND


def export(
    run: Run,
    report: Callable[[str], None] = lambda message: None,
    names: Collection[str] = tuple(FORMATS),
) -> None:
    """Write and check those of these formats that are missing; ``exports.read`` then has them.

    A format that cannot be written or read gets a sentence there, and the others go on. Raises
    ``ValueError`` when the run has no model, and as ``datasets.load`` does.
    """
    network = load(ModelRef(run))
    try:
        wanted = [name for name in exports.missing(run) if name in names]
        known = exports.read(run)
    except ValueError:  # a damaged file is made anew
        wanted, known = list(names), exports.Exports(checks={}, problems={})
    x, y = datasets.load_test(run.recipe.dataset)
    p = predict(network, x)
    for group in GROUPS:
        written = []
        for name in (name for name in group if name in wanted):
            known["problems"].pop(name, None)
            report(f"Writing {FORMATS[name].title}.")
            try:
                write(run, network, name)
                written.append(name)
            except ValueError as error:
                known["problems"][name] = str(error)
        if written:
            report(f"Testing {', '.join(FORMATS[name].title for name in written)}.")
        try:
            known["checks"] |= check(run, written, x, y, p)
        except ValueError:  # for one of them at least
            for name in written:
                try:
                    known["checks"] |= check(run, [name], x, y, p)
                except ValueError as error:
                    known["problems"][name] = str(error)
        exports.write(run, known)


def write(run: Run, network: keras.Model, name: str) -> None:
    """Write the file of one format. Raises ``ValueError`` with a sentence where that is impossible.

    Models are in float32; an input is (n, 28, 28, 1) float32 from 0 for paper to 1 for full ink, in
    int8 files, too.
    """
    format = FORMATS[name]
    if not all(map(find_spec, format.packages)):
        raise ValueError(NEEDS)
    if name in ("keras", "h5"):
        if not files.is_plain(run.folder, format.file):
            raise ValueError(f"{format.file} is missing; train the run again.")
        return
    exports.path(run, name).parent.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        try:
            made = _convert(run, network, name, Path(folder))
        except (RuntimeError, ValueError, TypeError, NotImplementedError, ConverterError) as error:
            why = files.reason(error).split(". ")[0][:160]
            raise ValueError(f"{format.title} cannot express this network: {why}") from error
        files.replace(run.folder, format.file, lambda path: shutil.copyfile(made, path))


def _convert(run: Run, network: keras.Model, name: str, folder: Path) -> Path:
    """The model of one format, in a file of that folder."""
    if name == "onnx":
        network.export(folder / "model.onnx", format="onnx", verbose=False)
        return folder / "model.onnx"
    network.export(folder / "model", format="tf_saved_model", verbose=False)
    if name == "savedmodel":
        return Path(shutil.make_archive(str(folder / "zipped"), "zip", folder / "model"))
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "model"))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]  # none of TensorFlow's
    if name != "litert":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if name == "litert-float16":
        converter.target_spec.supported_types = [tf.float16]
    if name == "litert-int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: _representative(run)
    (folder / "model.tflite").write_bytes(converter.convert())
    return folder / "model.tflite"


def _representative(run: Run) -> Iterator[list[np.ndarray]]:
    """Training images of the run, one at a time."""
    recipe = run.recipe
    data = datasets.load(recipe.dataset, recipe.split, train_images=recipe.train_images)
    for image in data.x_train[:REPRESENTATIVE]:
        yield [to_input(image[None]).numpy()]


def check(
    run: Run, names: list[str], x: np.ndarray, y: np.ndarray, p: np.ndarray
) -> dict[str, Check]:
    """What files answer in a process of their own for ``x``, (n, 28, 28) uint8, labeled ``y``.

    ``p``, (n, 10), are the probabilities of the Keras model. Raises ``ValueError`` when a file
    cannot be read again.
    """
    if not names:
        return {}
    paths = [exports.path(run, name) for name in names]
    with TemporaryDirectory() as folder:
        images, out = Path(folder) / "images.npy", Path(folder) / "probabilities.npy"
        np.save(images, x)
        command = [sys.executable, "-m", "digits.worker.verify", *map(str, (images, out, *paths))]
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT
            )
        except subprocess.TimeoutExpired as error:
            raise ValueError(
                f"{FORMATS[names[-1]].title} did not answer within {TIMEOUT} s."
            ) from error
        if done.returncode:
            why = files.reason(ValueError(done.stderr.strip().rpartition("\n")[2]))
            raise ValueError(
                f"{FORMATS[names[-1]].title} was written, but cannot be read again: {why:.200}"
            )
        answers, milliseconds = np.load(out), json.loads(done.stdout.splitlines()[-1])
    return {
        name: Check(
            bytes=path.stat().st_size,
            milliseconds=time,
            accuracy=float((q.argmax(axis=1) == y).mean()),
            differing=int((q.argmax(axis=1) != p.argmax(axis=1)).sum()),
            largest_difference=float(np.abs(q - p).max().clip(0, 1)),
            images=len(y),
        )
        for name, path, time, q in zip(names, paths, milliseconds, answers, strict=True)
    }
