"""The pages of the app in states worth showing, for pictures, screenshots and tests.

A scene opens a page in Chromium and brings it into its state. The app runs on MNIST where it is at
hand, else on UCI's digits.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page

from digits.data import datasets
from digits.ink import collection, synthetic
from digits.store import runs, sweeps
from digits.store.runs import Run
from tests.conftest import ROOT, App, until
from tests.sweeps import searched

SMALL_SEVEN = [(0.21, 0.59), (0.39, 0.59), (0.34, 0.71), (0.29, 0.86)]  # fractions of the canvas
CANVAS = "canvas.upper-canvas"
ANSWERED = ".answer:not([data-provisional]) .digit:not(:empty)"
MATRIX = ".st-key-mistakes-matrix .nsewdrag"

# No element is still loading, and every chart is drawn.
DRAWN = """() => !document.querySelector('[data-testid=stSkeleton], [data-testid=stSpinner]')
  && [...document.querySelectorAll('.plot')].every(plot => plot.querySelector('.main-svg'))"""

# The main part of the page scrolls by itself, so the document's own width would not tell.
EXTENT = """() => {
  const parts = [document.documentElement, document.querySelector('[data-testid=stMain]')]
  return ['scrollWidth', 'scrollHeight'].map(name => Math.max(...parts.map(part => part[name])))
}"""


@contextmanager
def served(folder: Path) -> Iterator[App]:
    """The app on ``runs`` and ``drawings`` in this folder, which this process shares."""
    os.environ["DIGITS_RUNS"] = str(folder / "runs")
    os.environ["DIGITS_DRAWINGS"] = str(folder / "drawings")
    app = App(folder / "runs")
    try:
        yield app
    finally:
        app.close()


def train(*arguments: str, command: str = "train") -> list[str]:
    """The command that trains a preset, on UCI's digits where MNIST is missing."""
    words = [sys.executable, "-m", "digits", command, *arguments]
    return words if datasets.available("mnist") else [*words, "--dataset", "uci"]


def train_runs() -> None:
    """Three finished runs in the shared folder, trained by the command line."""
    few = ["--epochs", "5", "--train-images", "1000"]
    if datasets.available("mnist"):
        few[-1] = "12000"
    for arguments in (["fast", "--epochs", "1"], ["three-blocks", *few], ["simple", *few]):
        subprocess.run(train(*arguments), check=True, cwd=ROOT, capture_output=True)


def train_sweep() -> None:
    """A finished sweep in the shared folder, driven by the command line."""
    searched = ["--learning-rate", "1e-4..1e-1", "--batch-size", "16,32,64,128"]
    searched += ["--dropout", "0..0.6"]
    fixed = ["--epochs", "9", "--train-images", "1200", "--trials", "16"]  # all fit the table
    words = train("simple", *searched, *fixed, command="sweep")
    subprocess.run(words, check=True, cwd=ROOT, capture_output=True)


def add_drawings() -> None:
    """A hundred synthetic drawings or so in the shared folder."""
    random = np.random.default_rng(0)
    for label, variants in synthetic.VARIANTS.items():
        for variant in variants.values():
            tilt = np.eye(2) + random.normal(0, 0.08, (2, 2))
            collection.add(label, [tilt @ stroke for stroke in synthetic.parse(variant)])


@contextmanager
def halted_run() -> Iterator[Run]:
    """A run that has been halted in its third epoch, so that every look at it shows the same."""
    before = set(runs.all())
    arguments = train("three-blocks", "--epochs", "20", "--train-images", "1000")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(arguments, cwd=ROOT, **quiet)
    created: list[Run] = []

    def is_going() -> bool:
        created[:] = [run for run in runs.all() if run not in before]
        return bool(created) and created[0].status.epoch >= 2

    try:
        until(is_going, "two epochs of training")
        process.send_signal(signal.SIGSTOP)
        yield created[0]
    finally:
        process.kill()
        process.wait()
        for run in created:
            run.delete()


def longest() -> Run:
    """The finished run of most epochs, which has the most to show; none of a simulated sweep."""
    return max((run for run in runs.done() if run.has_model), key=lambda run: run.recipe.epochs)


def settle(page: Page, milliseconds: int = 600) -> None:
    """Wait until the script has run, its elements are there and its charts are drawn."""
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")
    page.wait_for_timeout(milliseconds)
    page.wait_for_function(DRAWN)


def extent(page: Page) -> tuple[int, int]:
    """Width and height of what the page shows, in pixels."""
    width, height = page.evaluate(EXTENT)
    return width, height


def show_at_top(target: Locator) -> None:
    """Scroll until the target is near the upper edge, below the menu."""
    target.evaluate("element => { element.style.scrollMarginTop = '7rem' }")
    target.evaluate("element => element.scrollIntoView()")
    target.page.wait_for_timeout(500)


def draw(
    page: Page,
    points: list[tuple[float, float]] = SMALL_SEVEN,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Draw a line on the canvas, given in fractions of it; ``after`` is called at each point."""
    page.locator(CANVAS).scroll_into_view_if_needed()
    settle(page, 1000)
    box = page.locator(CANVAS).bounding_box()
    assert box
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point, steps=6)
        after()
    page.mouse.up()


def gallery(page: Page) -> Locator:
    """The digits of the gallery, each a button."""
    return page.locator(".gallery button")


def largest_confusion(page: Page) -> Locator:
    """The button of the most frequent confusion: label, prediction and count."""
    return page.get_by_role("button", name="→").first


def visit(page: Page, app: App, path: str) -> None:
    """Open a page and wait until it has settled."""
    page.goto(f"{app.url}/{path}")
    settle(page, 2500)


def open_empty(page: Page, app: App) -> None:
    visit(page, app, "")


def open_training(page: Page, app: App) -> None:
    visit(page, app, f"?run={runs.all()[0].id}")


def open_train(page: Page, app: App) -> None:
    visit(page, app, f"?run={longest().id}")


def open_mistakes(page: Page, app: App) -> None:
    """With the first misclassified digit opened."""
    visit(page, app, f"mistakes?run={longest().id}")
    gallery(page).first.click()
    settle(page, 4000)


def open_view(view: str) -> Callable[[Page, App], None]:
    """Opens this view of the Mistakes page."""

    def open_it(page: Page, app: App) -> None:
        visit(page, app, f"mistakes?run={longest().id}&view={view}")
        if view == "embeddings":
            page.locator(".st-key-mistakes-map .nsewdrag").first.wait_for()
        settle(page, 1500)

    return open_it


def open_draw(page: Page, app: App) -> None:
    """With a small 7 in a corner."""
    visit(page, app, "draw")
    draw(page)
    page.locator(ANSWERED).wait_for()
    settle(page, 1500)


def open_drawings(page: Page, app: App) -> None:
    visit(page, app, f"drawings?run={longest().id}")
    gallery(page).first.wait_for()


def open_runs(page: Page, app: App) -> None:
    """With two runs compared."""
    visit(page, app, f"runs?compare={','.join(run.id for run in runs.done()[:2])}")


def open_new_sweep(page: Page, app: App) -> None:
    visit(page, app, "sweeps?sweep=new")


def open_sweeps(page: Page, app: App) -> None:
    """The sweep that was trained, else one whose curves are simulated, which takes no minutes."""
    if not sweeps.all():
        searched(30)
    visit(page, app, "sweeps")


def open_data(page: Page, app: App) -> None:
    visit(page, app, "data")


SCENES = {
    "empty": open_empty,  # before any run
    "train": open_train,
    "mistakes": open_mistakes,
    "per-class": open_view("per-class"),
    "forgetting": open_view("forgetting"),
    "label-errors": open_view("label-errors"),
    "calibration": open_view("calibration"),
    "map": open_view("embeddings"),
    "robustness": open_view("robustness"),
    "compare": open_view("compare"),
    "draw": open_draw,
    "drawings": open_drawings,
    "runs": open_runs,
    "data": open_data,
    "new-sweep": open_new_sweep,
    "sweeps": open_sweeps,
    "training": open_training,  # beside a halted run
}
