"""The report on a phone, in the dark and on paper, as a browser shows it."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from digits.report.report import report
from digits.store.run_folder import Run
from tests.conftest import new_page
from tests.damage import complete_run

pytestmark = pytest.mark.browser

# Of each text and each curve its color, then the backgrounds below it from the nearest on.
COLORS = """() => [...document.querySelectorAll("body *")].flatMap(element => {
  const curve = element.matches("figure path"), style = getComputedStyle(element);
  const text = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  if (!curve && !text) return [];
  const of = curve ? style.stroke : element.matches("svg text") ? style.fill : style.color;
  const below = [];
  for (let at = element; at; at = at.parentElement)
    below.push(getComputedStyle(at).backgroundColor);
  return [[of, ...below].map(color => color.match(/[\\d.]+/g).map(Number))];
})"""


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    page = new_page(browser, viewport={"width": 390, "height": 844}, color_scheme="dark")
    yield page
    page.context.close()


def over(color: list[float], below: np.ndarray) -> np.ndarray:
    """A color, (3,) or (4,) with its opacity, on another one."""
    opacity = color[3] if len(color) > 3 else 1
    return opacity * np.array(color[:3]) + (1 - opacity) * below


def luminance(color: np.ndarray) -> float:
    """Relative luminance of (3,) in [0, 255]. Source: WCAG 2.2."""
    c = color / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def page_colors(page: Page) -> tuple[list[float], list[float]]:
    """Contrast of each text and curve with what is behind it, and the luminance of that."""
    contrasts, backgrounds = [], []
    for color, *below in page.evaluate(COLORS):
        background = np.full(3, 255.0)
        for layer in reversed(below):
            background = over(layer, background)
        light = sorted([luminance(over(color, background)), luminance(background)])
        contrasts.append((light[1] + 0.05) / (light[0] + 0.05))
        backgrounds.append(luminance(background))
    return contrasts, backgrounds


def test_on_a_phone_wide_tables_scroll_within_the_page(phone: Page, run: Run) -> None:
    run.rename("x" * 80)
    run.write_notes("https://example.org/" + "x" * 400)
    others = [complete_run(f"Other {number}", finetunes=False) for number in range(4)]
    for made in ([run], [run, *others]):
        phone.set_content(report(made))
        assert phone.evaluate("document.documentElement.scrollWidth") == 390
        table = phone.locator("table").last
        assert table.evaluate("table => table.scrollWidth") > 390
        table.evaluate("table => { table.parentElement.scrollLeft = 10_000 }")
        box = table.locator("td").last.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 390  # its last column can be reached


def test_text_and_curves_are_readable_in_the_dark_and_in_the_light(phone: Page, run: Run) -> None:
    others = [complete_run(f"Other {number}", finetunes=False) for number in range(7)]
    run.write_notes("Trained in class.")
    for made in ([run], [run, *others]):
        phone.set_content(report(made))
        for scheme in ("dark", "light"):
            phone.emulate_media(color_scheme=scheme)
            contrasts, backgrounds = page_colors(phone)
            assert len(contrasts) > 100
            assert min(contrasts) >= 4.5
            assert (np.median(backgrounds) < 0.1) == (scheme == "dark")


def test_paper_stays_light(phone: Page, run: Run) -> None:
    phone.set_content(report([run]))
    phone.emulate_media(media="print", color_scheme="dark")
    contrasts, backgrounds = page_colors(phone)
    assert min(contrasts) >= 4.5
    assert np.median(backgrounds) > 0.9
