"""The row on the Mistakes page: from one epoch to the next, the first picture, and memory."""

import time
from typing import Any

from playwright.sync_api import Page

from benchmarks import served
from benchmarks.measure import figure, goal
from digits.data import datasets
from digits.recipes.recipe import Conv, Recipe
from digits.store import runs

EPOCHS = 20
RECIPE = Recipe(
    dataset=datasets.default(),
    conv=(Conv(8, 5), Conv(16)),
    dense=(),
    batch_size=512,
    learning_rate=0.003,
    epochs=EPOCHS,
)
# What moves with the epoch: a figure, the matrix and the gallery.
SHOWN = """window.shown = () => [
    document.querySelector('.st-key-mistakes-figures p')?.textContent,
    JSON.stringify(document.querySelector('.st-key-mistakes-matrix .plot')?.data?.[0]?.z ?? ''),
    [...document.querySelectorAll('*')].map(one => one.shadowRoot?.querySelector('.gallery'))
        .find(one => one)?.textContent]"""
CLOCK = """() => { window.before = window.shown(); document.addEventListener('keydown',
    () => { window.pressed = performance.now() }, {capture: true, once: true}) }"""
MOVED = """() => window.shown().every((now, i) => now !== window.before[i])
    && performance.now() - window.pressed"""
PICTURED = "() => window.shown().every(part => part) && performance.now()"


def mistakes() -> list[dict[str, Any]]:
    """The page of a run of twenty epochs: all of it follows the arrow keys on the slider."""
    with served.engine() as engine:
        address = engine.client.scheduler.address
        with served.served(DIGITS_SCHEDULER=address) as app, served.browsers() as [browser]:
            run = runs.create(RECIPE, "Benchmark")
            engine.submit(run)
            served.wait_until_done(run)
            size = sum(file.stat().st_size for file in run.folder.rglob("*") if file.is_file())
            link = f"{app.url}/mistakes?run={run.id}"
            first = []
            for _ in range(3):
                page = served.visitor(browser, link)
                page.evaluate(SHOWN)
                found = page.wait_for_function(PICTURED, polling="raf")
                first.append(float(found.json_value()))
                moved = [_step(page, "ArrowLeft") for _ in range(EPOCHS - 1)]
            memory = served.mebibytes(served.server(app))
    return [
        goal("mistakes: ms from a key to the next epoch", moved, 300, 0),
        figure("mistakes: ms from the link to the first picture", first, 0),
        figure("mistakes: MiB of the server", [memory], 0),
        figure(f"mistakes: MiB of a run folder of {EPOCHS} epochs", [size / 2**20]),
    ]


def _step(page: Page, key: str) -> float:
    """Milliseconds from the key until figure, matrix and gallery have all changed."""
    time.sleep(0.5)
    page.get_by_role("slider", name="Epoch").focus()
    page.evaluate(CLOCK)
    page.keyboard.press(key)
    return float(page.wait_for_function(MOVED, polling="raf").json_value())
