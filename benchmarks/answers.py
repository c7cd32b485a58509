"""The row on predictions: from the end of a stroke to the answer in the page, and in the engine."""

import re
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, expect

from benchmarks import served
from benchmarks.measure import Measured, alternate, clock, figure, goal, line
from digits.engine import Engine
from digits.ink.canvas import CANVAS_SIDE
from digits.store import runs
from digits.store.models import ModelRef
from tests.conftest import until

STROKES = 30
EMPTY = re.compile("Draw a (digit from 0 to 9|number, its digits side by side)")
THREE: list[tuple[float, float]] = [
    (95, 70),
    (130, 55),
    (175, 65),
    (185, 95),
    (165, 125),
    (130, 135),
    (170, 142),
    (192, 175),
    (175, 215),
    (130, 228),
    (90, 210),
]
Line = list[tuple[float, float]]
DRAWINGS: dict[
    str, list[Line]
] = {  # x, y of every stroke, each a digit, by what the page is told that it reads
    "Digit": [THREE],
    "Number": [[(x + right, y) for x, y in THREE] for right in (0, 150, 300)],
}
CLOCK = """() => {
    const shown = () => document.querySelector('[data-testid=stMetricValue]')?.innerText
        ?? document.querySelector('.answer:not([data-provisional]) .bars')?.ariaLabel
    document.addEventListener('mouseup', () => {
        const [before, lifted] = [shown(), performance.now()]
        window.waited = () => ![before, undefined].includes(shown()) && performance.now() - lifted
    }, true)
}"""
# Of each time that the bars move during a stroke: its age, since the movement that it answers.
FOLLOW = """() => {
    const answer = document.querySelector('.answer')
    let moved
    window.ages = []
    window.strokes = 0  // milliseconds of drawing
    document.addEventListener('mousedown', (event) => { window.strokes -= event.timeStamp }, true)
    document.addEventListener('mouseup', (event) => { window.strokes += event.timeStamp }, true)
    document.addEventListener('pointermove', (event) => { moved = event.timeStamp }, true)
    new MutationObserver(() => {
        if ('provisional' in answer.dataset) window.ages.push(performance.now() - moved)
    }).observe(answer, { childList: true, subtree: true, attributes: true })
}"""
LIMITS = {"idle": 130, "while training": 180}  # milliseconds from mouse-up, in the median


def answer() -> list[dict[str, Any]]:
    """Strokes in the Draw page, of a digit and of a number, and one digit in the engine.

    All of it idle and while a run trains.
    """
    import keras

    from digits.store.models import SHIPPED_MODEL

    keras_model = keras.models.load_model(SHIPPED_MODEL, compile=False)
    noise = np.random.default_rng(0).integers(0, 256, (1, 28, 28), np.uint8)
    lines = []
    with served.engine() as engine, served.browsers() as [browser]:
        address = engine.client.scheduler.address
        with served.served(DIGITS_SCHEDULER=address) as app:
            lines += _rows("idle", browser, app.url, engine, keras_model, noise)
            run = runs.create(served.LONG, "Benchmark")
            engine.submit(run)
            until(lambda: run.status.step, "the run to train", 60)
            lines += _rows("while training", browser, app.url, engine, keras_model, noise)
            engine.stop(run)
    return lines


def _rows(
    when: str, browser: Browser, address: str, engine: Engine, keras_model: Any, x: np.ndarray
) -> list[dict[str, Any]]:
    lines = []
    for what, drawing in DRAWINGS.items():
        page = served.visitor(browser, f"{address}/draw?source={what.lower()}")
        page.evaluate(CLOCK)
        _draw(page, drawing)
        if what == "Digit":
            page.evaluate(FOLLOW)
        shown = [ms for _ in range(STROKES // len(drawing)) for ms in _draw(page, drawing)]
        title = f"answer, {what.lower()}, {when}: "
        lines.append(goal(title + "ms from mouse-up", shown, LIMITS[when], 0))
        lines.append(goal(title + "95th percentile", [float(np.quantile(shown, 0.95))], 250, 0))
        if what == "Digit":
            ages, milliseconds = page.evaluate("[ages, strokes]")
            title = f"answer, during the stroke, {when}: "
            lines.append(goal(title + "ms behind the pen", ages, 50, 0))
            lines.append(goal(title + "95th percentile", [float(np.quantile(ages, 0.95))], 50, 0))
            lines.append(figure(title + "answers a second", [1e3 * len(ages) / milliseconds], 0))
        page.context.close()

    scaled = x[..., None] / np.float32(255)

    def ask() -> Measured:
        return clock(lambda: engine.predict(ModelRef(), x))

    def predict() -> Measured:
        return clock(lambda: keras_model.predict(scaled, verbose=0))

    pairs = alternate(ask, predict, rounds=30)
    ours, baseline = ([1e3 * pair[side][0] for pair in pairs] for side in (0, 1))
    return [*lines, line(f"answer, {when}: ms in the engine, model.predict", ours, baseline)]


def _draw(page: Page, drawing: list[Line]) -> list[float]:
    """Draw on an empty canvas; milliseconds from the end of each stroke to its answer."""
    page.get_by_role("button", name="Clear").click()
    page.get_by_text(EMPTY).wait_for()
    canvas = page.locator("canvas.upper-canvas")
    expect(canvas).to_have_count(1)  # the old one stays until the new one has come
    waited = []
    for stroke in drawing:
        page.wait_for_selector("[data-test-script-state=notRunning]")
        page.wait_for_timeout(300)  # the canvas comes to rest, and so does a hand between digits
        box = canvas.bounding_box()
        assert box
        scale = box["height"] / CANVAS_SIDE
        points = [(box["x"] + scale * x, box["y"] + scale * y) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=3)
        page.mouse.up()
        waited.append(page.wait_for_function("waited()").json_value())
    return waited
