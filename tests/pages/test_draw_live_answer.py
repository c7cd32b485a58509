"""The bars of the Draw page follow the pen; the answer at its end is the server's."""

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from digits.ink.canvas import SCREEN_SCALE
from tests.conftest import App, new_page
from tests.engine.test_client import worker_of
from tests.pages.test_draw import SEVEN, THREE, answer, corner_of_canvas, draw, open_page, scale

pytestmark = pytest.mark.browser

LINE = [(140, 50), (140, 120), (140, 230)]  # a 1


def shares(page: Page) -> list[str]:
    """What is written beside the ten bars."""
    return page.locator(".answer .value").all_inner_texts()


def press(page: Page, line: list[tuple[float, float]]) -> None:
    """Draw, and keep the button down."""
    move(page, line[:1])
    page.mouse.down()
    move(page, line[1:])


def move(page: Page, line: list[tuple[float, float]]) -> None:
    left, top = corner_of_canvas(page)
    for x, y in line:
        page.mouse.move(left + SCREEN_SCALE * x, top + SCREEN_SCALE * y, steps=3)


def provisional(page: Page, digit: int) -> None:
    """Wait until the bars show what the browser reads so far."""
    expect(page.locator(".answer[data-provisional] .digit")).to_have_text(str(digit))


def final(page: Page, digit: int, strokes: int) -> None:
    """Wait until the bars show the server's answer to so many strokes."""
    bars = page.get_by_label(re.compile(rf"^Strokes: {strokes}\. Prob"))
    expect(bars).to_be_visible()
    answer(page, digit)
    said = re.findall(rf"\b{digit}: (.*?%)", bars.get_attribute("aria-label") or "")
    assert [shares(page)[digit]] == said
    assert page.locator(".answer .share").inner_text() == said[0]


def test_the_bars_follow_the_pen_until_the_server_answers(page: Page, server: str) -> None:
    open_page(page, server)
    expect(page.get_by_label("Strokes: 0.")).to_be_visible()
    press(page, THREE[:5])
    provisional(page, 7)
    move(page, THREE[5:7])
    provisional(page, 2)
    expect(page.get_by_label("Strokes: 0.")).to_be_visible()
    move(page, THREE[7:])
    provisional(page, 3)
    page.mouse.up()
    final(page, 3, strokes=1)


def test_nothing_moves_below_a_click_while_the_worker_is_slow(page: Page, app: App) -> None:
    open_page(page, app.url)
    draw(page, SEVEN)
    final(page, 7, strokes=1)
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")
    label = page.get_by_role("radio", name="1", exact=True)
    before = label.bounding_box()
    worker = worker_of(app.process.pid)
    worker.suspend()
    try:
        draw(page, [(100, 150), (190, 150)])
        expect(page.get_by_text("recognizing …")).to_be_visible()
        page.wait_for_timeout(1000)
        assert label.bounding_box() == before
        label.click()
    finally:
        worker.resume()
    expect(page.get_by_text("Saved as a 1")).to_be_visible()
    final(page, 7, strokes=2)
    page.get_by_role("button", name="Undo saving").click()
    expect(page.get_by_text("One click saves it")).to_be_visible()


def test_earlier_strokes_count_and_those_undone_do_not(page: Page, server: str) -> None:
    open_page(page, server)
    draw(page, [(90, 60), (85, 140), (190, 140)])
    press(page, [(160, 60), (160, 150), (160, 230)])  # at once: the first may not be answered yet
    provisional(page, 4)
    page.mouse.up()
    final(page, 4, strokes=2)
    for left in (1, 0):
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_label(f"Strokes: {left}.")).to_be_visible()
    press(page, LINE)
    provisional(page, 1)
    page.mouse.up()
    final(page, 1, strokes=1)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_label("Strokes: 0.")).to_be_visible()
    press(page, SEVEN)
    provisional(page, 7)


def test_a_stroke_is_sent_once_and_before_the_canvas_would(page: Page, server: str) -> None:
    drawings = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: b"image/png" in frame and drawings.append(frame))

    page.on("websocket", listen)
    open_page(page, server)
    page.evaluate("""() => {
      document.addEventListener('mouseup', () => { window.lifted = performance.now() }, true)
      document.addEventListener('click', ({ isTrusted }) => {
        if (!isTrusted) window.waited = performance.now() - window.lifted
      }, true)
    }""")
    draw(page, SEVEN)
    assert page.wait_for_function("window.waited").json_value() < 150  # the canvas waits for 200
    page.wait_for_timeout(500)
    assert len(drawings) == 1
    answer(page, 7)


def test_without_the_module_the_server_alone_answers(page: Page, server: str) -> None:
    page.route("**/recognizer.mjs*", lambda route: route.abort())
    open_page(page, server)
    press(page, THREE)
    page.wait_for_timeout(300)
    assert shares(page) == [""] * 10
    page.mouse.up()
    final(page, 3, strokes=1)


def test_what_the_server_has_not_got_is_sent_again(page: Page, server: str) -> None:
    open_page(page, server)
    page.evaluate("""() => {  // the first message with a drawing is lost
      const send = WebSocket.prototype.send
      WebSocket.prototype.send = function (data) {
        const lost = !window.lost && data.byteLength
          && new TextDecoder('latin1').decode(data).includes('image/png')
        if (lost) window.lost = true
        else send.call(this, data)
      }
    }""")
    draw(page, SEVEN)
    final(page, 7, strokes=1)
    assert page.evaluate("window.lost")


def test_on_a_phone_the_answer_follows_and_a_second_finger_does_not_draw(
    browser: Browser, server: str
) -> None:
    phone = {"width": 390, "height": 844}
    page = new_page(browser, viewport=phone, has_touch=True, is_mobile=True)
    open_page(page, server)
    page.locator("canvas.upper-canvas").scroll_into_view_if_needed()
    left, top = corner_of_canvas(page)
    enlarged = scale(page)
    expect(page.locator(".answer .digit")).to_be_in_viewport(ratio=0)
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [
            {"x": left + enlarged * x, "y": top + enlarged * y, "id": n}
            for n, (x, y) in enumerate(points)
        ]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    line = [(float(x), float(y)) for x, y in np.linspace(SEVEN[0], SEVEN[1], 6)]
    line += [(float(x), float(y)) for x, y in np.linspace(SEVEN[1], SEVEN[3], 9)][1:]
    touch("touchStart", line[0])
    for point in line[1:]:
        touch("touchMove", point)
    provisional(page, 7)
    before = shares(page)
    touch("touchStart", line[-1], (40, 150))
    for x in range(60, 260, 20):
        touch("touchMove", line[-1], (x, 150))
    page.wait_for_timeout(300)
    assert shares(page) == before
    touch("touchEnd")
    final(page, 7, strokes=1)
    page.context.close()
