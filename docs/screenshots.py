"""Take every page in all looks: ``python -m docs.screenshots [--out FOLDER] [page …]``.

A look is a window's size in light or dark. Prints the size of each page in each window, and fails
where one is wider than its window. ``index.html`` in the folder shows all pictures side by side,
``train.png`` those of one page. Runs are trained once and kept in the folder.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import groupby
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from digits.store import runs
from docs.scenes import SCENES, add_drawings, extent, halted_run, served, train_runs
from tests.conftest import CHROMIUM, PATIENCE, ROOT, App

SIZES = {"1440": (1440, 900), "1920": (1920, 1080), "1280": (1280, 720), "390": (390, 844)}
SCHEMES = ("light", "dark")
STATES = {  # scenes that need a server of their own
    "empty": "empty",
    "sweeps": "empty",  # its simulated runs have no model, and stay out of the folder that is kept
    "training": "training",
}

SHEET = """<!doctype html><meta charset="utf-8"><title>Screenshots</title>
<style>body { font: 16px sans-serif; background: #888 } img { height: 300px; margin: 4px }</style>
"""


def take(
    browser: Browser, app: App, name: str, sizes: list[str], schemes: list[str], out: Path
) -> Iterator[str]:
    """One page in all looks; yields a line of figures for each size."""
    for size in sizes:
        width, height = SIZES[size]
        window = ViewportSize(width=width, height=height)
        page = browser.new_context(viewport=window, has_touch=width < 600).new_page()
        page.set_default_timeout(1000 * PATIENCE)
        SCENES[name](page, app)
        wide, high = extent(page)
        for scheme in schemes:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.mouse.move(5, 5)
            page.wait_for_timeout(1000)
            page.screenshot(path=out / f"{name}-{size}-{scheme}.png")
        page.context.close()
        error = "  WIDER THAN ITS WINDOW" if wide > width else ""
        yield f"{name:12} {width:4} × {height:<4} is {wide:4} × {high}{error}"


def contact_sheets(browser: Browser, out: Path) -> None:
    """Show all pictures of the folder on one page, and those of each scene in a picture."""
    sections = {}
    for name in SCENES:
        rows = [
            "".join(
                f'<a href="{path.name}"><img src="{path.name}"></a>'
                for size in SIZES
                if (path := out / f"{name}-{size}-{scheme}.png").exists()
            )
            for scheme in SCHEMES
        ]
        if any(rows):
            sections[name] = f'<section id="{name}"><h3>{name}</h3>{"<br>".join(rows)}</section>'
    (out / "index.html").write_text(SHEET + "".join(sections.values()))
    page = browser.new_page(viewport={"width": 1900, "height": 900})
    page.goto((out / "index.html").as_uri())
    for name in sections:
        page.locator(f"#{name}").screenshot(path=out / f"{name}.png")


@contextmanager
def prepared(state: str | None, out: Path) -> Iterator[App]:
    """The app without runs, with finished ones, or with one more that is halted in training."""
    if state == "empty":
        with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as app:
            yield app
        return
    with served(out / "app") as app:
        if len(runs.done()) < 3:
            train_runs()
            add_drawings()
        with halted_run() if state == "training" else nullcontext():
            yield app


def main() -> None:
    """Take what is asked for, every page in eight looks by default."""
    parser = argparse.ArgumentParser("python -m docs.screenshots", description=__doc__)
    parser.add_argument("pages", nargs="*", choices=[[], *SCENES], metavar="page")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots", metavar="FOLDER")
    parser.add_argument("--size", choices=SIZES, action="append", help="width of the window")
    parser.add_argument("--scheme", choices=SCHEMES, action="append")
    options = parser.parse_args()
    out = options.out.resolve()
    (out / "app").mkdir(parents=True, exist_ok=True)
    errors = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        looks = options.size or list(SIZES), options.scheme or list(SCHEMES)
        for state, names in groupby(options.pages or SCENES, lambda name: STATES.get(name)):
            with prepared(state, out) as app:
                for line in (
                    line for name in names for line in take(browser, app, name, *looks, out)
                ):
                    errors += "WIDER" in line
                    print(line, flush=True)
        contact_sheets(browser, out)
        browser.close()
    print(f"{out / 'index.html'} shows all pictures.")
    sys.exit(errors > 0)


if __name__ == "__main__":
    main()
