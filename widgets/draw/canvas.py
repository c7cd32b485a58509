"""The canvas to draw on, with its tools in one row below it, where they cover nothing."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from digits.ink.canvas import BRUSH, BRUSH_RANGE, CANVAS_SIDE, SCREEN_SCALE, from_fabric, from_png

NUMBER_WIDTH = 560  # pixels of a drawing across which people write numbers,
PHONE_WIDTH = 340  # and as many as suit a phone

# Keys of the session's state.
CANVAS = "draw-canvas"  # how many canvases were cleared before this one
DRAWING = "draw-drawing"  # what is on it: Fabric's own JSON, and the drawing
INITIAL = "draw-initial"  # what was on it when it came on the page
TEST_DIGIT = "draw-test-digit"  # the test image below the strokes, (28, 28) uint8

# The component has a width of its own, and its tools are over the upper right corner, where they
# are invisible until a mouse comes by, and swallow what a finger begins to draw there. It also
# waits 200 ms before it sends a stroke; its own button, pressed when the pen is lifted, sends it
# at once and ends the wait.
JS = """
const TOOLS = ['Undo', 'Redo', 'Edit']

function fill(root) {  // the canvas takes the width that there is; Fabric asks for its box
  const { width, height } = root.querySelector('.upper-canvas')
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(`
    .dc-root { width: 100%; max-width: ${width}px }
    .dc-container { width: 100% !important; height: auto !important;
      aspect-ratio: ${width} / ${height} }
    .dc-container :is(.canvas-container, canvas) { width: 100% !important;
      height: 100% !important }
    .dc-container, canvas { border-radius: 0.5rem }
    .dc-container { overflow: hidden }
    .dc-toolbar { display: none !important }
  `)
  root.adoptedStyleSheets.push(sheet)
  root.host.closest('[class*=st-key-draw-canvas]').style.width = '100%'
}

function sendAtOnce(root) {
  let drawing = false
  root.addEventListener('pointerdown', ({ target }) => drawing = target.matches('.upper-canvas'))
  const lifted = ({ type, touches }) => {
    if (!root.host.isConnected) document.removeEventListener(type, lifted)
    if (!drawing || touches?.length) return
    drawing = false
    // When all that listens to this event has heard it, the stroke is on the canvas.
    setTimeout(() => root.querySelector('[aria-label^="Update the app"]')?.click())
  }
  document.addEventListener('mouseup', lifted)
  document.addEventListener('touchend', lifted)
}

// Our buttons press those of the component's own tools and look like them.
function connect(tools, root) {
  const toolbar = root.querySelector('.dc-toolbar')
  const pairs = TOOLS.map((name) => [tools.querySelector(`[data-tool=${name}]`),
    toolbar.querySelector(`[aria-label^="${name}"]`)])
  const mirror = () => pairs.forEach(([ours, theirs]) => {
    ours.disabled = theirs.disabled
    const pressed = theirs.getAttribute('aria-pressed')
    if (pressed) ours.setAttribute('aria-pressed', pressed)
  })
  pairs.forEach(([ours, theirs]) => { ours.onclick = () => theirs.click() })
  new MutationObserver(mirror).observe(toolbar, { subtree: true, attributes: true })
  mirror()
}

export default function ({ parentElement }) {
  const tools = parentElement.querySelector('.tools')
  let left = false
  const seek = () => {
    for (const host of document.querySelectorAll('[class*=st-key-draw-canvas] *')) {
      const root = host.shadowRoot
      if (!root?.querySelector('.dc-toolbar button') || root.connected) continue
      root.connected = true
      fill(root)
      sendAtOnce(root)
      connect(tools, root)
      return
    }
    if (!left) requestAnimationFrame(seek)
  }
  seek()
  return () => { left = true }
}
"""
CSS = """
.tools { display: flex; gap: 0.25rem; }
button { display: flex; padding: 0.5rem; border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius); background: none; color: var(--st-text-color);
  cursor: pointer; }
button:hover:enabled { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
button:disabled { opacity: 0.4; cursor: default; }
button[aria-pressed=true] { background: var(--st-primary-color);
  color: var(--st-background-color); }
svg { width: 1.25rem; height: 1.25rem; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round; }
"""
HTML = """
<div class="tools" role="group" aria-label="Strokes">
  <button data-tool="Undo" aria-label="Undo" title="Undo the last stroke">
    <svg viewBox="0 0 24 24"><path d="M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3"/></svg></button>
  <button data-tool="Redo" aria-label="Redo" title="Redo the stroke">
    <svg viewBox="0 0 24 24"><path d="m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3"/></svg></button>
  <button data-tool="Edit" aria-label="Move strokes" aria-pressed="false"
    title="Move, enlarge or turn strokes">
    <svg viewBox="0 0 24 24"><path d="M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3
      3-3 3"/></svg></button>
</div>
"""

_mount_tools = st.components.v2.component("digits_canvas_tools", html=HTML, css=CSS, js=JS)


@dataclass(frozen=True, eq=False)
class CanvasDrawing:
    """What is on the canvas: its ink and its strokes.

    ``ink`` is (height, width) uint8, 0 for paper; ``strokes`` are (2, points) each, in its pixels.
    ``on_image`` says that there is more ink than the strokes': that of a test image.
    """

    ink: np.ndarray
    strokes: list[np.ndarray]
    on_image: bool = False


BLANK = CanvasDrawing(np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8), [])


def number_width() -> int:
    """The width of a drawing of a number, by the visitor's device."""
    return PHONE_WIDTH if "Mobi" in st.context.headers.get("User-Agent", "") else NUMBER_WIDTH


def drawing_canvas(width: int) -> CanvasDrawing:
    """The canvas, for a drawing of that width, above its tools; the drawing survives other pages.

    What it returns has the pixels of ``CANVAS_SIDE``, however large the canvas is on the screen.
    """
    state = st.session_state
    board = st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Clear", icon=":material/delete:", on_click=_clear, width="content")
        tools = st.container(width=126)
        brush = st.slider(
            "Brush",
            *BRUSH_RANGE,
            BRUSH,
            2,
            key="brush",
            bind="query-params",
            label_visibility="collapsed",
            format="Brush %d",
        )
    number = state.setdefault(CANVAS, 0)
    key = f"{CANVAS}-{number}-{width}"
    if key not in state:  # just put on the page: take up what was drawn before
        state[INITIAL] = state.get(DRAWING, (None, BLANK))[0]
    below = state.get(TEST_DIGIT) if width == CANVAS_SIDE else None
    with board:
        try:
            fabric, png = _canvas(brush, width, below, initial=state[INITIAL], key=key)
            if png is not None:
                drawing = CanvasDrawing(
                    from_png(png, width, CANVAS_SIDE, SCREEN_SCALE),
                    from_fabric(fabric, SCREEN_SCALE),
                )
                state[DRAWING] = fabric, _over(below, drawing)
        except ValueError as error:
            st.error(f"{error} Clear the canvas and draw again.", icon=":material/error:")
            return BLANK
    with tools:
        _mount_tools(key=f"draw-tools-{number}-{width}")
    return state.get(DRAWING, (None, BLANK))[1]


def start_from(image: np.ndarray) -> None:
    """Put a new canvas in the place of the old one, with a test image (28, 28) uint8 on it."""
    _clear()
    st.session_state[TEST_DIGIT] = image
    st.session_state[DRAWING] = None, _over(image, BLANK)


def _over(image: np.ndarray | None, drawing: CanvasDrawing) -> CanvasDrawing:
    if image is None:
        return drawing
    return CanvasDrawing(
        np.maximum(_enlarge(image, CANVAS_SIDE), drawing.ink), drawing.strokes, True
    )


def _enlarge(image: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def _canvas(
    brush: int, width: int, below: np.ndarray | None, *, initial: dict[str, Any] | None, key: str
) -> tuple[Any, bytes | None]:
    """A sheet for white ink: Fabric's own JSON of what is on it, and a PNG after the first stroke.

    ``initial`` is what is on it at first, as Fabric's own JSON; ``below`` is a test image under
    it, (28, 28) uint8, of which the PNG shows nothing. Raises ``ValueError`` when the browser did
    not send a drawing.
    """
    picture = io.BytesIO()
    if below is not None:
        side = round(SCREEN_SCALE * CANVAS_SIDE)
        Image.fromarray(_enlarge(below, side)).save(picture, "PNG")
    try:
        result = st_canvas(
            stroke_width=round(SCREEN_SCALE * brush),
            stroke_color="#FFFFFF",
            background_color="#000000" if below is None else "",
            background_image=picture.getvalue() or None,
            width=round(SCREEN_SCALE * width),
            height=round(SCREEN_SCALE * CANVAS_SIDE),
            initial_drawing=initial,
            return_image_data=True,
            key=key,
        )
        return result.json_data, result.image_bytes
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # it trusts the browser
        raise ValueError("The browser did not send a drawing.") from error


def _clear() -> None:
    """Put a new, empty canvas in the place of the old one."""
    st.session_state[CANVAS] += 1
    st.session_state.pop(DRAWING, None)
    st.session_state.pop(TEST_DIGIT, None)
