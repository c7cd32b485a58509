"""The row on a folder of a thousand runs: the list, and many curves over one another."""

import dataclasses
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from playwright.sync_api import Page
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from benchmarks import served
from benchmarks.measure import figure, goal
from benchmarks.visitors import Words, socket_of
from digits.recipes.presets import PRESETS
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.status import Status

COUNT, COMPARED, LENGTH, TURNS = 1_000, 20, 5_000, 10
CLOCK = """() => document.addEventListener('click',
    () => { window.clicked = performance.now() }, true)"""
LISTED = """() => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')].some(
    component => component.shadowRoot?.querySelectorAll('tbody').length >= 20)
    && performance.now() - window.clicked"""
COMPARED_ALL = """() => [...document.querySelectorAll('.plot')].some(
    plot => plot.data?.length === 20) && performance.now() - window.clicked"""


def thousand_runs() -> list[dict[str, Any]]:
    """The page of runs with a thousand of them, and the curves of twenty long ones."""
    with served.served() as app, served.browsers() as [browser]:
        fill()
        page = served.visitor(browser, "about:blank")
        words = Words(page)
        page.goto(f"{app.url}/runs")
        page.get_by_text("Finished").first.wait_for()
        listed = [_script(app.url, words) for _ in range(TURNS)]
        page.evaluate(CLOCK)
        shown = [_turn_to_runs(page) for _ in range(TURNS)]
        newest = page.get_by_role("checkbox", name="Tick all on this page")
        compared = []
        for _ in range(TURNS):
            newest.click()
            found = page.wait_for_function(COMPARED_ALL, polling="raf")
            compared.append(float(found.json_value()))
            page.get_by_role("button", name="Untick").click()
            page.get_by_text("Tick two runs").wait_for()
        link = f"{app.url}/runs?compare={','.join(one.id for one in runs.all()[:COMPARED])}"
        page = served.visitor(browser, "about:blank")
        words = Words(page)
        page.goto(link)
        page.get_by_text("Finished").first.wait_for()
        laid_over = [_script(app.url, words) for _ in range(TURNS)]
    who = f"runs: {COUNT:,},"
    return [
        goal(f"{who} ms of the list on the server", listed, 300, 0),
        goal(f"{who} ms from the click to the list", shown, 300, 0),
        figure(f"runs: {COMPARED} curves, ms of the page on the server", laid_over, 0),
        figure(f"runs: {COMPARED} curves, ms from the click to all", compared, 0),
    ]


def _script(address: str, words: Words) -> float:
    """Milliseconds from asking for a page to the end of its script, as a new visitor."""
    with connect(**socket_of(address)) as socket:
        begun = time.perf_counter()
        socket.send(words.opening)
        for payload in socket:
            assert isinstance(payload, bytes)
            if ForwardMsg.FromString(payload).WhichOneof("type") == "script_finished":
                break
        return 1e3 * (time.perf_counter() - begun)


def _turn_to_runs(page: Page) -> float:
    """Milliseconds from the click in the menu to the whole list."""
    page.get_by_role("link", name="Mistakes").first.click()
    page.wait_for_url("**/mistakes**")
    page.wait_for_timeout(1000)
    page.get_by_role("link", name="Runs").first.click()
    return float(page.wait_for_function(LISTED, polling="raf").json_value())


def fill(count: int = COUNT) -> list[Run]:
    """Finished runs as training leaves them, but for models and weights; oldest first.

    The last ``COMPARED`` have ``LENGTH`` steps each, the others a tenth of that.
    """
    rng = np.random.default_rng(0)
    made, moment = [], datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        preset = list(PRESETS.values())[number % len(PRESETS)]
        rate = float(rng.choice([1e-4, 5e-4, 1e-3, 5e-3]))
        recipe = dataclasses.replace(preset.recipe, learning_rate=rate, seed=number)
        moment += timedelta(minutes=7)
        run = Run(runs.root() / f"{moment:%Y%m%d-%H%M%S}-{number:06x}")
        run.folder.mkdir(parents=True)
        run.write_recipe(recipe)
        run.write_about(f"{preset.title} {number}", "", number + 1)
        _finish(run, LENGTH if number >= count - COMPARED else LENGTH // 10, rng)
        made.append(run)
    return made


def _finish(run: Run, steps: int, rng: np.random.Generator) -> None:
    loss = 2.3 * np.exp(-np.arange(steps) / (0.1 * steps)) + rng.gamma(2, 0.02, steps)
    accuracy = np.clip(1 - loss / 2.6, 0, 1)
    epochs = run.recipe.epochs
    run.append_steps(zip(range(1, steps + 1), loss, accuracy, strict=True))
    ends = np.linspace(steps / epochs - 1, steps - 1, epochs).astype(int)
    run.append_epochs(
        (epoch, loss[i], accuracy[i], loss[i] + 0.02, accuracy[i] - 0.005, 1e-3, 9.5, 18.1)
        for epoch, i in enumerate(ends, 1)
    )
    result = {
        "run": run.id,
        "parameters": 81_066,
        "epochs": epochs,
        "seconds": 9.5 * epochs,
        "cpu_seconds": 18.1 * epochs,
        "start_seconds": 0.9,
        "publishing_seconds": 0.4,
        "evaluation_seconds": 0.8,
        "images_per_second": 5_684.2,
        "train_accuracy": float(accuracy[-1]),
        "val_accuracy": float(accuracy[-1]) - 0.005,
        "val_loss": 0.06,
        "test_accuracy": float(accuracy[-1]) - 0.006,
        "test_loss": 0.06,
        "test_images": 10_000,
        "precision": "mixed_bfloat16",
    }
    run.write_result(result)
    run.write_status(Status("finished", epoch=epochs, epochs=epochs, step=steps, steps=steps))
    run.model_path.write_bytes(b"")
