"""What the rules of ``digits/evaluation/diagnosis.py`` make of recorded training runs.

``python -m benchmarks.diagnosis`` prints their confusion matrix; ``--record`` first trains again
what is not in the file of recordings, one run after the other, half a minute each.
"""

import argparse
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from digits.evaluation.diagnosis import Curves, diagnose
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Conv, Recipe
from digits.store.curves import for_diagnosis, judged

RECORDED = Path("tests/evaluation/recorded_runs.npz")
FINE = ("still improving", "training below validation", "healthy")  # no reason for alarm

SMALL = Recipe(dataset="mnist", train_images=2_000, batch_size=32, epochs=6)  # conv 32, 64, dense
WIDE = replace(SMALL, conv=(Conv(32), Conv(64)), dense=(256, 128))
NORMED = replace(
    PRESETS["fast"].recipe, dataset="mnist", train_images=5_000, epochs=3, label_smoothing=0.0
)
SOFTMAX = replace(SMALL, conv=(), dense=())
DENSE = replace(SMALL, conv=(), dense=(128,))
UCI = replace(SMALL, dataset="uci", train_images=None, epochs=10)


def preset(name: str) -> Recipe:
    """A preset as the page starts it where there is no MNIST."""
    recipe = PRESETS[name].recipe
    return replace(recipe, dataset="uci", epochs=max(recipe.epochs, 20))


# Trained when the rules stood: healthy recipes, to see how often these are called ill.
LATER = [
    (recipe, {"seed": seed})
    for seed in (10, 11, 12)
    for recipe in (
        replace(preset("fast"), epochs=8),
        replace(UCI, schedule="cosine"),
        replace(UCI, schedule="one-cycle", learning_rate=0.005),
        replace(UCI, schedule="one-cycle", optimizer="sgd", learning_rate=0.05, epochs=12),
        replace(UCI, schedule="cosine", optimizer="nadam", dropout=0.2),
        replace(NORMED, epochs=2),
    )
]

# What each run was made for: its kind, by the recipe alone.
RUNS: dict[str, list[tuple[Recipe, dict[str, Any]]]] = {
    "guessing": [
        (SMALL, {"optimizer": "sgd", "learning_rate": 1e-5, "epochs": 3}),
        (SMALL, {"optimizer": "sgd", "learning_rate": 5e-5, "epochs": 4, "seed": 1}),
        (SMALL, {"optimizer": "adadelta", "learning_rate": 1e-5, "epochs": 3}),
        (WIDE, {"optimizer": "adadelta", "learning_rate": 0.0001, "epochs": 5, "seed": 2}),
        (UCI, {"optimizer": "adadelta", "learning_rate": 0.0005}),
        (UCI, {"optimizer": "sgd", "learning_rate": 1e-5, "activation": "tanh"}),
        (UCI, {"optimizer": "sgd", "activation": "sigmoid", "learning_rate": 0.001}),
        (SMALL, {"activation": "sigmoid", "learning_rate": 1e-5, "epochs": 4}),
        (WIDE, {"activation": "sigmoid", "optimizer": "sgd", "learning_rate": 0.01, "epochs": 5}),
        (SMALL, {"train_images": 500, "batch_size": 512, "learning_rate": 1e-5, "epochs": 10}),
        (replace(UCI, conv=(Conv(8),) * 2, dense=(16,)), {"learning_rate": 1e-5, "epochs": 5}),
    ],
    "diverged": [
        (PRESETS["too-hot"].recipe, {"train_images": 5_000}),
        (PRESETS["too-hot"].recipe, {"train_images": 10_000, "epochs": 1, "seed": 1}),
        (SMALL, {"learning_rate": 0.5, "epochs": 3}),
        (WIDE, {"learning_rate": 0.1, "epochs": 4}),
        (WIDE, {"optimizer": "rmsprop", "learning_rate": 0.1, "epochs": 4}),
        (SMALL, {"optimizer": "nadam", "learning_rate": 0.2, "epochs": 4}),
        (SMALL, {"optimizer": "sgd", "learning_rate": 1.0, "epochs": 4}),
        (UCI, {"optimizer": "sgd", "learning_rate": 5.0, "activation": "gelu"}),
        (UCI, {"learning_rate": 0.1}),
        (UCI, {"learning_rate": 1.0, "seed": 1}),
        (UCI, {"optimizer": "rmsprop", "learning_rate": 0.2, "schedule": "cosine"}),
    ],
    "rate too low": [
        (SMALL, {"learning_rate": 2e-5}),
        (SMALL, {"learning_rate": 5e-5, "epochs": 3, "seed": 1}),
        (WIDE, {"optimizer": "sgd", "learning_rate": 0.0005}),
        (SMALL, {"optimizer": "sgd", "learning_rate": 0.0005, "seed": 1}),
        (UCI, {"learning_rate": 2e-5}),
        (UCI, {"learning_rate": 5e-5, "epochs": 6, "schedule": "cosine"}),
        (UCI, {"optimizer": "sgd", "learning_rate": 0.001, "epochs": 6}),
        (preset("adadelta"), {}),
        (SMALL, {"optimizer": "rmsprop", "learning_rate": 1e-5}),
        (DENSE, {"optimizer": "sgd", "learning_rate": 0.0005, "epochs": 4}),
        (WIDE, {"optimizer": "adamw", "learning_rate": 2e-5, "epochs": 4, "batch_size": 64}),
    ],
    "rate too high": [
        (SMALL, {"learning_rate": 0.02}),
        (SMALL, {"learning_rate": 0.02, "seed": 1, "epochs": 10}),
        (DENSE, {"learning_rate": 0.1}),
        (DENSE, {"learning_rate": 0.2, "epochs": 10, "seed": 1}),
        (SOFTMAX, {"learning_rate": 0.5, "epochs": 8}),
        (SOFTMAX, {"learning_rate": 0.2, "optimizer": "rmsprop"}),
        (DENSE, {"optimizer": "sgd", "learning_rate": 0.5, "seed": 1}),
        (UCI, {"learning_rate": 0.02}),
        (UCI, {"learning_rate": 0.02, "seed": 1}),
        (UCI, {"optimizer": "rmsprop", "learning_rate": 0.02}),
        (WIDE, {"activation": "tanh", "learning_rate": 0.02}),
    ],
    "overfitting": [
        (SMALL, {"train_images": 500, "epochs": 30}),
        (UCI, {"train_images": 200, "epochs": 40, "seed": 1, "learning_rate": 0.002}),
        (UCI, {"train_images": 100, "epochs": 40, "seed": 2, "learning_rate": 0.002}),
        (DENSE, {"train_images": 500, "epochs": 15, "seed": 2, "learning_rate": 0.005}),
        (UCI, {"conv": (), "dense": (512,), "epochs": 40, "train_images": 200}),
        (WIDE, {"train_images": 500, "epochs": 12, "learning_rate": 0.002}),
        (UCI, {"conv": (), "dense": (256, 256), "epochs": 30, "train_images": 100, "seed": 3}),
        (UCI, {"train_images": 100, "epochs": 40, "optimizer": "rmsprop", "seed": 4}),
        (DENSE, {"train_images": 200, "epochs": 16, "dense": (512,), "learning_rate": 0.002}),
        (UCI, {"train_images": 50, "epochs": 50, "seed": 5, "dense": (128,)}),
    ],
    "underfitting": [
        (SMALL, {"conv": (Conv(8),), "head": "global-average", "dense": (), "epochs": 10}),
        (UCI, {"conv": (Conv(8),), "head": "global-average", "dense": (), "epochs": 30}),
        (UCI, {"conv": (Conv(8),) * 2, "head": "global-average", "dense": (), "epochs": 30}),
        (SMALL, {"dropout": 0.9, "epochs": 10}),
        (DENSE, {"dense": (16,), "dropout": 0.9, "epochs": 8, "learning_rate": 0.005}),
        (UCI, {"dropout": 0.9, "epochs": 25, "conv": (Conv(8),), "dense": (16,)}),
        (SMALL, {"conv": (Conv(8),), "dense": (16,), "rotation": 180.0, "shift": 6.0}),
        (SOFTMAX, {"shift": 5.0, "rotation": 30.0, "epochs": 8}),
        (SMALL, {"conv": (Conv(8, 11),), "head": "global-max", "dense": (), "epochs": 10}),
        (DENSE, {"dense": (16,), "shift": 6.0, "epochs": 8, "learning_rate": 0.005}),
    ],
    "still improving": [
        (SMALL, {"learning_rate": 0.0002, "epochs": 3}),
        (SMALL, {"learning_rate": 0.0002, "epochs": 4, "seed": 1}),
        (SMALL, {"epochs": 2, "train_images": 5_000, "learning_rate": 0.0005}),
        (WIDE, {"epochs": 2, "seed": 1}),
        (UCI, {"learning_rate": 0.0005, "epochs": 3}),
        (UCI, {"learning_rate": 0.0002, "epochs": 6, "seed": 1}),
        (preset("one-hot"), {"epochs": 6}),
        (SMALL, {"optimizer": "sgd", "learning_rate": 0.005, "epochs": 4}),
        (DENSE, {"learning_rate": 0.0005, "epochs": 4, "seed": 1}),
        (SOFTMAX, {"learning_rate": 0.0005, "epochs": 5}),
    ],
    "training below validation": [
        (PRESETS["fast"].recipe, {}),
        (PRESETS["fast"].recipe, {"train_images": 20_000, "seed": 2}),
        (PRESETS["fast"].recipe, {"train_images": 10_000, "epochs": 2}),
        (replace(SMALL, train_images=20_000, batch_size=64), {"epochs": 1}),
        (preset("tiny"), {"epochs": 12}),
        (preset("simple"), {}),
        (replace(SMALL, dropout=0.5, conv_dropout=0.25), {"train_images": 10_000, "epochs": 4}),
        (UCI, {"dropout": 0.5, "conv_dropout": 0.3, "epochs": 20}),
        (NORMED, {"shift": 2.0, "rotation": 15.0, "zoom": 0.1, "epochs": 6}),
        (preset("best"), {"epochs": 8, "seed": 1}),
    ],
    "healthy": [
        (preset("fast"), {}),
        (preset("fast"), {"seed": 2, "epochs": 8}),
        (preset("one-hot"), {"seed": 1}),
        (UCI, {"schedule": "cosine", "epochs": 15}),
        (UCI, {"schedule": "one-cycle", "learning_rate": 0.005, "seed": 1}),
        (UCI, {"schedule": "cosine", "optimizer": "nadam", "seed": 2, "epochs": 12}),
        (SMALL, {"train_images": 5_000, "schedule": "cosine", "epochs": 5}),
        (WIDE, {"train_images": 10_000, "schedule": "one-cycle", "epochs": 3, "dropout": 0.3}),
        (UCI, {"schedule": "one-cycle", "optimizer": "sgd", "learning_rate": 0.05, "epochs": 15}),
        (UCI, {"batch_norm": True, "schedule": "cosine", "epochs": 12, "seed": 3}),
        *LATER[:14],
    ],
}


# Where the curve shows something else than the run was made for.
READ = {
    "diverged 9": "rate too high",  # it jumped, and then learned
    "diverged 7": "guessing",
    "rate too high 4": "diverged",  # it jumped, and hardly learned
    "underfitting 1": "guessing",
    "underfitting 2": "guessing",
    "underfitting 9": "still improving",
    "training below validation 3": "healthy",  # 99.0 and 98.9 %
    "training below validation 5": "healthy",  # 99.0 and 99.3 %
    "training below validation 9": "healthy",  # 98.6 and 98.7 %
}


@dataclass(frozen=True)
class Recorded:
    """A run's curves, with the kind that somebody who looked at them says it is.

    ``held_out`` runs were not looked at while the rules were tuned.
    """

    name: str
    kind: str
    recipe: Recipe
    curves: Curves
    held_out: bool


def recipes() -> dict[str, Recipe]:
    """Every run's recipe, by the kind that it was made for and a number."""
    return {
        f"{kind} {number}": replace(recipe, **changes)
        for kind, made in RUNS.items()
        for number, (recipe, changes) in enumerate(made, 1)
    }


def recorded() -> list[Recorded]:
    """All recorded runs, in the order of the table."""
    with np.load(RECORDED) as file:
        arrays = dict(file)
    return [
        _recorded(name, recipe, arrays)
        for name, recipe in recipes().items()
        if f"{name} about" in arrays
    ]


def _recorded(name: str, recipe: Recipe, arrays: dict[str, np.ndarray]) -> Recorded:
    batches = dict(zip(("loss", "accuracy"), arrays[f"{name} steps"].astype(float), strict=True))
    metrics = ("loss", "accuracy", "val_loss", "val_accuracy")
    ends = dict(zip(metrics, arrays[f"{name} epochs"].astype(float), strict=True))
    steps, infinite, held_out = arrays[f"{name} about"].tolist()
    curves = judged(recipe, batches, ends, steps=steps, infinite=bool(infinite))
    kind = READ.get(name, name.rpartition(" ")[0])
    return Recorded(name, kind, recipe, curves, bool(held_out))


def record_missing() -> None:
    """Train what is not recorded, and keep the curves, in half precision."""
    arrays = dict(np.load(RECORDED)) if RECORDED.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIGITS_RUNS"] = folder
        for name, recipe in recipes().items():
            if f"{name} about" not in arrays:
                print(name, flush=True)
                arrays |= _record(name, recipe)
                np.savez_compressed(RECORDED, **arrays)


def _record(name: str, recipe: Recipe) -> dict[str, np.ndarray]:
    from digits.worker.trainer import train
    from tests.conftest import queued

    run = queued(recipe, name)
    train(run)
    curves = for_diagnosis(run)
    ends = (curves.train_loss, curves.train_accuracy, curves.val_loss, curves.val_accuracy)
    return {
        f"{name} steps": np.array([curves.loss.clip(max=6e4), curves.accuracy], np.float16),
        f"{name} epochs": np.array(ends, np.float32),
        f"{name} about": np.array([run.status.steps, curves.infinite, True], np.int32),
    }


def confusions(judged_runs: list[Recorded]) -> dict[tuple[str, str], int]:
    """How often a run of one kind is said to be of another, or of its own."""
    counts: dict[tuple[str, str], int] = {}
    for one in judged_runs:
        diagnosis = diagnose(one.curves)
        pair = one.kind, diagnosis.kind if diagnosis else "nothing"
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.diagnosis", description=__doc__)
    parser.add_argument("--record", action="store_true", help="train what is not recorded")
    if parser.parse_args().record:
        record_missing()
    for title, held_out in (("Tuned on", False), ("Held out", True)):
        part = [one for one in recorded() if one.held_out == held_out]
        counts = confusions(part)
        kinds = list(RUNS)
        print(f"\n{title}: {len(part)} runs; rows are what they are, columns what the rules say")
        print("| |", " | ".join(kinds), "|\n|:--|", "--:|" * len(kinds), sep="")
        for kind in kinds:
            row = [counts.get((kind, said), 0) for said in kinds]
            print(f"| {kind} |", " | ".join(str(count or "") for count in row), "|")
        right = sum(count for (kind, said), count in counts.items() if kind == said)
        fine = sum(count for (kind, _), count in counts.items() if kind in FINE)
        alarms = sum(n for (kind, said), n in counts.items() if kind in FINE and said not in FINE)
        print(f"{right} of {len(part)} right; {alarms} of {fine} healthy runs called ill")


if __name__ == "__main__":
    main()
