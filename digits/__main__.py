"""The command line: train, recognize and score without a browser."""

import argparse
import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from digits.data import datasets, mnist_files
from digits.ink import image_files, preprocessing
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.status import Owner, Status

HYPERPARAMETERS = {"train_images": int} | {
    field.name: field.type
    for field in dataclasses.fields(Recipe)
    if field.type in (int, float, str) and field.name != "dataset"
}


def main() -> None:
    """Run one command; a mistake in what was asked is one sentence on stderr and exit code 1."""
    parser = argparse.ArgumentParser("python -m digits", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("train", help="train a preset; the last line is JSON")
    command.add_argument("preset", choices=PRESETS)
    command.add_argument("--dataset", choices=datasets.NAMES)
    for option, kind in HYPERPARAMETERS.items():
        command.add_argument(f"--{option.replace('_', '-')}", type=kind)
    command.add_argument("--name")
    command.add_argument(
        "--ship", action="store_true", help="put the model where the Draw page's shipped one is"
    )
    command.set_defaults(do=train)

    command = commands.add_parser("recognize", help="read the digit in a picture")
    command.add_argument("image", type=Path)
    command.add_argument("--run", help="id of a finished run; the shipped model without it")
    command.set_defaults(do=recognize)

    command = commands.add_parser("score-drawings", help="how many drawn digits are read right")
    command.add_argument("file", type=Path)
    command.add_argument("--run", help="id of a finished run; the shipped model without it")
    steps = [field.name for field in dataclasses.fields(preprocessing.Preprocessing)]
    command.add_argument(
        "--without", nargs="+", choices=steps, default=[], help="steps of preparation to leave out"
    )
    command.add_argument(
        "--anywhere", type=int, metavar="SEED", help="draw them anywhere, any size, with any brush"
    )
    command.set_defaults(do=score_drawings)

    command = commands.add_parser(
        "score-numbers", help="how many numbers composed of drawn digits are read whole"
    )
    command.add_argument("file", type=Path)
    command.add_argument("--numbers", type=int, default=100)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--run", help="id of a finished run; the shipped model without it")
    command.set_defaults(do=score_numbers)

    arguments = parser.parse_args()
    try:
        print(json.dumps(arguments.do(arguments)))
    except (ValueError, LookupError, OSError) as error:
        sys.exit(f"{error}")


def train(arguments: argparse.Namespace) -> dict:
    """Train a preset with some of its hyperparameters changed; gives the run's result."""
    from digits.worker.trainer import train

    preset = PRESETS[arguments.preset]
    asked = {name: getattr(arguments, name) for name in ("dataset", *HYPERPARAMETERS)}
    changes = {name: value for name, value in asked.items() if value is not None}
    recipe = dataclasses.replace(preset.recipe, **changes)
    if recipe.dataset != "uci" and not datasets.available(recipe.dataset):
        mnist_files.download(_download_progress)
    job = runs.create(recipe, arguments.name or preset.title, preset=arguments.preset)
    job.write_status(Status("queued", epochs=recipe.epochs, owner=Owner.of(os.getpid())))
    result = train(job, _training_progress)
    print(file=sys.stderr)
    if result is None:
        raise ValueError(job.status.message)
    if arguments.ship:
        from digits.store.models import SHIPPED_MODEL

        shutil.copyfile(job.model_path, SHIPPED_MODEL)
    return result


def recognize(arguments: argparse.Namespace) -> dict:
    """The digit in a picture and its ten probabilities."""
    ink = image_files.read_image(arguments.image)
    [probabilities] = _model(arguments.run)(preprocessing.normalize(ink)[None])
    return {"digit": int(probabilities.argmax()), "probabilities": probabilities.tolist()}


def score_drawings(arguments: argparse.Namespace) -> dict:
    """How many of a stroke file's digits the model reads, drawn with the canvas's own brush."""
    from digits.ink import score

    options = preprocessing.Preprocessing(**dict.fromkeys(arguments.without, False))
    return score.score(arguments.file, _model(arguments.run), options, arguments.anywhere)


def score_numbers(arguments: argparse.Namespace) -> dict:
    """How many numbers, composed of one writer's digits each, the model reads whole."""
    from digits.multidigit import benchmark

    model = _model(arguments.run)
    return benchmark.score(arguments.file, model, arguments.numbers, arguments.seed)


def _model(id: str | None) -> Callable[[np.ndarray], np.ndarray]:
    from digits.store.models import ModelRef
    from digits.worker import predict

    model = predict.load(ModelRef(runs.open(id)) if id else ModelRef())
    return lambda x: predict.predict(model, x)


def _training_progress(status: Status) -> None:
    left = "" if status.seconds_left is None else f", {status.seconds_left:.0f} s left"
    epoch = f"epoch {min(status.epoch + 1, status.epochs)}/{status.epochs}"
    speed = f"{status.images_per_second:,.0f} images/s"
    line = f"{epoch}, step {status.step:,}/{status.steps:,}, {speed}{left} {status.message}"
    print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _download_progress(done: int, total: int) -> None:
    print(f"\rDownloading MNIST: {done:,} of {total:,} bytes", end="", file=sys.stderr)


if __name__ == "__main__":
    main()
