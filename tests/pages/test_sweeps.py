"""The Sweeps page in a browser: set-up, views, steering, and what it says of bad input."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from digits.store import runs, sweeps
from digits.store.sweeps import Sweep
from tests.conftest import App, until
from tests.sweeps import searched

pytestmark = pytest.mark.browser

VIEWS = {
    "Progress": re.compile(r"Validation accuracy of \d+ epochs"),
    "Curves": re.compile("over epochs of 12 trials"),
    "Parallel": re.compile("of 12 trials as parallel coordinates"),
    "Slices": re.compile("of 12 trials over learning_rate"),
    "Cost": re.compile("over Seconds of training of 12 trials"),
}


@pytest.fixture
def made(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Sweep]]:
    """A finished sweep in the shared server's folder; all is deleted in the end."""
    monkeypatch.setenv("DIGITS_RUNS", str(app.runs))
    before = {run.id for run in runs.all()}
    made = [searched(12)]
    yield made
    for sweep in sweeps.all():
        if sweep.progress.state == "running":
            sweep.want("cancel")
    shutil.rmtree(sweeps.root())
    for run in runs.all():
        if run.id not in before:
            shutil.rmtree(run.folder, ignore_errors=True)


def test_every_view_draws_its_trials_and_a_trial_opens_its_run(
    page: Page, server: str, made: list[Sweep]
) -> None:
    page.goto(f"{server}/sweeps")
    expect(page.get_by_text("12 of 12")).to_be_visible()
    expect(page.get_by_text("The winner, trained in full with 3 seeds")).to_be_visible()
    for view, drawn in VIEWS.items():
        page.get_by_role("radio", name=view).or_(page.get_by_role("button", name=view)).click()
        expect(page.locator(".plot .main-svg").first).to_be_visible()
        expect(page.locator(".plot").first).to_have_attribute("aria-label", drawn)
    best = made[0].answer(made[0].trials()).best
    assert best
    run = made[0].entries()[best.number - 1].run
    page.get_by_role("button", name=f"{best.number}", exact=True).click()
    page.wait_for_url(f"**/?*run={run.id}*")


def test_a_click_on_a_point_opens_its_run(page: Page, server: str, made: list[Sweep]) -> None:
    page.goto(f"{server}/sweeps?view=cost")
    point = page.locator(".plot .points path").first
    expect(point).to_be_visible()
    page.wait_for_timeout(1000)  # the chart grows into its card
    box = point.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)  # Plotly opens what is hovered
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**/?*run=*")


def test_a_sweep_is_set_up_started_and_cancelled(
    page: Page, server: str, made: list[Sweep]
) -> None:
    page.goto(f"{server}/sweeps?sweep=new")
    trials = page.get_by_label("Trials", exact=True)
    trials.fill("0")
    trials.press("Enter")
    expect(page.get_by_text("A sweep has 1 to 10,000 trials, not 0.")).to_be_visible()
    trials.fill("3")
    trials.press("Enter")
    rate = page.get_by_role("textbox", name="Learning rate (peak)")
    rate.fill("0.1..0.001")
    rate.press("Enter")
    expect(page.get_by_text("is upside down; write 0.001..0.1")).to_be_visible()
    rate.fill("0.001..0.1")
    rate.press("Enter")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("of 3", exact=False).first).to_be_visible()
    sweep = sweeps.all()[0]
    assert sweep.plan.space.texts()["learning_rate"] == "0.001..0.1"
    assert sweep.plan.trials == 3
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert sweep.wanted == "pause"
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the sweep").click()
    until(lambda: sweep.progress.state == "cancelled", "the sweep to be cancelled")
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    until(lambda: not runs.queue(), "its runs to end")


def test_a_torn_sweep_is_a_sentence_and_a_link_to_none_says_so(
    page: Page, server: str, made: list[Sweep]
) -> None:
    [sweep] = made
    (sweep.folder / "plan.json").write_text("{")
    page.goto(f"{server}/sweeps?sweep={sweep.id}")
    expect(page.get_by_text(f"plan.json of sweep {sweep.id} is damaged")).to_be_visible()
    page.goto(f"{server}/sweeps?sweep=20260131-093000-4f2a1c")
    expect(page.get_by_text("There is no sweep 20260131-093000-4f2a1c")).to_be_visible()
    (sweep.folder / "plan.json").unlink()
    (sweep.folder / "progress.json").write_text('{"state": "finished"}')
