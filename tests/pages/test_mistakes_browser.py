"""The Mistakes page in a browser: matrix, gallery and one digit at a glance, by mouse and keys."""

import dataclasses
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from digits.data import datasets
from digits.recipes.presets import PRESETS
from tests.conftest import ROOT
from tests.pages.test_mistakes import run_with_epochs

pytestmark = pytest.mark.browser

SHIPPED = ROOT / "digits" / "store" / "shipped.keras"
MATRIX = ".st-key-mistakes-matrix"
SCROLLED = "[...document.querySelectorAll('*')].filter(e => e.scrollTop && e.clientHeight).length"


def digits_in(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Test image"))


def click_cell(page: Page, label: int, predicted: int) -> None:
    drawing = page.locator(f"{MATRIX} .nsewdrag")
    box = drawing.bounding_box()
    assert box
    x, y = box["width"] * (predicted + 0.5) / 10, box["height"] * (label + 0.5) / 10
    drawing.click(position={"x": x, "y": y})


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, server: str, runs_folder: Path, page: Page
) -> Iterator[Page]:
    """The page of a run of three epochs that has a real model: the shipped one."""
    monkeypatch.setenv("DIGITS_RUNS", str(runs_folder))
    run = run_with_epochs([{(4, 9): 9, (1, 7): 2}, {(4, 9): 3, (1, 7): 3}, {(4, 9): 3, (1, 7): 2}])
    recipe = dataclasses.replace(PRESETS["drawings"].recipe, dataset="uci")
    (run.folder / "recipe.json").write_text(recipe.to_json())
    shutil.copy(SHIPPED, run.model_path)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{server}/mistakes?run={run.id}")
    expect(page.get_by_text("5 mistakes")).to_be_visible()
    expect(page.locator(f"{MATRIX} .nsewdrag")).to_be_visible()
    expect(digits_in(page)).to_have_count(5)
    yield page
    run.delete()


def test_two_clicks_show_why_a_digit_was_misread_and_nothing_scrolls(shown: Page):
    click_cell(shown, label=4, predicted=9)
    expect(shown.get_by_text("labeled 4 and predicted as 9")).to_be_visible()
    expect(digits_in(shown)).to_have_count(3)
    names = [digit.get_attribute("aria-label") or "" for digit in digits_in(shown).all()]
    assert all(": 4 predicted as 9, " in name for name in names)
    assert "label=4&predicted=9" in shown.url
    digits_in(shown).nth(1).click()

    pixels = shown.get_by_alt_text("Pixels that speak for 4", exact=False)
    expect(pixels).to_be_visible()  # the engine may have to start
    neighbors = shown.get_by_role("button", name=re.compile("^A training [0-9], .* away$"))
    for evidence in (
        shown.get_by_text("Label 4, predicted as 9"),
        pixels,
        shown.get_by_alt_text("Pixels that speak for 9", exact=False),
        shown.get_by_role("img", name="Probability of each digit"),
        neighbors.nth(5),
        shown.get_by_role("img", name="Probabilities after each of 3"),
        shown.locator(MATRIX),
        digits_in(shown).last,
    ):
        expect(evidence).to_be_in_viewport(ratio=1)
    assert shown.evaluate(SCROLLED) == 0
    expect(digits_in(shown).nth(1)).to_be_focused()
    expect(digits_in(shown).nth(1)).to_have_attribute("aria-pressed", "true")

    shown.get_by_role("button", name="All 5").click()
    expect(digits_in(shown)).to_have_count(5)
    click_cell(shown, label=0, predicted=0)
    expect(digits_in(shown)).to_have_count(int((datasets.load_test("uci")[1] == 0).sum()))


def test_the_keyboard_reaches_filter_digits_and_details(shown: Page):
    expect(shown.get_by_role("heading", level=1)).to_have_text("Mistakes")
    shown.wait_for_selector("[data-test-script-state=notRunning]")  # it may draw the list anew
    shown.get_by_role("combobox", name="Label").focus()
    shown.keyboard.type("1")
    expect(shown.get_by_role("option", name="1", exact=True)).to_be_visible()
    shown.keyboard.press("Enter")
    expect(shown.get_by_text("labeled 1", exact=False).first).to_be_visible()
    digits = digits_in(shown)
    expect(digits).to_have_count(2)
    digits.first.focus()
    shown.keyboard.press("ArrowRight")
    expect(digits.nth(1)).to_be_focused()
    shown.keyboard.press("Enter")
    expect(shown.get_by_text("Label 1, predicted as 7")).to_be_visible()
    expect(digits.nth(1)).to_be_focused()
    expect(shown.get_by_role("button", name="Next")).to_be_disabled()
    shown.get_by_role("button", name="Previous").press("Enter")
    expect(digits.first).to_have_attribute("aria-pressed", "true")
    shown.get_by_role("button", name="Close").press("Enter")
    expect(shown.get_by_text("Most confused")).to_be_visible()


def test_on_a_phone_the_digit_follows_matrix_and_gallery_and_comes_into_view(shown: Page):
    shown.set_viewport_size({"width": 390, "height": 844})
    boxes = [shown.locator(f".st-key-card-mistakes-{i}").bounding_box() for i in range(3)]
    assert [box["y"] for box in boxes if box] == sorted(box["y"] for box in boxes if box)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    digits_in(shown).first.click()
    expect(shown.get_by_text("Label 4, predicted as 9")).to_be_in_viewport()
    expect(shown.get_by_alt_text("Pixels that speak for 9", exact=False)).to_be_in_viewport()


def test_the_epoch_slider_is_moved_by_keyboard_and_play_takes_it_to_the_end(shown: Page):
    slider = shown.get_by_role("slider", name="Epoch")
    slider.focus()
    shown.keyboard.press("ArrowLeft")
    expect(shown.get_by_text("6 mistakes")).to_be_visible()
    expect(shown.get_by_role("button", name="1 → 7 · 3")).to_be_visible()
    expect(digits_in(shown)).to_have_count(6)
    shown.keyboard.press("ArrowLeft")
    expect(shown.get_by_text("11 mistakes")).to_be_visible()
    shown.get_by_role("button", name="Play").press("Enter")
    expect(shown.get_by_role("button", name="Pause")).to_be_visible()
    expect(shown.get_by_text("5 mistakes", exact=True)).to_be_visible()
    expect(shown.get_by_role("button", name="Play")).to_be_visible()
    assert shown.evaluate("location.href").endswith("epoch=3")


def test_a_lasso_on_the_map_selects_digits_and_so_does_the_keyboard(shown: Page):
    shown.get_by_role("radio", name="Embeddings").click()
    area = shown.locator(".st-key-mistakes-map .nsewdrag").first
    area.wait_for()
    assert "view=embeddings" in shown.url
    box = area.bounding_box()
    assert box
    x, y, width, height = box["x"] + 2, box["y"] + 2, box["width"] - 4, box["height"] - 4
    shown.mouse.move(x, y)
    shown.mouse.down()
    for right, down in ((1, 0), (1, 1), (0, 1), (0, 0.02)):
        shown.mouse.move(x + width * right, y + height * down, steps=5)
    shown.mouse.up()
    every = len(datasets.load_test("uci")[1])
    expect(shown.get_by_text(f"{every} digits in the lasso, 5 misclassified")).to_be_visible()
    shown.get_by_text("Select without a mouse").click()
    edge = shown.get_by_role("slider", name="Horizontal range").first
    edge.focus()
    for _ in range(5):
        shown.keyboard.press("ArrowRight")
    expect(shown.get_by_text(re.compile(r"\d+ digits in the region"))).to_be_visible()
