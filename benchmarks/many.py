"""The row on many visitors of one run: what they cost the server, and how late their curve is."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from benchmarks import served
from benchmarks.measure import figure, goal
from benchmarks.visitors import Arrivals, Words, visitors
from digits.store.runs import Run
from tests.conftest import App

COUNTS = (1, 10, 30)
WINDOW = 20.0  # seconds
# Notes when the curve in the page gets a new last point.
LISTEN = """() => { window.arrivals = []; setInterval(() => {
  const plot = [...document.querySelectorAll('.plot')].find(
      plot => plot.getAttribute('aria-label')?.startsWith('Loss'))
  const x = plot?.data?.[1]?.x.at(-1), last = window.arrivals.at(-1)
  if (x !== undefined && last?.[1] !== x) window.arrivals.push([Date.now() / 1000, x]) }, 20) }"""


def many() -> list[dict[str, Any]]:
    """1, 10 and 30 visitors of a run while it trains; one of them is a real browser."""
    lines = []
    with served.engine() as engine, served.browsers() as [browser]:
        address = engine.client.scheduler.address
        for count in COUNTS:
            with served.served(DIGITS_SCHEDULER=address) as app:
                run = served.queued_run(served.LONG, engine)
                page = served.visitor(browser, "about:blank")
                words = Words(page)
                page.goto(f"{app.url}/?run={run.id}")
                page.get_by_text("Queued:").wait_for()
                engine.submit(run)
                page.get_by_text("images/s").wait_for()
                page.evaluate(LISTEN)
                with visitors(count - 1, app.url, words) as others:
                    time.sleep(0.3 * count + 3)
                    lines += _measure(count, app, run, page, others)
                engine.stop(run)
                served.wait_until_done(run)
                page.context.close()
    return lines


def _measure(
    count: int, app: App, run: Run, page: Page, others: list[Arrivals]
) -> list[dict[str, Any]]:
    server, seen = served.server(app), []
    with Writing(run) as writing:
        cpu, begun = served.cpu(server), time.time()
        while (now := time.time()) < begun + WINDOW:
            seen.append(served.mebibytes(server))
            page.wait_for_timeout(500)
        share = (served.cpu(server) - cpu) / (now - begun)
        time.sleep(3)  # what was written last is still on its way
    per_epoch = run.status.steps / run.status.epochs
    browser = _delays(writing, page.evaluate("window.arrivals"), per_epoch, begun, now)
    delays = [_delays(writing, noted, per_epoch, begun, now) for noted in others]
    worst = [float(np.quantile(each, 0.95)) for each in [browser, *delays]]
    who = f"many: {count} visitor{'s' * (count > 1)}"
    rows = [
        goal(f"{who}: server, share of a core", [share], 0.5),
        goal(f"{who}: server, MiB", [max(seen)], 400, 0),
        goal(f"{who}: s behind, 95th percentile, slowest", [max(worst)], 2),
        figure(f"{who}: s behind, in the browser", browser),
    ]
    if delays:
        rows.append(figure(f"{who}: s behind, the others", [float(np.median(d)) for d in delays]))
    return rows


def _delays(
    writing: "Writing", arrivals: Arrivals, per_epoch: float, begun: float, end: float
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
