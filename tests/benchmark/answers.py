"""Rows on answers: how long a digit takes to be read."""

import time
from typing import Any

import numpy as np

from tests.benchmark.measure import Measured, alternate, clock, line


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
