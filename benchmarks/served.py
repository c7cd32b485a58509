"""The app as its rows measure it: a server, its cluster and browsers, each process apart."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from digits.data import datasets
from digits.engine import Engine
from digits.recipes.recipe import Conv, Recipe
from digits.store import runs
from digits.store.runs import Run
from digits.store.status import UNFINISHED, Owner, Status
from tests.conftest import CHROMIUM, App, until

LONG = Recipe(dataset=datasets.default(), conv=(Conv(64), Conv(64)), batch_size=32, epochs=50)


@contextmanager
def served(**environment: str) -> Iterator[App]:
    """A fresh server with a folder of runs of its own, which this process shares."""
    before = os.environ.get("DIGITS_RUNS")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIGITS_RUNS"] = str(Path(folder) / "runs")
        app = App(Path(folder) / "runs", **environment)
        try:
            yield app
        finally:
            app.close()
            if before:
                os.environ["DIGITS_RUNS"] = before


@contextmanager
def engine() -> Iterator[Engine]:
    """A cluster of this process whose worker has loaded TensorFlow."""
    line = Engine()
    try:
        line.augment(Recipe(dataset="uci"), 1)
        yield line
    finally:
        line.close()


@contextmanager
def browsers(count: int = 1) -> Iterator[list[Browser]]:
    """Chromium ``count`` times, each in processes of its own."""
    with sync_playwright() as playwright:
        opened = [
            playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for _ in range(count)
        ]
        yield opened
        for browser in opened:
            browser.close()


def visitor(browser: Browser, address: str) -> Page:
    """A page at a desktop with nothing in its cache."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    return page


def queued_run(recipe: Recipe, line: Engine) -> Run:
    """A run whose page waits for it as if it were queued; it starts when it is submitted."""
    run = runs.create(recipe, "Benchmark")
    assert line.cluster
    owner = Owner.of(line.cluster.pid)
    run.write_status(Status("queued", epochs=recipe.epochs, owner=owner))
    return run


def wait_until_done(run: Run, seconds: float = 600) -> None:
    """Wait until the run has ended."""
    until(lambda: run.status.state not in UNFINISHED, f"the end of {run.id}", seconds)


def server(app: App) -> psutil.Process:
    return psutil.Process(app.process.pid)


def scheduler(of: psutil.Process) -> psutil.Process:
    """The process of the scheduler and the nannies, below a server or this process."""
    return next(p for p in of.children() if "digits.engine.cluster" in p.cmdline())


def worker(of: psutil.Process) -> psutil.Process:
    """The process that trains: the one with TensorFlow in it."""
    return max(scheduler(of).children(recursive=True), key=lambda p: p.memory_info().rss)


def chromium() -> list[psutil.Process]:
    """Every process of the browsers that this process opened."""
    below = psutil.Process().children(recursive=True)
    return [p for p in below if p.name().startswith("chrom")]


def cpu(*processes: psutil.Process) -> float:
    """Seconds that the processor has spent on them so far."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def mebibytes(process: psutil.Process) -> float:
    return process.memory_info().rss / 2**20
