"""Rows on watching a run: what it costs the run, and how soon its first point is seen."""

import dataclasses
import time
from typing import Any

import psutil
from playwright.sync_api import Page

from benchmarks import served
from benchmarks.measure import ROUNDS, figure, goal, line
from benchmarks.visitors import TRAINING_CURVE, Words, visitors
from digits.data import datasets
from digits.recipes.presets import PRESETS
from digits.store import runs
from digits.store.runs import Run
from tests.conftest import App, until

WATCHERS = 3
LOOKED = 5  # seconds of looking at a page before the click, in which the engine prepares
# Seconds from the click to a chart whose training curve has points: that of a run with a higher
# number than those before, whose curves, or the example's, may be drawn only after the click.
CLOCK = f"""highest => {{
  {TRAINING_CURVE}
  document.addEventListener('click', () => {{ window.clicked = performance.now() }}, true)
  window.firstPoint = () => {{
    const curve = trainingCurve()
    return curve?.x.length && parseInt(curve.name) > highest
      && (performance.now() - window.clicked) / 1000
  }}
}}"""
FIRST_POINT = "() => window.firstPoint()"


def live() -> list[dict[str, Any]]:
    """The same run with three browsers on its page, against nobody watching.

    On two cores the browsers take from the run what they need to draw, and make its processor
    slower too; so it is also watched by visitors who are sent the same and draw nothing.
    """
    recipe = dataclasses.replace(
        PRESETS["three-blocks"].recipe, dataset=datasets.default(), epochs=2, patience=0
    )
    with served.engine() as engine:
        assert engine.cluster
        address = engine.client.scheduler.address
        with served.served(DIGITS_SCHEDULER=address) as app, served.browsers(WATCHERS) as opened:

            def trained(watched: bool, drawn: bool = True) -> dict[str, float]:
                run = served.queued_run(recipe, engine)
                pages = [served.visitor(browser, "about:blank") for browser in opened]
                words = Words(pages[0])
                if watched:
                    for page in pages:
                        page.goto(f"{app.url}/?run={run.id}")
                    for page in pages:
                        page.get_by_text("queued, next").first.wait_for()
                    words.wait_for_look()  # pages have come to rest
                if not drawn:
                    for page in pages:
                        page.goto("about:blank")
                with visitors(0 if drawn else WATCHERS, app.url, words):
                    time.sleep(0 if drawn else 3)
                    return measured(run, pages)

            def measured(run: Run, pages: list[Page]) -> dict[str, float]:
                worker = served.worker(psutil.Process())
                browsers, server = served.chromium(), served.server(app)
                before = [served.cpu(*each) for each in ([worker], [server], browsers)]
                engine.submit(run)
                served.wait_until_done(run)
                after = [served.cpu(*each) for each in ([worker], [server], browsers)]
                spent = [b - a for a, b in zip(before, after, strict=True)]
                for page in pages:
                    page.context.close()
                result = run.result()
                assert result
                return {
                    "wall": result["seconds"],
                    "training": result["cpu_seconds"],
                    "worker": spent[0],
                    "server": spent[1],
                    "both": spent[0] + spent[1],
                    "browsers": spent[2],
                }

            trained(True), trained(False)
            rounds = [
                (trained(True), trained(False), trained(True, drawn=False)) for _ in range(ROUNDS)
            ]

    def compare(what: str, kind: str, side: int = 0) -> dict[str, Any]:
        watched, headless = ([one[index][kind] for one in rounds] for index in (side, 1))
        return line(f"live: {what}", watched, headless)

    return [
        compare("wall s of training", "wall"),
        compare("processor s of training", "training"),
        compare("processor s of worker and server", "both"),
        figure("live: processor s of the server alone", [one[0]["server"] for one in rounds]),
        figure(f"live: processor s of {WATCHERS} browsers", [one[0]["browsers"] for one in rounds]),
        compare("wall s of training, nothing drawn", "wall", 2),
        compare("processor s of both, nothing drawn", "both", 2),
    ]


def click() -> list[dict[str, Any]]:
    """From the click on Train to the first point of the curve in the page."""
    link = f"?recipe=fast;dataset={datasets.default()};epochs=50"
    cold: list[float] = []
    at_once: list[float] = []
    warm: list[float] = []
    with served.browsers() as [browser]:
        for number in range(ROUNDS):
            with served.served() as app:
                page = served.visitor(browser, f"{app.url}/{link}")
                cold.append(_first_point(page))
                _stop(app, page)
                for seed in range(1, 1 + (2 * ROUNDS if number == 0 else 0)):  # new each time
                    looked, clicks = (LOOKED, warm) if seed % 2 else (0, at_once)
                    page = served.visitor(browser, f"{app.url}/{link};seed={seed}")
                    page.wait_for_selector("[data-test-script-state=notRunning]")
                    time.sleep(looked)
                    clicks.append(_first_point(page))
                    _stop(app, page)
    return [
        goal(f"click: s to the first point, page open for {LOOKED} s", warm, 1.5),
        figure("click: s to the first point, page just come", at_once),
        goal("click: s to the first point, at server start", cold, 10),
    ]


def _first_point(page: Page) -> float:
    button = page.get_by_role("button", name="Train", exact=True)
    button.wait_for()
    page.evaluate(CLOCK, max((runs.summary(run).number for run in runs.all()), default=0))
    button.click()
    return float(page.wait_for_function(FIRST_POINT, polling="raf").json_value())


def _stop(app: App, page: Page) -> None:
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    run = runs.all()[0]
    until(lambda: run.status.state == "stopped", "the run to stop", 60)
    page.context.close()


def start() -> list[dict[str, Any]]:
    """From ``streamlit run`` to the server's first answer and to the first page; memory."""
    health, first = [], []
    sizes: dict[str, list[float]] = {"server": [], "scheduler": [], "worker": []}
    with served.browsers() as [browser]:
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            with served.served() as app:
                health.append(time.perf_counter() - begun)
                begun = time.perf_counter()
                page = served.visitor(
                    browser, f"{app.url}/?recipe=fast;dataset=uci;conv=32x5p;epochs=2"
                )
                button = page.get_by_role("button", name="Train", exact=True)
                button.wait_for()
                first.append(time.perf_counter() - begun)
                button.click()
                page.get_by_text("Test accuracy", exact=True).wait_for()
                serving = served.server(app)
                sizes["server"].append(served.mebibytes(serving))
                sizes["scheduler"].append(served.mebibytes(served.scheduler(serving)))
                sizes["worker"].append(served.mebibytes(served.worker(serving)))
                page.context.close()
    return [
        figure("start: s from the command to the server's answer", health),
        goal("start: s from there to the first page", first, 3),
        goal("start: MiB of the server, a run watched", sizes["server"], 160, 0),
        *(figure(f"start: MiB of the {name}", sizes[name], 0) for name in ("scheduler", "worker")),
    ]
