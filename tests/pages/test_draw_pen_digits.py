"""Other people's digits, drawn on the page's canvas, are read as ``score-drawings`` reads them."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from digits.ink import pen_digits, score
from digits.ink.canvas import SCREEN_SCALE, place
from digits.ink.pen_digits import PenDigit
from digits.store.models import ModelRef
from digits.worker import predict
from tests.conftest import CHROMIUM, new_page, until
from tests.pages.test_draw import corner_of_canvas, open_page

FILE = Path(os.environ.get("DIGITS_DATA", ""), "pen_digits_dev.json.gz")
OF_EACH = 3  # digits of each label
VISITORS = 2  # a pointer moves once a frame, so most of the time is waiting

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not FILE.is_file(), reason=f"{FILE.name} is not on this machine"),
]


def spread() -> list[PenDigit]:
    """As many digits of each label, by as many writers as there are; always the same ones."""
    left = [one for one in pen_digits.read_pen_digits(FILE) if not one.suspect]
    taken: Counter[int | None] = Counter()
    chosen = []
    for label in [*range(10)] * OF_EACH:
        rarest = min(
            (at for at, one in enumerate(left) if one.label == label),
            key=lambda at: taken[left[at].writer],
        )
        chosen.append(left.pop(rarest))
        taken[chosen[-1].writer] += 1
    return chosen


def read_on_page(page: Page, corner: tuple[float, float], digit: PenDigit) -> int:
    """Draw a digit on an empty canvas; gives the page's answer to its last stroke."""
    lines = [(SCREEN_SCALE * stroke.T + corner).tolist() for stroke in place(digit.strokes, 200)]

    canvas = page.locator("canvas.upper-canvas")

    def ready() -> bool:  # a canvas shows itself a little before it takes a stroke
        if canvas.count() != 1:  # the old one stays until the new one has come
            return False
        page.mouse.move(*lines[0][0])
        return canvas.evaluate("canvas => canvas.style.cursor") == "crosshair"

    until(ready, "the canvas")
    for line in lines:
        page.mouse.move(*line[0])
        page.mouse.down()
        for point in line[1:]:
            page.mouse.move(*point)
        page.mouse.up()
    page.get_by_label(f"Strokes: {len(lines)}.").wait_for()
    read = int(page.locator(".answer:not([data-provisional]) .digit").inner_text())
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Strokes: 0.").wait_for()
    return read


def visit(server: str, digits: list[PenDigit]) -> list[int]:
    """Draw digits one after the other in a browser of its own; gives the page's answers."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = new_page(browser, viewport={"width": 1280, "height": 900})
        open_page(page, server)
        corner = corner_of_canvas(page)
        answers = [read_on_page(page, corner, one) for one in digits]
        browser.close()
    return answers


def test_pen_digits_drawn_stroke_by_stroke_are_read_as_the_command_reads_them(server: str) -> None:
    chosen = spread()
    shares = [chosen[number::VISITORS] for number in range(VISITORS)]
    with ThreadPoolExecutor(VISITORS) as visitors:
        drawn = visitors.map(visit, [server] * VISITORS, shares)
        model = predict.load(ModelRef())
        said = predict.predict(model, score.render_inputs(chosen)).argmax(axis=1)
        on_page = np.array(list(drawn)).T.ravel()
    assert len(chosen) == 10 * OF_EACH
    assert (on_page == said).sum() >= len(chosen) - 1, f"page: {on_page}, command: {said}"
