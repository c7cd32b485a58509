"""Take the pictures of the documents: ``python -m docs.pictures [tour] [pen] [train map …]``.

Drives the app in Chromium with a fresh folder of runs, on MNIST where it is at hand, else on
UCI's digits. ``tour`` and ``pen`` are the moving pictures; every other name is a still page.
"""

import argparse
import io
import math
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from digits.store import runs
from docs.scenes import (
    ANSWERED,
    CANVAS,
    MATRIX,
    SCENES,
    add_drawings,
    draw,
    gallery,
    largest_confusion,
    served,
    settle,
    show_at_top,
    train_runs,
    train_sweep,
)
from tests.conftest import CHROMIUM, PATIENCE, App

FOLDER = Path(__file__).parent
STILL_SIZE = {"width": 1440, "height": 900}
STILL_COLORS = 128
TOUR_SIZE = {"width": 1280, "height": 960}
PEN_SIZE = {"width": 1280, "height": 720}
TOUR_WIDTH = 960  # pixels of the moving pictures
TOUR_COLORS = 192
FRAME = 100  # milliseconds
PROVISIONAL = ".answer[data-provisional] .digit:not(:empty)"
# A small 3 in one stroke, as fractions of the canvas: two bows that begin at their upper left.
BOWS = [(0.53, -0.9 * np.pi, 0.5 * np.pi), (0.75, -0.5 * np.pi, 0.85 * np.pi)]
SMALL_THREE = [
    (0.32 + 0.13 * math.cos(angle), y + 0.11 * math.sin(angle))
    for y, start, end in BOWS
    for angle in np.linspace(start, end, 24)
]
STILLS = ["train", "mistakes", "map", "draw", "runs", "data", "drawings", "sweeps"]

# The pointer is not part of a screenshot, so the page draws one.
POINTER = """addEventListener('DOMContentLoaded', () => {
  const dot = document.createElement('div')
  dot.style.cssText = `position: fixed; z-index: 1000000; width: 18px; height: 18px; left: -40px;
    margin: -9px; border-radius: 50%; background: #C9571F99; border: 2px solid #C9571F;
    pointer-events: none`
  document.documentElement.append(dot)
  addEventListener('mousemove', ({ clientX, clientY }) => {
    dot.style.left = clientX + 'px'; dot.style.top = clientY + 'px' }, true)
})"""


@dataclass
class Film:
    """Frames of a page, each with the milliseconds that it is shown."""

    page: Page
    frames: list[Image.Image] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)

    def shoot(self, milliseconds: int = 250) -> None:
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        height = round(picture.height * TOUR_WIDTH / picture.width)
        self.frames.append(picture.resize((TOUR_WIDTH, height), Image.Resampling.LANCZOS))
        self.milliseconds.append(milliseconds)

    def follow(self, done: Callable[[], object], frames: int = 24) -> None:
        """Shoot what moves until it is done, and keep ``frames`` of them, however long it takes."""
        start = len(self.frames)
        while not done():
            self.page.wait_for_timeout(400)
            self.shoot()
        chosen = np.linspace(start, len(self.frames) - 1, frames).round().astype(int)
        for kept in (self.frames, self.milliseconds):
            kept[start:] = [kept[index] for index in np.unique(chosen)]

    def point_at(self, target: Locator, x: float = 0.5, y: float = 0.5) -> None:
        """Move the pointer onto what will be clicked, in fractions of its box, and shoot it."""
        target.scroll_into_view_if_needed()
        self.page.wait_for_timeout(300)
        box = target.bounding_box()
        assert box
        self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        self.shoot(500)

    def save(self, path: Path) -> None:
        """Write a GIF of one palette, so that only what changes takes room."""
        pixels = np.concatenate([np.asarray(frame)[::3, ::3] for frame in self.frames[::2]])
        distinct = np.unique(pixels.reshape(-1, 3), axis=0)[None]  # rare colors count as well
        halves = [
            Image.fromarray(sample).quantize(TOUR_COLORS // 2) for sample in (pixels, distinct)
        ]
        palette = Image.new("P", (1, 1))
        palette.putpalette([value for half in halves for value in half.getpalette() or []])
        first, *rest = [
            frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames
        ]
        timing = {"duration": self.milliseconds, "loop": 0}
        first.save(path, save_all=True, append_images=rest, optimize=True, **timing)


def tour(page: Page, app: App) -> None:
    """Train, click a confusion, see why; draw a digit, see why."""
    page.add_init_script(POINTER)
    film = Film(page)
    page.goto(app.url)
    settle(page, 6000)  # the engine starts and prepares the preset
    film.shoot(1200)
    button = page.get_by_role("button", name="Train", exact=True).last
    film.point_at(button)
    button.click()
    film.follow(lambda: runs.all() and runs.all()[0].result())
    settle(page, 1500)
    film.shoot(1800)

    link = page.get_by_role("link", name="Mistakes", exact=True).first
    film.point_at(link)
    link.click()
    gallery(page).first.wait_for()
    settle(page, 1500)
    film.shoot(1200)
    label, predicted, _ = map(int, re.findall(r"\d+", largest_confusion(page).inner_text()))
    film.point_at(page.locator(MATRIX), x=(predicted + 0.5) / 10, y=(label + 0.5) / 10)
    page.mouse.down()
    page.mouse.up()
    settle(page, 1500)
    film.shoot(1200)
    film.point_at(gallery(page).first)
    gallery(page).first.click()
    settle(page, 3000)
    film.shoot(3000)

    link = page.get_by_role("link", name="Draw", exact=True).first
    film.point_at(link)
    link.click()
    page.locator(CANVAS).wait_for()
    settle(page, 1000)
    film.shoot(600)
    draw(page, after=lambda: film.shoot(150))
    page.locator(ANSWERED).wait_for()
    settle(page, 1500)
    film.shoot(2500)
    for name in ("Pixels", "Layers"):
        choice = page.get_by_role("radio", name=name)
        show_at_top(choice)
        film.point_at(choice)
        choice.click()
        settle(page, 1500)
        show_at_top(choice)
        film.shoot(2000)
    film.save(FOLDER / "tour.gif")


def pen(page: Page, app: App) -> None:
    """Draw a 3 slowly: digit, probabilities and the network's image follow the pen."""
    page.add_init_script(POINTER)
    film = Film(page)
    page.goto(f"{app.url}/draw")
    page.locator(CANVAS).wait_for()
    settle(page, 8000)  # the engine starts, and the browser gets its network
    film.shoot(600)

    def follow() -> None:
        page.locator(PROVISIONAL).wait_for()
        page.wait_for_timeout(150)
        film.shoot(FRAME)

    draw(page, SMALL_THREE, after=follow)
    page.locator(ANSWERED).wait_for()
    settle(page, 1500)
    film.shoot(2500)
    film.save(FOLDER / "pen.gif")


def still(page: Page, name: str) -> None:
    """Save what the window shows as a small PNG."""
    settle(page, 1500)
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(STILL_COLORS, dither=Image.Dither.NONE).save(
        FOLDER / f"{name}.png", optimize=True
    )


def main() -> None:
    """Take the pictures that are asked for, all of them by default."""
    parser = argparse.ArgumentParser("python -m docs.pictures", description=__doc__)
    films = {"tour": (tour, TOUR_SIZE), "pen": (pen, PEN_SIZE)}
    parser.add_argument("names", nargs="*", choices=[[], *films, *STILLS], metavar="name")
    names = parser.parse_args().names or [*films, *STILLS]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name in films.keys() & names:
            take, size = films[name]
            with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as app:
                page = browser.new_page(viewport=size)
                page.set_default_timeout(1000 * PATIENCE)
                take(page, app)
                page.close()
        if stills := [name for name in STILLS if name in names]:
            with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as app:
                train_runs()
                add_drawings()
                if "sweeps" in stills:
                    train_sweep()
                for name in stills:
                    page = browser.new_page(viewport=STILL_SIZE)
                    page.set_default_timeout(1000 * PATIENCE)
                    SCENES[name](page, app)
                    still(page, name)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main()
