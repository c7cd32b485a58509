"""Rows on training: throughput, the race to 99 %, and the evaluation of the test set."""

import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.measure import ROUNDS, line
from digits.data import datasets
from digits.recipes.layers import layers
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Recipe

SEEDS = 10  # of the race
PAUSE = 0.5  # seconds, for OpenMP's threads keep a core busy for a while after their work
FREE_MEMORY_LATER = {  # glibc gives big blocks back at once, which costs PyTorch half its speed
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
}


class Contestant:
    """A process of its own that trains or evaluates whenever it is its turn."""

    def __init__(self, name: str, **settings: Any) -> None:
        settings = {"dataset": datasets.default(), "epochs": 1, **settings}
        best = FREE_MEMORY_LATER if name == "torch" else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contestants", name, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **best},
        )

    def turn(self, seed: int) -> dict[str, float]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{seed}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise OSError("A contestant died; what it said stands above.")
        return json.loads(answer)

    def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def take_turns(
    contestants: dict[str, Contestant], rounds: int, warm_up: bool = True
) -> dict[str, list[dict[str, float]]]:
    """One uncounted round where it warms up, then everybody in turn, round after round."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for number in range(-1 if warm_up else 0, rounds):
        for name, contestant in contestants.items():
            time.sleep(PAUSE)
            took = contestant.turn(max(0, number))
            if number >= 0:
                found[name].append(took)
            print(f"\r\033[K{name}: round {number + 1} of {rounds}", end="", file=sys.stderr)
    print(file=sys.stderr)
    for contestant in contestants.values():
        contestant.leave()
    return found


def throughput() -> list[dict[str, Any]]:
    """Full epochs of three-blocks: ours with publishing, Keras ``fit``, PyTorch at its best."""
    lines = []
    n = len(datasets.load(datasets.default()).x_train)
    for batch_size in (128, 32):
        exact: dict[str, Any] = {"preset": "three-blocks", "batch_size": batch_size}
        common = exact | {"precision": "auto"}
        found = take_turns(
            {
                "ours": Contestant("ours", **common),
                "ours, float32": Contestant("ours", **exact),
                "fit": Contestant("fit", **common),
                "PyTorch": Contestant("torch", **common),
                "PyTorch, float32": Contestant("torch", **exact),
                "peak": Contestant("peak", **common),
                "peak, float32": Contestant("peak", **exact),
            },
            ROUNDS,
        )
        for us, them in (
            ("ours", "fit"),
            ("ours", "PyTorch"),
            ("ours, float32", "fit"),
            ("ours, float32", "PyTorch, float32"),
        ):
            for kind, key in (("wall", "seconds"), ("processor", "cpu_seconds")):
                a, b = ([1e6 * took[key] / n for took in found[name]] for name in (us, them))
                lines.append(line(f"batch {batch_size}, {us} : {them}, {kind} µs/image", a, b))
        for suffix in ("", ", float32"):
            speed = statistics.median(n / took["seconds"] for took in found["ours" + suffix])
            peak = statistics.median(took["flops"] for took in found["peak" + suffix])
            flops = speed * operations(PRESETS["three-blocks"].recipe)
            lines.append(
                {
                    "what": f"batch {batch_size}, ours{suffix} : matrix product, GFLOP/s",
                    "ours": f"{flops / 1e9:.0f}",
                    "baseline": f"{peak / 1e9:.0f}",
                    "ratio": f"{flops / peak:.0%} of the peak",
                }
            )
    return lines


def operations(recipe: Recipe) -> int:
    """Floating-point operations to train on one image: forward, and twice that backward.

    The first layer needs no gradient of the image. Only convolutions and dense layers count.
    """
    total = 0
    first = True
    for layer in layers(recipe):
        if layer.kind in ("Conv2D", "Dense"):
            units = layer.shape[-1]
            places = layer.shape[0] * layer.shape[1] if layer.kind == "Conv2D" else 1
            total += (2 if first else 3) * 2 * places * (layer.parameters - units)
            first = False
    return total


def time_to_99() -> list[dict[str, Any]]:
    """Seconds until a test accuracy of 99 %: ``sprint`` against PyTorch and keras.io's example.

    Ours and PyTorch's clock both count all from the run's start in a warm process to the tested
    network. That of keras.io's example stands still for loading data, building and testing.
    """
    settings = {"preset": "sprint"}
    against_torch = take_turns(
        {"sprint": Contestant("ours", **settings), "PyTorch": Contestant("torch", **settings)},
        SEEDS,
    )
    race = {
        "sprint": Contestant("ours", **settings),
        "keras.io": Contestant("keras_io", **settings),
    }
    race["sprint"].turn(0)  # a warm worker has trained before
    against_keras = take_turns(race, ROUNDS, warm_up=False)
    ours, pytorch = (
        [took["whole_seconds"] for took in against_torch[name]] for name in ("sprint", "PyTorch")
    )
    lines = [line("sprint : PyTorch, the same network and epoch, s", ours, pytorch)]
    ours = [took["whole_seconds"] for took in against_keras["sprint"]]
    example = [took["seconds"] for took in against_keras["keras.io"]]
    lines.append(line("sprint : keras.io, s", ours, example))
    for name, took in (against_torch | {"keras.io": against_keras["keras.io"]}).items():
        accuracies = [one["test_accuracy"] for one in took]
        lines.append(
            {
                "what": f"{name}: test accuracy, median ({min(accuracies):.2%} at least)",
                "ours": f"{statistics.median(accuracies):.2%}",
                "baseline": "",
                "ratio": f"epochs {statistics.median(one.get('epochs', 1) for one in took):g}",
            }
        )
    return lines


def evaluate() -> list[dict[str, Any]]:
    """The 10,000 test images: ours against ``model.predict``."""
    found = take_turns(
        {
            "ours": Contestant("evaluate", preset="three-blocks"),
            "keras": Contestant("keras_predict", preset="three-blocks"),
        },
        5,
    )
    lines = []
    for kind, key in (("wall", "seconds"), ("processor", "cpu_seconds")):
        a, b = ([1e3 * took[key] for took in found[name]] for name in ("ours", "keras"))
        lines.append(line(f"evaluate the test set : predict, {kind} ms", a, b))
    return lines
