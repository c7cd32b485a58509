"""Rows on answers: from the end of a stroke to the answer in the page, and in the engine."""

from itertools import pairwise
from typing import Any

import numpy as np
from playwright.sync_api import Page

from digits import run
from digits.engine import Engine
from tests.benchmark import served
from tests.benchmark.measure import Measured, alternate, clock, figure, goal, line
from tests.conftest import until

STROKES = 30
THREE = [(95, 70), (130, 55), (175, 65), (185, 95), (165, 125), (130, 135), (170, 142),
         (192, 175), (175, 215), (130, 228), (90, 210)]  # fmt: skip
CLOCK = """() => document.addEventListener('mouseup',
    () => { window.lifted = performance.now() }, true)"""
ANSWERED = """() => document.querySelector('[data-testid=stMetricValue]')
    && (performance.now() - window.lifted)"""


def answer() -> list[dict[str, Any]]:
    """One digit: in the Draw page and in the engine, idle and while a run trains."""
    import keras

    from digits.predict import SHIPPED

    keras_model = keras.models.load_model(SHIPPED, compile=False)
    blank = np.random.default_rng(0).random((1, 28, 28)).astype(np.float32)
    lines = []
    with served.engine() as engine, served.browsers() as [browser]:
        address = engine.client.scheduler.address
        with served.served(DIGITS_SCHEDULER=address) as app:
            page = served.visitor(browser, f"{app.url}/draw")
            page.evaluate(CLOCK)
            _stroke(page)
            lines += _rows("idle", page, engine, keras_model, blank)
            job = run.create(served.LONG, "Benchmark")
            engine.submit(job)
            until(lambda: job.status.step, 60, "the run to train")
            lines += _rows("while training", page, engine, keras_model, blank)
            engine.stop(job)
    return lines


def _rows(
    when: str, page: Page, engine: Engine, keras_model: Any, x: np.ndarray
) -> list[dict[str, Any]]:
    shown = [_stroke(page) for _ in range(STROKES)]

    def ask() -> Measured:
        return clock(lambda: engine.predict("shipped", x))

    def predict() -> Measured:
        return clock(lambda: keras_model.predict(x[..., None], verbose=0))

    pairs = alternate(ask, predict, rounds=30)
    ours, baseline = ([1e3 * pair[side][0] for pair in pairs] for side in (0, 1))
    return [
        goal(f"answer, {when}: ms from mouse-up to the page", shown, 400, 0),
        figure(f"answer, {when}: the same, 95th percentile", [float(np.quantile(shown, 0.95))], 0),
        line(f"answer, {when}: ms in the engine, model.predict", ours, baseline),
    ]


def _stroke(page: Page) -> float:
    """Draw on an empty canvas; milliseconds from the end of the stroke to the answer."""
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Draw a digit from 0 to 9").wait_for()
    canvas = page.locator("canvas.upper-canvas")
    canvas.wait_for()
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.wait_for_timeout(300)  # the canvas comes to rest
    box = canvas.bounding_box()
    assert box
    points = [(box["x"] + x, box["y"] + y) for x, y in THREE]
    page.mouse.move(*points[0])
    page.mouse.down()
    for _, point in pairwise(points):
        page.mouse.move(*point, steps=3)
    page.mouse.up()
    return float(page.wait_for_function(ANSWERED, polling="raf").json_value())
