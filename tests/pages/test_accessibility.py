"""Every page for everybody: axe-core's rules, contrast within charts, and the keyboard alone."""

import io
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from digits.ink import collection
from digits.store import runs, sweeps
from docs.scenes import SCENES, add_drawings, extent, gallery, longest, settle, visit
from tests.conftest import App, new_page, until
from tests.test_theme import TEXT, Color, color, contrast, mixed

pytestmark = pytest.mark.browser

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
TITLES = {
    "train": "Train",
    "mistakes": "Mistakes",
    "draw": "Draw",
    "drawings": "Drawings",
    "runs": "Runs",
    "new-sweep": "Sweeps",
    "sweeps": "Sweeps",
    "data": "Data",
}
SERIOUS = ("serious", "critical")
ALSO = {"heading-order", "page-has-heading-one", "landmark-one-main", "document-title"}

# What Streamlit does by itself and no page can change: a rule of axe-core, and the reason.
STREAMLITS_OWN: dict[str, str] = {}

CHART_TEXTS = """() => [...document.querySelectorAll('.plot text')].map(text => {
  const { x, y, width, height } = text.getBoundingClientRect()
  const { fill, fillOpacity, opacity } = getComputedStyle(text)
  const hidden = document.elementFromPoint(x + width / 2, y + height / 2)?.closest('.plot') == null
  return { text: text.textContent, box: [x, y, x + width, y + height], fill,
    opacity: hidden ? 0 : fillOpacity * opacity }
}).filter(({ text, opacity, box }) => text.trim() && opacity > 0 && box[2] > box[0])"""


WATCH = """() => {
  window.fading?.disconnect()
  window.faded = document.querySelector('[data-stale=true]') != null
  window.fading = new MutationObserver(() => {
    window.faded ||= document.querySelector('[data-stale=true]') != null
  })
  window.fading.observe(document.body,
    { subtree: true, childList: true, attributeFilter: ['data-stale'] })
}"""


@pytest.fixture(scope="module")
def served(app: App, trained_once: Path) -> Iterator[App]:
    """The shared server with two finished runs and some drawings, which are taken away again."""
    folders = [app.runs / id for id in (trained_once.name, "20260102-030405-abcdef")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RUNS", str(app.runs))
        patch.setenv("DIGITS_DRAWINGS", str(app.runs.with_name("drawings")))
        before, runs_before = set(collection.ids()), set(runs.all())
        for folder in folders:
            shutil.copytree(trained_once, folder)
        add_drawings()
        yield app
        for id in set(collection.ids()) - before:
            collection.delete(id)
        for folder in {run.folder for run in runs.all() if run not in runs_before}:
            shutil.rmtree(folder)
        shutil.rmtree(sweeps.root(), ignore_errors=True)


@pytest.fixture(autouse=True)
def runs_root(served: App, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scenes look at the runs of the server, not at a folder of the test's own."""
    monkeypatch.setenv("DIGITS_RUNS", str(served.runs))
    monkeypatch.setenv("DIGITS_DRAWINGS", str(served.runs.with_name("drawings")))
    return served.runs


@pytest.mark.parametrize("name", TITLES)
def test_a_page_has_no_serious_finding_and_fits_its_window(
    name: str, served: App, browser: Browser
) -> None:
    page = new_page(browser, viewport=DESKTOP)
    SCENES[name](page, served)
    expect(page).to_have_title(f"{TITLES[name]} · Digits")
    findings = []
    for size, scheme in ((DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "dark")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.wait_for_timeout(1000)  # charts are drawn anew
        look = f"{size['width']} {scheme}: "
        findings += [look + finding for finding in [*violations(page), *faint(page)]]
        headings = page.get_by_role("heading", level=1).count()
        findings += [f"{look}{headings} headings of the first level"] * (headings != 1)
        width = extent(page)[0]
        findings += [f"{look}{width} pixels wide"] * (width > size["width"])
    page.context.close()
    assert not findings, "\n".join(findings)


def open_popovers(page: Page, served: App) -> Iterator[str]:
    """Opens what the toolbar of the Train page has, one after the other."""
    SCENES["train"](page, served)
    for name in ("Queue", "Link", "Network"):
        page.get_by_role("button", name=re.compile(f"{name}( · 0)?$")).click()
        page.get_by_test_id("stPopoverBody").wait_for()
        settle(page)  # what the script has not shown again yet is faded
        yield name
        if name != "Network":
            page.keyboard.press("Escape")
    page.get_by_role("tab", name="Keras code").click()
    page.get_by_test_id("stCode").first.wait_for()
    yield "Keras code"


def open_views(page: Page, served: App) -> Iterator[str]:
    """Opens the views of the Mistakes page, but for the first, which a scene shows."""
    visit(page, served, f"mistakes?run={longest().id}")
    radios = page.get_by_role("radiogroup", name="View").get_by_role("radio")
    expect(radios).to_have_count(8)
    for radio in radios.all()[1:]:
        radio.click()
        settle(page, 1000)
        yield radio.inner_text()


def ask_to_delete_a_drawing(page: Page, served: App) -> Iterator[str]:
    SCENES["drawings"](page, served)
    gallery(page).first.click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_test_id("stDialog").wait_for()
    yield "the question"


@pytest.mark.parametrize("opened", [open_popovers, open_views, ask_to_delete_a_drawing])
def test_what_opens_on_a_page_has_no_serious_finding(
    opened: Callable[[Page, App], Iterator[str]], served: App, browser: Browser
) -> None:
    page = new_page(browser, viewport=DESKTOP)
    findings = []
    for name in opened(page, served):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.wait_for_timeout(500)  # charts are drawn anew
            found = violations(page) + faint(page)
            findings += [f"{name}, {scheme}: {finding}" for finding in found]
    page.context.close()
    assert not findings, "\n".join(findings)


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page, in a line for each element.

    What a script has not shown again yet is faded, so a look during which one ran does not count.
    """
    found: list[dict[str, Any]] = []

    def looked() -> bool:
        settle(page, 100)
        page.evaluate(WATCH)
        found[:] = Axe().run(page).response["violations"]
        return not page.evaluate("window.faded")

    until(looked, "a look at a page that no script was changing")
    return [
        f"{rule['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
        for rule in found
        if (rule["impact"] in SERIOUS or rule["id"] in ALSO) and rule["id"] not in STREAMLITS_OWN
        for node in rule["nodes"]
    ]


def faint(page: Page) -> list[str]:
    """Texts of charts whose contrast to what is drawn behind them is too low.

    axe-core does not look into pictures, so the ground is the commonest color around the text.
    """
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    findings = []
    for text in page.evaluate(CHART_TEXTS):
        left, top, right, bottom = text["box"]
        if left < 0 or top < 0 or right > picture.width or bottom > picture.height:
            continue
        area = picture.crop((int(left), int(top), int(right) + 1, int(bottom) + 1))
        [(ground, _)] = Counter(area.get_flattened_data()).most_common(1)
        ratio = contrast(mixed(css_color(text["fill"]), ground, text["opacity"]), ground)
        if ratio < TEXT:
            findings.append(f"chart: {text['text']} in {text['fill']} on {ground}: {ratio:.2f}")
    return findings


def css_color(value: str) -> Color:
    """Of a computed style such as rgb(15, 23, 42)."""
    if value.startswith("#"):
        return color(value)
    red, green, blue = map(float, value[value.index("(") + 1 : -1].split(",")[:3])
    return red, green, blue
