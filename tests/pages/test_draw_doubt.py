"""The Draw page says when a drawing could be either of two digits, and when it is none."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from digits.ink.pen_digits import PenDigit
from digits.ink.score import render_inputs
from digits.store.models import ModelRef
from digits.worker.predict import load, predict
from tests.pages.test_draw import SEVEN, answer, draw, open_page

Line = list[tuple[float, float]]

pytestmark = pytest.mark.browser

NO_DIGIT = "This does not look like a digit."
ONE: Line = [(115, 95), (160, 60), (155, 130), (150, 230)]
W: Line = [(40, 60), (80, 220), (130, 110), (180, 220), (230, 60)]


def between(share: float) -> np.ndarray:
    """A line, (points, 2), that turns from a 1 with a flag into a 7."""
    return (1 - share) * np.array(ONE, float) + share * np.array(SEVEN, float)


def between_1_and_7() -> Line:
    """The one of these lines that the model finds about as much a 1 as a 7."""
    lines = [between(share) for share in np.linspace(0, 1, 101)]
    x = render_inputs([PenDigit(1, [line.T]) for line in lines])
    p = predict(load(ModelRef()), x)
    return lines[int(np.minimum(p[:, 1], p[:, 7]).argmax())].tolist()


def test_a_7_is_told_without_doubt_and_a_w_is_no_digit(page: Page, server: str) -> None:
    open_page(page, server)
    draw(page, W)
    expect(page.get_by_text(NO_DIGIT)).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw a digit from 0 to 9")).to_be_visible()
    expect(page.get_by_text(NO_DIGIT)).to_have_count(0)
    draw(page, SEVEN)
    answer(page, 7)
    expect(page.get_by_label("Strokes: 1.")).to_be_visible()
    expect(page.get_by_text(NO_DIGIT)).to_have_count(0)
    expect(page.get_by_text("This could be")).to_have_count(0)


def test_a_line_between_a_1_and_a_7_could_be_both(page: Page, server: str) -> None:
    open_page(page, server)
    draw(page, between_1_and_7())
    expect(page.get_by_text("This could be a")).to_have_text(
        re.compile(r"This could be a (1 or a 7|7 or a 1)\.$")
    )
