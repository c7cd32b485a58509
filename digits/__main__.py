"""The command line: train, recognize and score without a browser."""

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from digits.data import datasets
from digits.data.datasets import DATASETS
from digits.evaluation.metrics import bootstrap_interval, wilson_interval
from digits.ink import image_files, pen_digits, preprocessing
from digits.recipes import space
from digits.recipes.differences import default_name
from digits.recipes.hyperparameters import Hyperparameter
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import HYPERPARAMETERS, Recipe, parse_dense
from digits.recipes.suggest import SAMPLERS
from digits.store import exports, runs, sweeps
from digits.store.comparison import recipe_before
from digits.store.models import SHIPPED_MODEL, ModelRef
from digits.store.run_folder import Run
from digits.store.status import Owner, Status


def main() -> None:
    """Run one command; bad input is one sentence on stderr and exit code 1."""
    parser = argparse.ArgumentParser("python -m digits", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("train", help="train a preset; the last line is JSON")
    command.add_argument("preset", choices=PRESETS)
    for name, described in HYPERPARAMETERS.items():
        _add_option(command, name, described)
    command.add_argument("--name", help="name of the run")
    seeds = "take runs of these seeds, without distillation, as teachers; train them where missing"
    command.add_argument(
        "--teacher-seeds", type=parse_dense, default=(), metavar="SEED,…", help=seeds
    )
    command.add_argument(
        "--ship", action="store_true", help="make the model the app's shipped model"
    )
    command.set_defaults(do=train)

    command = commands.add_parser("sweep", help="search hyperparameters; the last line is JSON")
    command.add_argument("preset", choices=PRESETS)
    for name in HYPERPARAMETERS:
        _add_search_option(command, name)
    command.add_argument("--trials", type=int, default=30, help="recipes to try")
    command.add_argument("--minutes", type=float, help="in which trials begin and go on")
    command.add_argument(
        "--sampler", choices=SAMPLERS, default="tpe", help="how the next recipe is chosen"
    )
    command.add_argument("--sampler-seed", type=int, default=0, metavar="SEED")
    command.add_argument(
        "--promotion",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="train most trials for a few epochs, and only the best go on",
    )
    command.add_argument(
        "--workers", type=int, help="trials at a time, of one thread each; one of all cores without"
    )
    command.set_defaults(do=sweep)

    command = commands.add_parser("recognize", help="recognize the digit in a picture")
    command.add_argument("image", type=Path)
    command.add_argument("--run", help="id of a finished run; the shipped model without it")
    command.set_defaults(do=recognize)

    command = commands.add_parser("score-drawings", help="accuracy on a file of drawn digits")
    command.add_argument("file", type=Path)
    command.add_argument("--run", help="id of a finished run; the shipped model without it")
    stages = [field.name for field in dataclasses.fields(preprocessing.Preprocessing)]
    command.add_argument(
        "--without", nargs="+", choices=stages, default=[], help="preprocessing stages to skip"
    )
    command.add_argument(
        "--anywhere", type=int, metavar="SEED", help="draw at random places, sizes and brushes"
    )
    _add_writers(command)
    command.set_defaults(do=score_drawings)

    command = commands.add_parser(
        "score-numbers", help="accuracy on numbers composed of drawn digits"
    )
    command.add_argument("file", type=Path)
    command.add_argument("--numbers", type=int, default=100)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--run", help="id of a finished run; the shipped model without it")
    _add_writers(command)
    command.set_defaults(do=score_numbers)

    command = commands.add_parser("export", help="write a run's model for other tools, checked")
    command.add_argument("run", help="id of a finished run")
    command.add_argument("--format", choices=exports.FORMATS, required=True)
    command.set_defaults(do=export)

    command = commands.add_parser("ensemble", help="write several runs' models as one, averaged")
    command.add_argument("runs", nargs="+", metavar="run", help="id of a finished run")
    command.add_argument("--to", type=Path, required=True, metavar="FILE.keras")
    shift = "also average over copies of each image, moved by up to PIXELS"
    command.add_argument("--shift", type=int, default=0, metavar="PIXELS", help=shift)
    command.set_defaults(do=ensemble)

    arguments = parser.parse_args()
    try:
        print(json.dumps(arguments.do(arguments)))
    except (ValueError, LookupError, OSError) as error:
        sys.exit(f"{error}")


def _add_writers(command: argparse.ArgumentParser) -> None:
    """The option that scores one half of the writers alone."""
    command.add_argument(
        "--writers", choices=pen_digits.HALVES, help="one half of the writers; all without it"
    )


def _add_option(command: argparse.ArgumentParser, name: str, described: Hyperparameter) -> None:
    """The option of a hyperparameter; the recipe itself refuses what is out of range."""
    option, help = f"--{name.replace('_', '-')}", described.help.replace("%", "%%")
    if described.kind is bool:
        command.add_argument(option, action=argparse.BooleanOptionalAction, help=help)
        return
    metavar = f"{{{','.join(described.choices)}}}" if described.choices else None
    convert = described.parse or described.kind
    command.add_argument(option, type=convert, metavar=metavar, help=help)


def _add_search_option(command: argparse.ArgumentParser, name: str) -> None:
    """The option of a hyperparameter of a sweep: one value, or a range or list to search."""
    help = "one value for all trials"
    if name in space.SEARCHABLE:
        help += f", or a search such as {space.suggestion(name)}"
    command.add_argument(f"--{name.replace('_', '-')}", metavar="VALUES", help=help)


def train(arguments: argparse.Namespace) -> dict:
    """Train a preset with some of its hyperparameters changed; gives the run's result."""
    options = {name: getattr(arguments, name) for name in HYPERPARAMETERS}
    changes = {name: value for name, value in options.items() if value is not None}
    recipe = dataclasses.replace(PRESETS[arguments.preset].recipe, **changes)
    if arguments.teacher_seeds and not recipe.distillation:
        raise ValueError("Teachers need a share of the loss, such as --distillation 0.9.")
    _download(recipe.dataset)
    for seed in arguments.teacher_seeds:
        alone = dataclasses.replace(recipe, distillation=0.0, teachers=(), seed=seed)
        teacher = runs.finished(alone) or _trained(alone, arguments.preset)
        recipe = dataclasses.replace(recipe, teachers=(*recipe.teachers, teacher.id))
    run = _trained(recipe, arguments.preset, arguments.name)
    if arguments.ship:
        shutil.copyfile(run.model_path, SHIPPED_MODEL)
    return dict(run.result() or {})


def _trained(recipe: Recipe, preset: str, name: str = "") -> Run:
    """A run of the recipe, trained now. Raises ``ValueError`` where it fails."""
    from digits.worker.trainer import train  # seconds of TensorFlow, so after the recipe's checks

    name = name or default_name(recipe, preset, recipe_before(recipe, runs.all()))
    preset = preset if recipe == PRESETS[preset].recipe else ""
    run = runs.create(recipe, name, preset)
    run.write_status(Status("queued", epochs=recipe.epochs, owner=Owner.of(os.getpid())))
    result = train(run, _training_progress)
    print(file=sys.stderr)
    if result is None:
        raise ValueError(run.status.message)
    return run


def sweep(arguments: argparse.Namespace) -> dict:
    """Search the hyperparameters that have several values; gives the best and its accuracies."""
    from digits.engine import Engine
    from digits.engine import sweeps as driver

    texts = {name: getattr(arguments, name) for name in HYPERPARAMETERS}
    given = {name: text for name, text in texts.items() if text is not None}
    fixed, searched = space.split(given)
    plan = sweeps.Plan(
        base=dataclasses.replace(PRESETS[arguments.preset].recipe, **fixed),
        space=space.Space.parse(searched),
        preset=arguments.preset,
        trials=arguments.trials,
        minutes=arguments.minutes,
        sampler=arguments.sampler,
        seed=arguments.sampler_seed,
        promotion=arguments.promotion,
    )
    engine = Engine(arguments.workers)
    try:
        _download(plan.base.dataset)
        created = sweeps.create(plan)
        driver.drive(created, engine, _sweep_progress)
    finally:
        engine.close()
    print(file=sys.stderr)
    answer, progress = created.answer(created.trials()), created.progress
    if answer.best is None or not answer.test_accuracies:
        raise ValueError(progress.message or "The winner could not be trained.")
    accuracies = answer.test_accuracies
    return {
        "sweep": created.id,
        "best_val_accuracy": answer.best.accuracy,
        "best": space.to_texts(dict(answer.best.values)),
        "trials": answer.trials,
        "epochs": answer.epochs,
        "test_accuracy": {
            "mean": statistics.mean(accuracies),
            "range": [min(accuracies), max(accuracies)],
            "seeds": len(accuracies),
        },
    }


def recognize(arguments: argparse.Namespace) -> dict:
    """The digit in a picture and its ten probabilities."""
    ink = image_files.read_image(arguments.image)
    [probabilities] = _model(arguments.run)(preprocessing.normalize(ink)[None])
    return {"digit": int(probabilities.argmax()), "probabilities": probabilities.tolist()}


def score_drawings(arguments: argparse.Namespace) -> dict:
    """The model's accuracy on the digits of a stroke file, drawn with the canvas's brush.

    Its 95 % interval comes twice: as if all digits were independent, and over writers.
    """
    from digits.ink import score

    options = preprocessing.Preprocessing(**dict.fromkeys(arguments.without, False))
    model, anywhere = _model(arguments.run), arguments.anywhere
    told = score.score(arguments.file, model, options, anywhere, arguments.writers)
    by_writer = np.array(told.pop("by_writer"))  # (writers, 2)
    return told | {
        "interval": wilson_interval(told["correct"], told["digits"]),
        "writers": len(by_writer),
        "interval_over_writers": bootstrap_interval(*by_writer.T),
    }


def score_numbers(arguments: argparse.Namespace) -> dict:
    """The share of numbers, each composed of one writer's digits, that are wholly correct."""
    from digits.multidigit import benchmark

    model = _model(arguments.run)
    numbers, seed, writers = arguments.numbers, arguments.seed, arguments.writers
    return benchmark.score(arguments.file, model, numbers, seed, writers)


def export(arguments: argparse.Namespace) -> dict:
    """Where the file of that format lies, and what it answered for the test images."""
    run, name = runs.open(arguments.run), arguments.format
    from digits.worker.export import export

    export(run, lambda message: print(message, file=sys.stderr), [name])
    known = exports.read(run)
    if name in known["problems"]:
        raise ValueError(known["problems"][name])
    return {"file": str(exports.path(run, name)), **known["checks"][name]}


def ensemble(arguments: argparse.Namespace) -> dict:
    """Where the model of all these runs lies, and what it classifies correctly."""
    group = [runs.open(id) for id in arguments.runs]
    from digits.worker.ensemble import write_ensemble

    return write_ensemble(group, arguments.to, arguments.shift)


def _model(id: str | None) -> Callable[[np.ndarray], np.ndarray]:
    """A run's model, or the shipped one; TensorFlow is imported when it is first asked."""
    model = ModelRef(runs.open(id)) if id else ModelRef()

    def predict(x: np.ndarray) -> np.ndarray:
        from digits.worker.predict import load, predict

        return predict(load(model), x)

    return predict


def _download(dataset: str) -> None:
    """Download a data set that is not on this machine, where that can be done."""
    download = DATASETS[dataset].download
    if download and not datasets.available(dataset):
        download(_download_progress)


def _training_progress(status: Status) -> None:
    left = "" if status.seconds_left is None else f", {status.seconds_left:.0f} s left"
    epoch = f"epoch {min(status.epoch + 1, status.epochs)}/{status.epochs}"
    speed = f"{status.images_per_second:,.0f} images/s"
    line = f"{epoch}, step {status.step:,}/{status.steps:,}, {speed}{left} {status.message}"
    print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _sweep_progress(sweep: sweeps.Sweep) -> None:
    trials, plan = sweep.trials(), sweep.plan
    answer, progress = sweep.answer(trials), sweep.progress
    active = sum(trial.state == "active" for trial in trials)
    line = f"{answer.trials} of {plan.trials} trials, {active} active, {answer.epochs} epochs"
    if answer.best:
        line += f", best {answer.best.accuracy:.2%}: {space.describe(dict(answer.best.values))}"
    print(f"\r\033[K{line} {progress.message}", end="", file=sys.stderr, flush=True)


def _download_progress(done: int, total: int) -> None:
    print(f"\rDownloading MNIST: {done:,} of {total:,} bytes", end="", file=sys.stderr)


if __name__ == "__main__":
    main()
