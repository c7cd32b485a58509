"""The row on many visitors of one run: what they cost the server, and how late they see it."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from benchmarks import served
from benchmarks.measure import figure, goal
from benchmarks.visitors import PACE, TRAINING_CURVE, Visitor, Words, visitors
from digits.engine import Engine
from digits.store.runs import Run
from tests.conftest import App

COUNTS = (1, 10, 30, 100)
WINDOW = 20.0  # seconds
ENDING = 30.0  # seconds that the last visitor has to see the result
# Notes when the curve in the page gets a new last point, and when the result is there.
LISTEN = f"""() => {{ {TRAINING_CURVE}
  window.arrivals = []; setInterval(() => {{
  const x = trainingCurve()?.x.at(-1), last = window.arrivals.at(-1)
  if (x !== undefined && last?.[1] !== x) window.arrivals.push([Date.now() / 1000, x])
  if ([...document.querySelectorAll('[data-testid=stMetricLabel]')].some(
      label => label.textContent === 'Test accuracy')) window.result ??= Date.now() / 1000
  }}, 20) }}"""


def many() -> list[dict[str, Any]]:
    """1 to 100 visitors of a run while it trains and when it ends; one is a real browser."""
    return [line for count in COUNTS for line in crowd(count)]


def crowd(count: int = COUNTS[-1]) -> list[dict[str, Any]]:
    """The rows of a number of visitors."""
    with (
        served.engine() as engine,
        served.browsers() as [browser],
        served.served(DIGITS_SCHEDULER=engine.client.scheduler.address) as app,
    ):
        run = served.queued_run(served.LONG, engine)
        page = served.visitor(browser, "about:blank")
        words = Words(page)
        page.goto(f"{app.url}/?run={run.id}")
        page.get_by_text("queued, next").first.wait_for()
        engine.submit(run)
        page.get_by_text("images/s").wait_for()
        words.wait_for_look()
        page.evaluate(LISTEN)
        with visitors(count - 1, app.url, words) as others:
            page.wait_for_timeout(1e3 * (PACE * count + 3))
            lines = _watching(count, app, run, page, others)
            lines += _ending(count, engine, app, run, page, others)
        page.context.close()
    return lines


def _watching(
    count: int, app: App, run: Run, page: Page, others: list[Visitor]
) -> list[dict[str, Any]]:
    server, seen = served.server(app), []
    with Writing(run) as writing:
        cpu, begun = served.cpu(server), time.time()
        received = sum(other.received for other in others)
        while (now := time.time()) < begun + WINDOW:
            seen.append(served.mebibytes(server))
            page.wait_for_timeout(500)
        share = (served.cpu(server) - cpu) / (now - begun)
        received = sum(other.received for other in others) - received
        page.wait_for_timeout(5000)  # what was written last is still on its way
    per_epoch = run.status.steps / run.status.epochs
    browser = _delays(writing, page.evaluate("window.arrivals"), per_epoch, begun, now)
    delays = [_delays(writing, other.arrivals, per_epoch, begun, now) for other in others]
    worst = [float(np.quantile(each, 0.95)) for each in delays or [browser]]
    who, crowded = _who(count), count > 30
    rows = [
        goal(f"{who}: server, share of a core", [share], 1.0 if crowded else 0.5),
        goal(f"{who}: server, MiB", [max(seen)], 600 if crowded else 400, 0),
        goal(f"{who}: s behind, 95th percentile, slowest", [max(worst)], 3 if crowded else 2),
        figure(f"{who}: s behind, in the browser", browser),
    ]
    if delays:
        rows.append(figure(f"{who}: s behind, the others", [float(np.median(d)) for d in delays]))
        kib = received / 1024 / WINDOW / len(others)
        rows.append(figure(f"{who}: KiB/s to each", [kib], 0))
    return rows


def _ending(
    count: int, engine: Engine, app: App, run: Run, page: Page, others: list[Visitor]
) -> list[dict[str, Any]]:
    """The run is stopped: how long until each visitor has the result, and what that costs."""
    engine.stop(run)
    served.wait_until_done(run)
    ended, server = (run.folder / "status.json").stat().st_mtime, served.server(app)
    cpu = served.cpu(server)
    end = time.monotonic() + ENDING

    def seen() -> list[float]:
        return [page.evaluate("window.result ?? Infinity"), *(other.result for other in others)]

    while max(seen()) == np.inf and time.monotonic() < end:
        page.wait_for_timeout(100)
    page.wait_for_timeout(3000)
    waited = [moment - ended for moment in seen()]
    who, crowded = _who(count), count > 30
    late = float(np.quantile(waited, 0.95))
    return [
        goal(f"{who}: s to the result, 95th percentile", [late], 3 if crowded else 2),
        figure(f"{who}: processor s of the server at the end", [served.cpu(server) - cpu]),
    ]


def _who(count: int) -> str:
    return f"many: {count} visitor{'s' * (count > 1)}"


def _delays(
    writing: "Writing",
    arrivals: list[tuple[float, float]],
    per_epoch: float,
    begun: float,
    end: float,
) -> list[float]:
    """Seconds from each writing of steps to the first curve of a visitor that reaches them."""
    times = np.array([moment for moment, _ in arrivals])
    steps = np.array([round(x * per_epoch) for _, x in arrivals])
    delays = []
    for moment, step in writing.noted:
        if begun <= moment <= end:
            reached = np.flatnonzero(steps >= step)
            delays.append(times[reached[0]] - moment if len(reached) else np.inf)
    return delays


class Writing(threading.Thread):
    """Notes when steps are written to the run's folder: seconds since 1970, the last step."""

    def __init__(self, run: Run) -> None:
        super().__init__(daemon=True)
        self.path: Path = run.folder / "steps.csv"
        self.noted: list[tuple[float, int]] = []
        self.on = True

    def run(self) -> None:
        size = 0
        while self.on:
            if (now := self.path.stat().st_size) != size:
                size, moment = now, time.time()
                with self.path.open("rb") as file:
                    file.seek(-200, os.SEEK_END)
                    last = file.read().splitlines()[-1]
                self.noted.append((moment, int(float(last.split(b",")[0]))))
            time.sleep(0.02)

    def __enter__(self) -> "Writing":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.on = False
        self.join()
