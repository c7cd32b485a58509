"""What visitors come for takes few clicks and no scrolling, counted in a browser.

Each task begins on a page that is open. Everything is found by its role and name.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from digits.data import datasets
from digits.recipes.recipe import HYPERPARAMETERS
from digits.store import runs
from digits.store.runs import Run
from digits.store.status import DONE
from docs.scenes import settle
from tests.conftest import PATIENCE, App, until

pytestmark = pytest.mark.browser

# Counts presses of the pointer, however often the app changes its page, and remembers how far the
# document or a part of it that holds the page was scrolled.
COUNTER = """
window.counted = { clicks: 0, scrolled: 0 }
addEventListener('pointerdown', (event) => { counted.clicks += event.isTrusted }, true)
addEventListener('scroll', ({ target }) => {
  const part = target === document ? document.scrollingElement : target
  if (part.matches('html, [data-testid=stMain], [data-testid=stSidebarContent]'))
    counted.scrolled = Math.max(counted.scrolled, part.scrollTop, part.scrollLeft)
}, true)
"""

# The runs whose curves the chart of the loss has, one label a line.
CURVES = """() => [...document.querySelectorAll('.plot[aria-label^=Loss]')]
  .flatMap(plot => plot.data ?? []).filter(trace => trace.x?.length).map(trace => trace.name)
  .join('\\n')"""

# What the keyboard is on, also within a component: its tag, and its name for screen readers.
FOCUSED = """() => {
  let element = document.activeElement
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
  return element.tagName + ' ' + (element.ariaLabel ?? element.textContent).trim()
}"""


class Visitor:
    """Somebody at a desktop whose clicks are counted from when a task begins."""

    def __init__(self, page: Page, app: App) -> None:
        page.add_init_script(COUNTER)
        page.set_default_timeout(1000 * PATIENCE)
        self.page, self.app = page, app

    def open(self, path: str) -> None:
        """Open a page; a task begins there."""
        self.page.goto(f"{self.app.url}/{path}")
        settle(self.page)
        self.begin()

    def begin(self) -> None:
        """Begin another task on the page as it is."""
        self.page.evaluate("() => Object.assign(counted, { clicks: 0, scrolled: 0 })")

    def press(self, role: str, name: str | re.Pattern[str]) -> None:
        exact = isinstance(name, str)
        self.page.get_by_role(role, name=name, exact=exact).first.click()  # type: ignore[arg-type]

    def slide(self, field: str, value: float) -> None:
        """Set a hyperparameter by one click on its slider."""
        described = HYPERPARAMETERS[field]
        options = list(described.options)
        if field == "train_images":  # those that the data set has, and all of them
            most = datasets.DATASETS["uci"].train_images
            options = [*(count for count in options if 0 < count < most), 0]
        if described.slider:
            low, high, _ = described.slider
            fraction = (value - low) / (high - low)
        else:
            fraction = options.index(value) / (len(options) - 1)
        track = self.page.get_by_role("group", name=described.label).locator("> div").first
        box = track.bounding_box()
        assert box
        track.click(position={"x": fraction * box["width"], "y": box["height"] / 2})

    def needed(self, clicks: int) -> None:
        """Fail when the task took more clicks, or was scrolled."""
        counted = self.page.evaluate("counted")
        assert counted["clicks"] <= clicks
        assert counted["scrolled"] == 0


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A server on UCI's digits, with a folder of runs of its own."""
    folder = tmp_path_factory.mktemp("tasks")
    app = App(folder / "runs", DIGITS_DATA=str(folder), KERAS_HOME=str(folder))
    yield app
    app.close()


@pytest.fixture
def visitor(fresh: App, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    monkeypatch.setenv("DIGITS_RUNS", str(fresh.runs))
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield Visitor(context.new_page(), fresh)
    context.close()


@pytest.fixture
def colleagues(fresh: App, trained_once: Path, monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Two finished runs of somebody else."""
    monkeypatch.setenv("DIGITS_RUNS", str(fresh.runs))
    for id in (trained_once.name, "20260102-030405-abcdef"):
        if not (fresh.runs / id).exists():
            shutil.copytree(trained_once, fresh.runs / id)
    return [runs.open(id) for id in (trained_once.name, "20260102-030405-abcdef")]


def curve(page: Page) -> Run:
    """The newest run, once the chart of the loss has points of it under its name."""
    until(lambda: runs.all() and len(runs.all()[0].step_metrics()["step"]), "the first steps")
    run = runs.all()[0]
    expect_curve(page, run)
    return run


def expect_curve(page: Page, run: Run) -> None:
    """The chart of the loss has a curve of that run."""
    label = runs.summary(run).label
    until(lambda: label in page.evaluate(CURVES), f"the curve of {label}")


def stop(run: Run) -> None:
    """End a run that has shown what it should, so that the next one need not wait."""
    run.request_stop()
    until(lambda: run.status.state in DONE, "the run's end")


def test_train_change_the_rate_and_overfit(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("")
    visitor.press("button", "Train")
    first = curve(page)
    visitor.needed(clicks=1)

    stop(first)
    visitor.begin()
    visitor.slide("learning_rate", 0.0002)
    expect(page.get_by_text("lr 0.0002").first).to_be_visible()
    visitor.press("button", "Train")
    until(lambda: len(runs.all()) == 2, "the second run")
    second = curve(page)
    expect_curve(page, first)
    assert "lr 0.0002" in second.name
    visitor.needed(clicks=2)

    stop(second)

    visitor.open("")
    visitor.slide("train_images", 500)
    visitor.slide("epochs", 20)
    visitor.press("button", "Train")
    until(lambda: len(runs.all()) == 3, "the third run")
    third = curve(page)
    assert "500 images" in third.name
    visitor.needed(clicks=3)
    stop(third)


def test_see_why_a_digit_was_misread(visitor: Visitor, colleagues: list[Run]) -> None:
    page = visitor.page
    visitor.open(f"mistakes?run={colleagues[0].id}")
    visitor.press("button", re.compile("^Test image .* predicted as"))
    expect(page.get_by_role("img", name=re.compile("^Pixels that speak for")).first).to_be_visible()
    visitor.needed(clicks=2)


def test_train_a_variant_of_a_colleagues_run(visitor: Visitor, colleagues: list[Run]) -> None:
    page, count = visitor.page, len(runs.all())
    visitor.open("runs")
    visitor.press("button", colleagues[0].name)
    expect(page).to_have_title("Train · Digits")
    visitor.slide("dropout", 0.5)
    visitor.press("button", "Train")
    until(lambda: len(runs.all()) > count, "the variant")
    variant = curve(page)
    assert variant.recipe == replace(colleagues[0].recipe, dropout=0.5)
    visitor.needed(clicks=3)
    stop(variant)


def test_compare_two_runs_and_their_settings(visitor: Visitor, colleagues: list[Run]) -> None:
    page = visitor.page
    visitor.open("runs")
    boxes = page.get_by_role("checkbox", name=re.compile("^Compare .*Trained"))
    boxes.nth(0).click()
    boxes.nth(1).click()
    expect(page.get_by_role("img", name=re.compile(r"\b2 runs")).first).to_be_visible()
    expect(page.get_by_text("Settings that differ").first).to_be_visible()
    visitor.needed(clicks=2)


def tab_to(page: Page, name: str) -> None:
    """Press the tab key until the keyboard is on what matches the pattern."""
    passed: list[str] = []
    while not re.search(name, passed[-1] if passed else ""):
        assert len(passed) < 150, "\n".join(name[:60] for name in passed)
        page.keyboard.press("Tab")
        passed.append(page.evaluate(FOCUSED))


def test_the_keyboard_alone_trains_explains_and_compares(
    visitor: Visitor, colleagues: list[Run]
) -> None:
    page, count = visitor.page, len(runs.all())
    visitor.open("")
    tab_to(page, "^BUTTON .*Train$")
    page.keyboard.press("Enter")
    until(lambda: len(runs.all()) > count, "the run")
    stop(curve(page))

    tab_to(page, "^A .*Mistakes$")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile("^Test image")).first.wait_for()
    settle(page)
    tab_to(page, "^BUTTON Test image")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name=re.compile("^Pixels that speak for")).first).to_be_visible()

    tab_to(page, "^A .*Runs$")
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name=re.compile("^Compare")).first.wait_for()
    settle(page)
    for _ in range(2):
        tab_to(page, "^INPUT Compare")
        page.keyboard.press("Space")
    expect(page.get_by_text("Settings that differ").first).to_be_visible()
    assert page.evaluate("counted.clicks") == 0
