"""What fills up over a term: the worker's memory, the disk, the folder of runs."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks import served
from benchmarks.faults.tab import Tab
from benchmarks.measure import figure, goal
from benchmarks.runs import fill
from digits.data import datasets
from digits.engine import Engine
from digits.recipes.recipe import Conv, Recipe
from digits.store import runs
from digits.store.status import UNFINISHED, Status
from tests.conftest import until

RUNS, SETTLED = 30, 10  # trained one after the other; memory is compared with that after the tenth
FOLDERS = 10_000
ROOM = "200m"  # of the small disk: what is left is filled while the run trains
SMALL = Recipe(dataset="uci", conv=(Conv(64), Conv(64)), dense=(256,), epochs=40)

RESUME = """
import pathlib, sys
from digits.store.run_folder import Run
from digits.store.status import Status
Run(pathlib.Path(sys.argv[1])).write_status(Status("queued", epochs=1))
"""


def memory(count: int = RUNS) -> list[dict[str, Any]]:
    """The worker's memory after many runs, against what it was after the tenth."""
    recipe = Recipe(dataset=datasets.default(), conv=(Conv(8),), dense=(), epochs=1, batch_size=256)
    sizes, seconds = [], []
    with served.served(), served.engine() as engine:
        for seed in range(count):
            run = runs.create(recipe, f"Run {seed}")
            begun = time.perf_counter()
            engine.submit(run)
            served.wait_until_done(run, 120)
            seconds.append(time.perf_counter() - begun)
            sizes.append(served.mebibytes(served.worker(psutil.Process())))
            run.delete()
            print(f"\r{count - seed - 1:4} left: {sizes[-1]:,.0f} MiB", end="", file=sys.stderr)
    tenth = min(SETTLED, count - 1)
    who = f"memory: {count} runs of {datasets.default()},"
    return [
        goal(f"{who} MiB above the tenth", [max(sizes[tenth:]) - sizes[tenth - 1]], 150, 0),
        figure(f"{who} MiB of the worker", sizes[tenth - 1 :], 0),
        figure(f"{who} s each", seconds),
    ]


def disk() -> list[dict[str, Any]]:
    """A disk that fills up while a run trains, and has room again later."""
    with _small_disk() as folder:
        if not folder:
            return [figure("disk: left out, no file system may be mounted here", [float("nan")])]
        os.environ["DIGITS_RUNS"] = str(folder / "runs")
        engine = Engine()
        try:
            run = runs.create(SMALL, "Full")
            engine.submit(run)
            until(lambda: run.status.epoch >= 2, "two epochs", 120)
            rubbish = _fill(folder)
            until(lambda: run.status.state not in UNFINISHED, "the run to notice", 120)
            told = run.status
            rubbish.unlink()

            def goes_on() -> bool:
                if run.status.state not in UNFINISHED:
                    engine.submit(run)  # as a visitor does, until it is taken
                return run.status.state == "running"

            until(goes_on, "the run to go on", 120)
            lost = told.epoch - run.status.epoch
            until(lambda: run.status.epoch > told.epoch, "another epoch", 120)
            engine.stop(run)
            served.wait_until_done(run, 120)
            steps = run.step_metrics()["step"]
            broken = int((steps != range(1, len(steps) + 1)).sum())
            run.delete()
        finally:
            engine.close()
    return [
        goal(
            "disk: not told that the disk is full",
            [float("disk is full" not in told.message)],
            0,
            0,
        ),
        goal("disk: epochs lost", [lost], 0, 0),
        goal("disk: steps lost or repeated", [broken], 0, 0),
        goal("disk: left behind by the deleted run", [float(run.folder.exists())], 0, 0),
    ]


def folders(count: int = FOLDERS) -> list[dict[str, Any]]:
    """``count`` runs: the queue that every watcher looks at, and what a page takes."""
    with served.served() as app:
        made = fill(count)
        waiting = made[count // 2]
        waiting.write_status(Status("interrupted", epochs=1))
        runs.queue()
        changing, unchanged = _looks(changing=True), _looks(changing=False)
        resume = [sys.executable, "-c", RESUME, str(waiting.folder)]
        subprocess.run(resume, check=True)  # by another process, as a worker writes
        begun = time.perf_counter()
        until(lambda: waiting in runs.queue(), "the queue to have a new run", 30)
        seen = time.perf_counter() - begun
        waiting.write_status(Status("interrupted", epochs=1))
        pages = {page: Tab(app.url, page=page) for page in ("", "runs", "draw")}
        times = {page: [1e3 * tab.look() for _ in range(5)] for page, tab in pages.items()}
        for tab in pages.values():
            tab.close()
        size = served.mebibytes(served.server(app))
    who = f"folders: {count:,},"
    return [
        *(
            goal(f"{who} ms of the queue, {when}, 95th percentile", [percentile], 20)
            for when, percentile in (("runs added", changing), ("none added", unchanged))
        ),
        goal(f"{who} s until a change is seen", [seen], 1),
        *(
            goal(f"{who} ms of the page {page or 'train'}", took, 1_000, 0)
            for page, took in times.items()
        ),
        goal(f"{who} MiB of the server", [size], 400, 0),
    ]


def _looks(changing: bool) -> float:
    """Milliseconds of looks at the queue, 95th percentile, while runs are added or not."""
    times = []
    for _ in range(20):
        # A folder that changed just now is listed again, for its time stamp is too coarse.
        os.utime(runs.root(), None if changing else (1e9, 1e9))
        time.sleep(1.2 * runs.MAX_AGE)
        begun = time.perf_counter()
        runs.queue()
        times.append(1e3 * (time.perf_counter() - begun))
    return statistics.quantiles(times, n=20)[-1]


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A file system of its own in memory; ``None`` where none may be mounted."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "digits", folder]
        try:
            allowed = not subprocess.run(mount, capture_output=True).returncode
        except FileNotFoundError:
            allowed = False
        try:
            yield Path(folder) if allowed else None
        finally:
            if allowed:
                subprocess.run(["umount", "-l", folder], check=True)


def _fill(folder: Path) -> Path:
    """Take what is left of the disk."""
    rubbish = folder / "rubbish"
    with rubbish.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return rubbish
