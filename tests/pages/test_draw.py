"""The Draw page, driven as a visitor would: by mouse, by finger, and back and forth."""

import base64
import io
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from benchmarks import photos
from digits.ink import canvas
from digits.ink.canvas import CANVAS_SIDE, SCREEN_SCALE
from tests.conftest import CHROMIUM, new_page

pytestmark = pytest.mark.browser

# In pixels of the canvas: x, y.
THREE = [
    (95, 70),
    (130, 55),
    (175, 65),
    (185, 95),
    (165, 125),
    (130, 135),
    (170, 142),
    (192, 175),
    (175, 215),
    (130, 228),
    (90, 210),
]
SEVEN = [(85, 60), (195, 60), (160, 130), (130, 230)]


def open_page(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/draw{query}")
    page.locator("canvas.upper-canvas").wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")


def corner_of_canvas(page: Page) -> tuple[float, float]:
    """Where the canvas has come to rest in the window."""
    expect(page.locator("canvas.upper-canvas")).to_have_count(1)  # the old one stays for a moment
    box = None
    while box != (box := page.locator("canvas.upper-canvas").bounding_box()):
        page.wait_for_timeout(300)
    assert box is not None
    return box["x"], box["y"]


def scale(page: Page) -> float:
    """Pixels of the screen for each of a drawing's."""
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    return box["height"] / CANVAS_SIDE


def draw(page: Page, line: list[tuple[float, float]], steps: int = 4) -> None:
    left, top = corner_of_canvas(page)
    enlarged = scale(page)
    points = [(left + x * enlarged, top + y * enlarged) for x, y in line]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page: Page) -> np.ndarray:
    """What is on the canvas: (280, 280) gray, 0 to 255."""
    url = page.locator("canvas.dc-canvas.lower-canvas").evaluate("canvas => canvas.toDataURL()")
    png = base64.b64decode(url.split(",")[1])
    return canvas.from_png(png, CANVAS_SIDE, CANVAS_SIDE, SCREEN_SCALE)


def answer(page: Page, digit: int) -> None:
    """Wait until the server predicts this digit; the first time waits for TensorFlow to load."""
    final = page.locator(".answer:not([data-provisional]) .digit")
    expect(final).to_have_text(str(digit))


def test_a_3_drawn_by_mouse_is_recognized(page: Page, server: str) -> None:
    open_page(page, server)
    expect(page.get_by_text("Draw a digit from 0 to 9")).to_be_visible()
    draw(page, THREE)
    answer(page, 3)
    expect(page.get_by_alt_text("as the model sees it")).to_be_visible()


def test_the_canvas_can_be_drawn_on_while_the_model_predicts(page: Page, server: str) -> None:
    open_page(page, server)
    draw(page, SEVEN)
    bare = pixels(page)
    draw(page, [(100, 150), (190, 150)])
    assert pixels(page).sum() > bare.sum()
    answer(page, 7)


def test_a_drawing_survives_a_change_of_page_and_can_be_undone(page: Page, server: str) -> None:
    open_page(page, server)
    draw(page, SEVEN)
    answer(page, 7)
    drawn = pixels(page)
    page.get_by_role("link", name="Runs").click()
    page.locator("canvas").first.wait_for(state="detached")
    page.get_by_role("link", name="Draw", exact=True).click()
    page.locator("canvas.upper-canvas").wait_for()
    answer(page, 7)
    page.wait_for_timeout(500)
    assert np.abs(pixels(page).astype(int) - drawn).mean() < 1

    draw(page, [(100, 150), (190, 150)])
    page.wait_for_timeout(500)
    assert pixels(page).sum() > drawn.sum()
    page.locator("canvas.upper-canvas").hover()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_timeout(500)
    assert np.abs(pixels(page).astype(int) - drawn).mean() < 1


def test_clear_empties_the_canvas_for_good(page: Page, server: str) -> None:
    open_page(page, server)
    draw(page, THREE)
    answer(page, 3)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw a digit from 0 to 9")).to_be_visible()
    expect(page.locator("canvas.upper-canvas")).to_have_count(1)
    assert not pixels(page).any()
    draw(page, SEVEN)
    answer(page, 7)


def test_modes_are_ids_in_the_link_and_back_undoes_them(page: Page, server: str) -> None:
    open_page(page, server)
    modes = page.get_by_role("radiogroup", name="Input")
    expect(page).not_to_have_url(re.compile("source"))
    modes.get_by_role("radio", name="Number").click()
    expect(page).to_have_url(re.compile(r"\bsource=number\b"))
    modes.get_by_role("radio", name="Saved drawings").click()
    expect(page).to_have_url(re.compile(r"\bsource=saved\b"))
    page.go_back()
    expect(modes.get_by_role("radio", name="Number")).to_be_checked()
    page.go_back()
    expect(modes.get_by_role("radio", name="Digit")).to_be_checked()
    page.goto(f"{server}/drawings")
    expect(modes.get_by_role("radio", name="Saved drawings")).to_be_checked()
    modes.get_by_role("radio", name="Digit").click()
    page.locator("canvas.upper-canvas").wait_for()
    expect(page).to_have_url(re.compile(r"/draw\b"))


def test_a_test_digit_comes_by_keyboard_is_drawn_on_and_cleared(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_role("button", name="Start from a test digit").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".answer .digit")).to_have_text(re.compile("[0-9]"))
    seen = page.get_by_alt_text("as the model sees it")
    first = seen.get_attribute("src") or ""
    expect(page.get_by_text("What digit did you draw?")).to_have_count(0)
    draw(page, [(20, 20), (260, 20), (260, 260)])
    expect(page.get_by_label("Strokes: 1.")).to_be_visible()
    expect(seen).not_to_have_attribute("src", first)  # both the image and the stroke
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw a digit from 0 to 9")).to_be_visible()
    draw(page, SEVEN)
    answer(page, 7)


def test_the_brush_is_part_of_the_link(page: Page, server: str) -> None:
    open_page(page, server, "?brush=40")
    draw(page, [(100, 140), (180, 140)])
    assert (pixels(page)[:, 140] > 127).sum() == pytest.approx(40, abs=2)


def test_a_finger_draws_on_a_phone_and_the_page_stays_where_it_is(
    browser: Browser, server: str
) -> None:
    phone = {"width": 390, "height": 844}
    page = new_page(browser, viewport=phone, has_touch=True, is_mobile=True)
    open_page(page, server)
    canvas = page.locator("canvas.upper-canvas")
    canvas.scroll_into_view_if_needed()
    left, top = corner_of_canvas(page)
    enlarged = scale(page)
    assert 300 < CANVAS_SIDE * enlarged < 390 - 2 * left + 1  # as wide as the phone
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": left + x * enlarged, "y": top + y * enlarged} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", THREE[0])
    for (x, y), (to_x, to_y) in pairwise(THREE):
        for part in (0.25, 0.5, 0.75, 1):
            touch("touchMove", (x + (to_x - x) * part, y + (to_y - y) * part))
    touch("touchEnd")
    answer(page, 3)
    assert corner_of_canvas(page) == (left, top)

    page.get_by_role("button", name="Undo").tap()  # below the canvas, where it covers nothing
    expect(page.get_by_text("Draw a digit from 0 to 9")).to_be_visible()
    assert not pixels(page).any()
    touch("touchStart", (275, 5))
    for part in range(1, 6):
        touch("touchMove", (275 - 20 * part, 5 + 40 * part))
    touch("touchEnd")
    expect(page.get_by_label("Strokes: 1.")).to_be_visible()
    assert pixels(page)[:30, 250:].any()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.context.close()


def test_render_draws_as_the_canvas_does(page: Page, server: str) -> None:
    open_page(page, server)
    placed = canvas.place([np.array(THREE, float).T], 200)
    draw(page, list(zip(*placed[0], strict=True)), steps=1)
    page.wait_for_timeout(300)
    difference = np.abs(pixels(page).astype(float) - canvas.render(placed))
    # Chromium reports the mouse in whole pixels; half a pixel of that is what remains.
    assert difference.mean() / 255 < 0.012


def test_a_number_is_recognized_digit_by_digit_and_survives_a_change_of_page(
    page: Page, server: str
) -> None:
    open_page(page, server, "?source=number")
    draw(page, THREE)
    answer(page, 3)
    draw(page, [(x + 150, y) for x, y in SEVEN])
    draw(page, [(x + 300, y) for x, y in THREE])
    expect(page.get_by_test_id("stMetricValue")).to_have_text("373")
    expect(page.get_by_alt_text("each digit of 373")).to_be_visible()
    expect(page.get_by_alt_text("Predicted as 3")).to_have_count(2)
    page.get_by_role("link", name="Runs").click()
    page.locator("canvas").first.wait_for(state="detached")
    page.get_by_role("link", name="Draw", exact=True).click()
    expect(page.get_by_test_id("stMetricValue").filter(has_text="373")).to_be_visible()


def test_a_photo_is_recognized_and_a_bad_file_leaves_the_result_where_it_is(
    page: Page, server: str
) -> None:
    page.goto(f"{server}/draw?source=photo")
    upload = page.locator("input[type=file]")
    both = [np.array(THREE, float).T, np.array([(x + 150, y) for x, y in SEVEN], float).T]
    paper = photos.photo(
        canvas.rasterize(both, 420, 280, brush=10), width=1600, height=1200, ruling="squared"
    )
    upload.set_input_files({"name": "paper.jpg", "mimeType": "image/jpeg", "buffer": paper})
    expect(page.get_by_test_id("stMetricValue")).to_have_text("37")
    expect(page.get_by_alt_text("each digit of 37")).to_be_visible()
    upload.set_input_files({"name": "7.png", "mimeType": "image/png", "buffer": b"a seven"})
    expect(page.get_by_text("7.png is not a picture that can be read here")).to_be_visible()
    expect(page.get_by_test_id("stMetricValue")).to_have_text("37")


def test_a_photo_is_taken_with_the_camera_and_recognized(
    browser: Browser, server: str, tmp_path: Path
) -> None:
    both = [np.array(THREE, float).T, np.array([(x + 150, y) for x, y in SEVEN], float).T]
    paper = photos.photo(canvas.rasterize(both, 420, 280, brush=10), width=640, height=480)
    picture = Image.open(io.BytesIO(paper)).convert("YCbCr")
    light, *colors = (np.asarray(plane) for plane in picture.split())
    frame = b"FRAME\n" + light.tobytes() + b"".join(one[::2, ::2].tobytes() for one in colors)
    (tmp_path / "film.y4m").write_bytes(b"YUV4MPEG2 W640 H480 F5:1 Ip A1:1 C420jpeg\n" + frame)
    camera = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={tmp_path / 'film.y4m'}",
        ],
    )
    page = new_page(camera)
    page.goto(f"{server}/draw?source=photo")
    page.get_by_text("Use the camera").click()
    page.wait_for_function("document.querySelector('video')?.readyState === 4")  # it shows a frame
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_test_id("stMetricValue")).to_have_text("37")
    camera.close()
