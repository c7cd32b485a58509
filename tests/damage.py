"""Runs on disk, and the ways in which a file of theirs can be damaged."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from digits.data import datasets
from digits.recipes.recipe import Finetuning, Recipe
from digits.store import files, finetuning, learning_rate, runs
from digits.store.run_folder import EPOCH_COLUMNS, Run
from digits.store.status import Status

EPOCHS, STEPS = 2, 6
RESULT = {
    "run": "",
    "parameters": 1_000,
    "epochs": EPOCHS,
    "seconds": 9.5,
    "cpu_seconds": 18.0,
    "start_seconds": 1.0,
    "publishing_seconds": 0.5,
    "evaluation_seconds": 0.5,
    "images_per_second": 5_000.0,
    "train_accuracy": 0.9,
    "val_accuracy": 0.9,
    "val_loss": 0.3,
    "test_accuracy": 0.9,
    "test_loss": 0.3,
    "test_images": 360,
    "precision": "float32",
}
KINDS = ("rotation", "shift", "scale", "noise", "stroke_width")
CURVE = {
    "unit": "pixels",
    "strengths": [0, 1],
    "accuracy": [0.9, 0.8],
    "per_digit": [[0.9] * 10, [0.8] * 10],
    "images": 360,
}


def complete_run(name: str = "Damaged", finetunes: bool = True) -> Run:
    """A finished run on UCI's digits with every file that pages read, but for models."""
    recipe = Recipe(dataset="uci", epochs=EPOCHS, learning_rate=0.002)
    if finetunes:
        finetune = Finetuning("20260101-000000-abcdef")
        recipe = Recipe(dataset="uci", epochs=EPOCHS, learning_rate=0.002, finetune=finetune)
    run = runs.create(recipe, name)
    _, y = datasets.load_test("uci")
    _, y_val = datasets.load_val("uci")
    p, p_val = (np.eye(10, dtype=np.float32)[labels] * 0.9 + 0.01 for labels in (y, y_val))
    for epoch in range(1, EPOCHS + 1):
        run.write_test_probabilities(p.astype(np.float16), epoch)
        run.write_val_probabilities(p_val.astype(np.float16), epoch)
        run.write_weights(Path.touch, epoch)
    run.append_steps([(step, 0.3, 0.9) for step in range(1, STEPS + 1)])
    run.append_epochs([(epoch, *[0.1] * (len(EPOCH_COLUMNS) - 1)) for epoch in (1, 2)])
    images = np.zeros((20, 28, 28), np.uint8)
    run.write_validation_sample(images, np.arange(20, dtype=np.uint8) % 10, p[:20])
    run.write_test_probabilities(p)
    run.write_embedding_map(np.zeros((len(y), 2), np.float32), "pca")
    run.write_robustness(dict.fromkeys(KINDS, CURVE))
    run.request_pause(1)
    run.remove_weights([3])
    learning_rate.request(run, 0.001)
    learning_rate.record_request(run, 2)
    learning_rate.request(run, 0.003)
    run.write_result(RESULT | {"run": run.id, "test_images": len(y)})
    run.write_status(Status("finished", EPOCHS, EPOCHS, STEPS, STEPS))
    if finetunes:
        y = np.arange(10, dtype=np.uint8)
        seen = np.array(["key"])
        data = finetuning.FinetuningData(images[:6], y[:6], images[:4], y[:4], seen)
        files.write_arrays(run.folder, finetuning.DRAWINGS, data)
        change = finetuning.BeforeAfter(p, p[:4], p[:4], p[:6], p[:6])
        finetuning.write_before_after(run, change)
    return run


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _link_out(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _gigabyte(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**30)


def _with(content: bytes) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(content), None)[1]


# What can lie where any file should be.
INSTEAD: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: None,
    "folder": _folder,
    "pipe": lambda path: os.mkfifo(path),
    "loop": _loop,
    "link out": _link_out,
    "gigabyte": _gigabyte,
    "empty": _with(b""),
    "zeros": _with(bytes(4096)),
    "not UTF-8": _with(b"\xff\xfe\x80" * 50),
    "text": _with(b"step,loss\n1,two\nnan,inf\n"),
    "deep lists": _with(b"[" * 100_000),
    "deep objects": _with(b'{"a":' * 100_000),
    "null": _with(b"null"),
    "list": _with(b"[[]]"),
    "number": _with(b"5"),
    "NaN": _with(b"NaN"),
    "long number": _with(b"1" * 5_000),
}


ANY = tuple(INSTEAD)[:10]  # the others are valid or deep JSON


def damage(path: Path, kind: str) -> None:
    """Put what is wrong in the place of a file or of a whole folder."""
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name(f"away-{path.name}"))
    else:
        path.unlink(missing_ok=True)
    INSTEAD[kind](path)


# What can stand in the place of a value in JSON, as it is written there.
VALUES = ("null", '"x"', "-1", "1e400", "[]", "{}", "NaN", "true", "9" * 400, '"\\ud800"', "0.5")


def json_with(content: dict[str, Any], field: str, value: str) -> str:
    """The JSON of an object in which one field has a value that may not even be JSON."""
    return json.dumps({**content, field: "HERE"}).replace('"HERE"', value)
