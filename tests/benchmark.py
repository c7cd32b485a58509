"""How fast it is: ``python -m tests.benchmark [row …] [--json]``, ours against a baseline.

Each row alternates ours and the baseline in one process, several rounds, and gives medians, the
ratio and its spread, with processor time beside wall time. MNIST is used where it is at hand.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = 3
Measured = tuple[float, float]  # seconds on the wall, seconds of the processor


def main() -> None:
    """Run the rows that are asked for, all of them by default; the table comes last."""
    parser = argparse.ArgumentParser("python -m tests.benchmark", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], metavar="row", help=" ".join(ROWS))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory() as runs:
        os.environ["DIGITS_RUNS"] = runs
        found = [line for row in asked.rows or ROWS for line in ROWS[row]()]
    if asked.json:
        print(json.dumps({"processor": processor(), "rows": found}))
        return
    print(f"\n{processor()}, {os.cpu_count()} cores\n")
    for line in found:
        print(f"{line['what']:<52} {line['ours']:>10} {line['baseline']:>10}  {line['ratio']}")


def processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if "model name" in line]
    return names[0].split(":")[1].strip() if names else "unknown processor"


def throughput() -> list[dict[str, Any]]:
    """Training of the three-blocks network: our loop with publishing on, against Keras ``fit``."""
    import dataclasses

    from digits import data, model, run
    from digits.presets import PRESETS
    from digits.status import Status
    from digits.train import train

    lines = []
    dataset = data.default()
    for batch_size in (128, 32):
        recipe = dataclasses.replace(
            PRESETS["three-blocks"].recipe, dataset=dataset, batch_size=batch_size, epochs=1
        )
        x = data.load(dataset).x_train
        n = len(x)

        def ours(recipe: Any = recipe) -> Measured:
            job = run.create(recipe, "benchmark")
            job.write_status(Status("queued", epochs=1))
            train(job)
            epochs = job.epochs()  # the clock of the run stands still in validation and start
            return float(epochs["seconds"][0]), float(epochs["cpu_seconds"][0])

        def fit(recipe: Any = recipe) -> Measured:
            digits = data.load(dataset)
            inputs = digits.x_train[..., None].astype(np.float32) / 255
            network = model.build(recipe)
            network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            options = {"batch_size": recipe.batch_size, "verbose": 0}
            network.fit(inputs[:512], digits.y_train[:512], **options)
            return clock(lambda: network.fit(inputs, digits.y_train, **options))

        pairs = alternate(ours, fit)
        for kind, index in (("wall", 0), ("processor", 1)):
            a, b = ([1e6 * pair[side][index] / n for pair in pairs] for side in (0, 1))
            lines.append(line(f"throughput, batch {batch_size}: {kind} µs per image", a, b))
    return lines


def answer() -> list[dict[str, Any]]:
    """One digit through the engine, idle and while a run trains, against ``model.predict``."""
    import keras

    from digits import data, run
    from digits.engine import Engine
    from digits.predict import SHIPPED
    from digits.recipe import Conv, Recipe

    engine = Engine()
    blank = np.random.default_rng(0).random((1, 28, 28)).astype(np.float32)
    keras_model = keras.models.load_model(SHIPPED, compile=False)
    engine.predict("shipped", blank)

    def ask() -> Measured:
        return clock(lambda: engine.predict("shipped", blank))

    def predict() -> Measured:
        return clock(lambda: keras_model.predict(blank[..., None], verbose=0))

    def row(what: str) -> dict[str, Any]:
        pairs = alternate(ask, predict, rounds=30)
        return line(what, [1e3 * a[0] for a, _ in pairs], [1e3 * b[0] for _, b in pairs])

    lines = [row("answer, idle: ms")]
    busy = Recipe(dataset=data.default(), conv=(Conv(64), Conv(64)), batch_size=32, epochs=50)
    job = run.create(busy, "busy")
    engine.submit(job)
    while job.status.step == 0:
        time.sleep(0.2)
    lines.append(row("answer, while training: ms"))
    engine.stop(job)
    engine.close()
    return lines


def alternate(
    ours: Callable[[], Measured], baseline: Callable[[], Measured], rounds: int = ROUNDS
) -> list[tuple[Measured, Measured]]:
    """One uncounted round to warm up, then ours and the baseline in turn."""
    ours(), baseline()
    pairs = []
    for number in range(rounds):
        pairs.append((ours(), baseline()))
        print(f"\r{number + 1} of {rounds} rounds", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return pairs


def clock(work: Callable[[], object]) -> Measured:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def line(what: str, ours: list[float], baseline: list[float]) -> dict[str, Any]:
    """Medians, and the median and spread of the ratios of each round."""
    ratios = [a / b for a, b in zip(ours, baseline, strict=True)]
    return {
        "what": what,
        "ours": f"{statistics.median(ours):.1f}",
        "baseline": f"{statistics.median(baseline):.1f}",
        "ratio": f"{statistics.median(ratios):.2f} × ({min(ratios):.2f} – {max(ratios):.2f})",
    }


ROWS: dict[str, Callable[[], list[dict[str, Any]]]] = {"throughput": throughput, "answer": answer}

if __name__ == "__main__":
    main()
