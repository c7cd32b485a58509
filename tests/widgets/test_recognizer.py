"""The browser's recognizer gives what Python gives, stage by stage and in the end."""

import base64
import dataclasses
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from digits.ink import pen_digits
from digits.ink.canvas import CANVAS_SIDE, place, rasterize, smooth
from digits.ink.preprocessing import Preprocessing, center, crop, fit, normalize, preprocess
from digits.recipes.recipe import Conv, Recipe
from digits.store import runs
from digits.store.model_arrays import model_arrays
from digits.store.models import ModelRef
from digits.worker import model, predict
from tests.conftest import new_page

ROOT = Path(__file__).parents[2]
FILE = Path(os.environ.get("DIGITS_DATA", ""), "pen_digits_dev.json.gz")
ADDRESS = "http://recognizer.test"
HELPERS = """async () => {  // arrays of bytes travel as base64
  const recognizer = await import('/recognizer.mjs')
  const toBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt())
  const toText = ({ data, ...size }) =>
    ({ ...size, data: btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join('')) })
  const received = (value) => value?.data ? { ...value, data: toBytes(value.data) } : value
  const call = (name, values) => {
    const result = recognizer[name](...values.map(received))
    return result?.data ? toText(result) : result
  }
  const NO_INK = { width: 280, height: 280 }
  const recognize = (network, ink, strokes) => {
    const options = { redraw: true, crop: true, fit: true, center: true }
    const image = recognizer.preprocess(received(ink) ?? NO_INK, strokes, options)
    return [toText(image), [...recognizer.predict(network, image)]]
  }
  Object.assign(window, { recognizer, toBytes, toText, call, recognize })
}"""
Strokes = list[np.ndarray]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def module(browser: Browser) -> Iterator[Page]:
    """A blank page on which the recognizer can be imported."""
    page = new_page(browser)
    script = ROOT / "static" / "recognizer.mjs"
    page.route(f"{ADDRESS}/", lambda route: route.fulfill(content_type="text/html", body=""))
    page.route(
        f"{ADDRESS}/*.mjs", lambda route: route.fulfill(content_type="text/javascript", path=script)
    )
    page.goto(ADDRESS)
    page.evaluate(HELPERS)
    yield page
    page.close()


def scribbles(count: int, seed: int = 0) -> list[Strokes]:
    """Random curves, from a dot to more than the canvas holds, each begun on the canvas."""
    random = np.random.default_rng(seed)
    drawings = []
    for _ in range(count):
        reach = random.choice([0.5, 3, 8, 15])  # pixels a step
        strokes = []
        for _ in range(random.integers(1, 5)):
            points = random.integers(1, 40)
            turns = random.uniform(0, 2 * np.pi) + np.cumsum(random.normal(0, 0.6, points))
            steps = reach * np.stack([np.cos(turns), np.sin(turns)])
            start = random.uniform(20, CANVAS_SIDE - 20, (2, 1))
            strokes.append((start + np.cumsum(steps, axis=1)).round(1))
        drawings.append(strokes)
    return drawings


def pen(count: int) -> list[Strokes]:
    """Digits that people wrote, as large as on the Draw page."""
    if not FILE.is_file():
        pytest.skip(f"{FILE.name} is not on this machine")
    digits = [one for one in pen_digits.read_pen_digits(FILE) if not one.suspect]
    chosen = np.linspace(0, len(digits) - 1, count).astype(int)
    return [[stroke.round(1) for stroke in place(digits[at].strokes, 200)] for at in chosen]


def plain(strokes: Strokes) -> list[list[list[float]]]:
    return [stroke.tolist() for stroke in strokes]


def from_page(pixels: dict[str, Any]) -> np.ndarray:
    """(height, width) uint8 of what a function of the recognizer returned."""
    data = np.frombuffer(base64.b64decode(pixels["data"]), np.uint8)
    return data.reshape(pixels["height"], pixels["width"])


def to_page(ink: np.ndarray) -> dict[str, Any]:
    height, width = ink.shape
    return {"height": height, "width": width, "data": base64.b64encode(ink.tobytes()).decode()}


def call(module: Page, function: str, *arguments: Any) -> Any:
    """What a function of the recognizer returns; ink travels as base64."""
    return module.evaluate("([name, values]) => call(name, values)", [function, arguments])


def in_browser(
    module: Page, arrays: bytes, drawings: list[Strokes]
) -> tuple[np.ndarray, np.ndarray]:
    """The images (n, 28, 28) uint8 and the probabilities (n, 10) that the browser has of them."""
    found = module.evaluate(
        """([arrays, drawings]) => {
          const network = recognizer.readNetwork(toBytes(arrays))
          return drawings.map(([ink, strokes]) => recognize(network, ink, strokes))
        }""",
        [
            base64.b64encode(arrays).decode(),
            [[to_page(sheet(one)) if small(one) else None, plain(one)] for one in drawings],
        ],
    )
    return np.stack([from_page(image) for image, _ in found]), np.array([p for _, p in found])


def small(strokes: Strokes) -> bool:
    """Whether the ink itself is looked at, for strokes so small are not drawn again."""
    return bool(np.ptp(np.concatenate(strokes, axis=1), axis=1).max() <= 20)


def sheet(strokes: Strokes) -> np.ndarray:
    return rasterize(strokes, CANVAS_SIDE, CANVAS_SIDE, 18)


def test_browser_and_python_recognize_the_same(module: Page) -> None:
    drawings = [*pen(500), *scribbles(200)]
    images, p = in_browser(module, model_arrays(ModelRef()).content, drawings)
    any_ink = np.ones((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    expected = np.stack(
        [preprocess(sheet(one) if small(one) else any_ink, one) for one in drawings]
    )
    assert len(drawings) == 700
    assert sum(map(small, drawings)) >= 10
    assert np.array_equal(images, expected)
    y = predict.predict(predict.load(ModelRef()), expected)
    assert (p.argmax(axis=1) == y.argmax(axis=1)).mean() >= 0.998
    assert p == pytest.approx(y, abs=1e-5)


def test_every_stage_gives_the_same_pixels(module: Page) -> None:
    for strokes in [*pen(10), *scribbles(10, seed=1)]:
        for stroke in strokes:
            line = np.array(call(module, "smooth", stroke.tolist()))
            assert line == pytest.approx(smooth(stroke), abs=1e-9)
        ink = sheet(strokes)
        drawn = call(module, "rasterize", plain(strokes), CANVAS_SIDE, CANVAS_SIDE, 18)
        assert np.array_equal(from_page(drawn), ink)
        box = crop(ink)
        assert np.array_equal(from_page(call(module, "crop", to_page(ink))), box)
        for side in (20, 28):
            digit = fit(box, side)
            assert np.array_equal(from_page(call(module, "fit", to_page(box), side)), digit)
            for by_mass in (True, False):
                centered = from_page(call(module, "center", to_page(digit), by_mass))
                assert np.array_equal(centered, center(digit, by_mass=by_mass))


def test_each_stage_can_be_disabled(module: Page) -> None:
    [strokes] = scribbles(1, seed=2)
    ink = sheet(strokes)
    for switches in itertools.product([False, True], repeat=3):
        options = Preprocessing(False, *switches)
        image = call(module, "normalize", to_page(ink), dataclasses.asdict(options))
        assert np.array_equal(from_page(image), normalize(ink, options))
        assert np.array_equal(
            from_page(
                call(
                    module, "preprocess", to_page(ink), plain(strokes), dataclasses.asdict(options)
                )
            ),
            preprocess(ink, strokes, options),
        )


def test_a_blank_drawing_has_no_image(module: Page) -> None:
    ink = to_page(np.zeros((40, 40), np.uint8))
    options = dataclasses.asdict(Preprocessing())
    assert call(module, "normalize", ink, options) is None


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(conv=(Conv(8), Conv(12, 5, pool=False)), dense=(16,), activation="gelu"),
        Recipe(conv=(Conv(8, 4),), batch_norm=True, head="global-average", activation="silu"),
        Recipe(conv=(Conv(8),), head="global-max", dropout=0.3, activation="elu", dense=(8, 8)),
        Recipe(conv=(), dense=(20,), activation="tanh"),
        Recipe(conv=(Conv(6, 2),), batch_norm=True, activation="sigmoid", conv_dropout=0.2),
    ],
    ids=lambda recipe: recipe.activation,
)
def test_networks_of_every_layer_compute_the_same(module: Page, recipe: Recipe) -> None:
    network = model.build(recipe)
    random = np.random.default_rng(0)
    for layer in network.layers:
        if layer.name.startswith("norm"):
            layer.set_weights([random.uniform(0.5, 2, size.shape) for size in layer.get_weights()])
    run = runs.create(recipe, "Random")
    run.write_model(network.save)
    drawings = scribbles(8, seed=3)
    images, p = in_browser(module, model_arrays(ModelRef(run)).content, drawings)
    assert p == pytest.approx(predict.predict(network, images), abs=1e-5)
