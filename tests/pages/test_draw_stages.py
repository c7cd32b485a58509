"""The preprocessing steps on the Draw page: what is seen at each, and their switches."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.test_draw import SEVEN, THREE, answer, draw, open_page, pixels

pytestmark = pytest.mark.browser

SMALL = [(x * 0.3 + 150, y * 0.3 + 150) for x, y in SEVEN]  # in a corner


def model_input(page: Page) -> Locator:
    return page.get_by_alt_text("as the model sees it")


def test_a_step_is_disabled_and_enabled_and_the_drawing_stays(page: Page, server: str) -> None:
    open_page(page, server, "?brush=30")
    draw(page, SMALL)
    answer(page, 7)
    full, drawn = model_input(page).get_attribute("src"), pixels(page)
    expect(page.get_by_alt_text("after the step")).to_have_count(5)

    page.get_by_role("switch", name="Crop").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Disabled preprocessing steps: crop")).to_be_visible()
    expect(page).to_have_url(re.compile("without=crop"))
    expect(page.get_by_alt_text("after the step")).to_have_count(4)
    assert model_input(page).get_attribute("src") != full

    draw(page, [(225, 180), (245, 180)])  # the canvas takes strokes as before
    expect(page.get_by_text("Disabled preprocessing steps: crop")).to_be_visible()
    page.locator("canvas.upper-canvas").hover()
    page.get_by_role("button", name="Undo").click()

    page.get_by_role("button", name="Enable all").click()
    expect(page.get_by_text("Disabled")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("without"))
    expect(model_input(page)).to_have_attribute("src", full or "")
    answer(page, 7)
    assert np.abs(pixels(page).astype(int) - drawn).mean() < 1


def test_the_link_says_which_steps_are_disabled(page: Page, server: str) -> None:
    open_page(page, server, "?without=center&without=fit&without=nothing")
    draw(page, THREE)
    expect(
        page.get_by_text("Disabled preprocessing steps: 20 × 20 box, center of mass")
    ).to_be_visible()
    expect(page).to_have_url(re.compile("without=fit&without=center$"))
    expect(page.get_by_role("switch", name="20 × 20 box")).not_to_be_checked()
    expect(page.get_by_role("switch", name="Stroke width")).to_be_checked()


def test_a_number_always_gets_the_full_preprocessing(page: Page, server: str) -> None:
    open_page(page, server, "?source=number&without=crop")
    draw(page, [(x * 0.5 + 40, y * 0.5 + 20) for x, y in THREE])
    answer(page, 3)
    expect(model_input(page)).to_be_visible()
    expect(page.get_by_text("Disabled")).to_have_count(0)
    expect(page.get_by_role("switch")).to_have_count(0)


@pytest.mark.parametrize("size", [(1440, 900), (1280, 720)])
def test_canvas_answer_and_stages_are_on_one_screen(
    page: Page, server: str, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_page(page, server)
    draw(page, SMALL)
    answer(page, 7)
    stages = page.get_by_alt_text("after the step")
    expect(stages).to_have_count(5)
    for picture in stages.all():
        expect(picture).to_be_in_viewport(ratio=1)
    expect(page.locator(".answer")).to_be_in_viewport(ratio=1)
    expect(page.locator("canvas.upper-canvas")).to_be_in_viewport(ratio=1)
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], abs=1)
