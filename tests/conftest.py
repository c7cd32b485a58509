"""Fixtures: a folder of runs, a running app, and a browser to drive it with."""

import functools
import gc
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from streamlit.components.v2 import manifest_scanner

from digits.data import datasets
from digits.recipes.recipe import Conv, Recipe
from digits.store import runs
from digits.store.runs import Run
from digits.store.status import Status

ROOT = Path(__file__).parents[1]
PATIENCE = 180  # seconds after which a test calls what it waits for lost; no measure of speed
expect.set_options(timeout=PATIENCE * 1000)
TINY = Recipe(  # trained in a second
    dataset="uci",
    conv=(),
    dense=(),
    batch_size=200,
    epochs=1,
    train_images=400,
    precision="float32",
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# Every run of an AppTest looks through all installed packages for components: 0.6 s, nine tenths of
# the test. The packages do not change meanwhile.
manifest_scanner.scan_component_manifests = functools.cache(
    manifest_scanner.scan_component_manifests
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, and say so."""
    for item in items:
        if item.get_closest_marker("mnist") and not datasets.available("mnist"):
            item.add_marker(pytest.mark.skip(reason="MNIST is not on this machine"))
        if item.get_closest_marker("browser") and not CHROMIUM:
            item.add_marker(pytest.mark.skip(reason="Chromium is not on this machine"))


@pytest.fixture(autouse=True)
def frozen() -> None:
    """Spare what is loaded already the garbage collections of every run of a page.

    There are two, of 0.3 s each once a test has loaded TensorFlow.
    """
    gc.freeze()


@pytest.fixture(autouse=True)
def runs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a folder of runs of its own, and one of drawings."""
    monkeypatch.setenv("DIGITS_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("DIGITS_DRAWINGS", str(tmp_path / "drawings"))
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three epochs on UCI's digits; tests get copies of it."""
    from digits.worker.trainer import train

    root = tmp_path_factory.mktemp("trained")
    recipe = Recipe(
        dataset="uci",
        conv=(Conv(16),),
        dense=(32,),
        learning_rate=0.005,
        batch_size=64,
        epochs=3,
        precision="float32",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RUNS", str(root))
        job = queued(recipe, "Trained")
    train(job)
    return job.folder


def queued(recipe: Recipe, name: str = "Test") -> Run:
    """A run that waits to be trained, as those do that a page has queued."""
    run = runs.create(recipe, name)
    run.write_status(Status("queued", epochs=recipe.epochs))
    return run


@pytest.fixture
def trained(trained_once: Path, runs_root: Path) -> Run:
    """A finished run of the test's own."""
    return Run(Path(shutil.copytree(trained_once, runs_root / trained_once.name)))


class App:
    """The app served from a process of its own, with its own folder of runs."""

    def __init__(self, runs: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.runs = runs
        self.url = f"http://127.0.0.1:{port}"
        self.log = runs.with_suffix(".log")
        command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
        options = ["--server.address=127.0.0.1", "--server.headless=true"]
        self.process = subprocess.Popen(
            [*command, *options, "--server.fileWatcherType=none"],
            cwd=ROOT,
            env={
                **os.environ,
                "DIGITS_RUNS": str(runs),
                "DIGITS_DRAWINGS": str(runs.with_name("drawings")),
                **environment,
            },
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )
        until(lambda: self.healthy(), "the server to answer")

    def healthy(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).status == 200
        except OSError:
            return False

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for something to become true; fail with what was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(0.1)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One server for all tests that do not harm it."""
    served = App(tmp_path_factory.mktemp("app") / "runs")
    yield served
    served.close()


@pytest.fixture(scope="session")
def runs_folder(app: App) -> Path:
    """Where the shared server keeps its runs."""
    return app.runs


@pytest.fixture(scope="session")
def server(app: App) -> str:
    """Address of the shared server."""
    return app.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor at a desktop."""
    opened = new_page(browser, viewport={"width": 1280, "height": 900})
    yield opened
    opened.context.close()


def new_page(browser: Browser, **options: Any) -> Page:
    """A page of a fresh visitor; ``options`` are those of Playwright's contexts."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE * 1000)
    return context.new_page()
