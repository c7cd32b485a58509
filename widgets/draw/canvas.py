"""The canvas to draw on, with its tools below it, where they are seen and cover nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from digits.ink.canvas import BRUSH, BRUSH_RANGE, CANVAS_SIDE, from_fabric, from_png

NUMBER_WIDTH = 640  # pixels across which people write numbers,
PHONE_WIDTH = 340  # and as many as a phone has beside its margins

# Keys of the session's state.
CANVAS = "draw-canvas"  # how many canvases were cleared before this one
DRAWING = "draw-drawing"  # what is on it: Fabric's own JSON, and the drawing
INITIAL = "draw-initial"  # what was on it when it came on the page

# The component puts its tools over the upper right corner, where they are invisible until a mouse
# comes by, and swallow what a finger begins to draw there.
JS = """
const sheet = new CSSStyleSheet()
sheet.replaceSync(`
  .dc-root { margin-bottom: 2.75rem }
  .dc-root > .dc-toolbar { top: 100% !important; opacity: 1 !important }
`)
export default function () {
  let left = false
  const seek = () => {
    for (const host of document.querySelectorAll('[class*=st-key-draw-canvas] *')) {
      const root = host.shadowRoot
      if (!root?.querySelector('.dc-toolbar') || root.adoptedStyleSheets.includes(sheet)) continue
      root.adoptedStyleSheets.push(sheet)
      return
    }
    if (!left) requestAnimationFrame(seek)
  }
  seek()
  return () => { left = true }
}
"""

_place_tools = st.components.v2.component("digits_canvas_tools", js=JS)


@dataclass(frozen=True, eq=False)
class CanvasDrawing:
    """What is on the canvas: its ink and its strokes.

    ``ink`` is (height, width) uint8, 0 for paper; ``strokes`` are (2, points) each, in its pixels.
    """

    ink: np.ndarray
    strokes: list[np.ndarray]


BLANK = CanvasDrawing(np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8), [])


def number_width() -> int:
    """The canvas's width for a number, by the visitor's device."""
    return PHONE_WIDTH if "Mobi" in st.context.headers.get("User-Agent", "") else NUMBER_WIDTH


def drawing_canvas(width: int) -> CanvasDrawing:
    """The canvas, ``width`` pixels wide, above its brush; the drawing survives other pages."""
    state = st.session_state
    board = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", width=CANVAS_SIDE):
        st.button("Clear", icon=":material/delete:", on_click=_clear)
        brush = st.slider("Brush", *BRUSH_RANGE, BRUSH, 2, key="brush", bind="query-params")
    key = f"{CANVAS}-{state.setdefault(CANVAS, 0)}-{width}"
    if key not in state:  # just put on the page: take up what was drawn before
        state[INITIAL] = state.get(DRAWING, (None, BLANK))[0]
    with board:
        try:
            fabric, png = _canvas(brush, width, initial=state[INITIAL], key=key)
            if png is not None:
                drawing = CanvasDrawing(from_png(png, width, CANVAS_SIDE), from_fabric(fabric))
                state[DRAWING] = fabric, drawing
        except ValueError as error:
            st.error(f"{error} Clear the canvas and draw again.", icon=":material/error:")
            return BLANK
    return state.get(DRAWING, (None, BLANK))[1]


def _canvas(
    brush: int, width: int, *, initial: dict[str, Any] | None, key: str
) -> tuple[Any, bytes | None]:
    """A sheet for white ink: Fabric's own JSON of what is on it, and a PNG after the first stroke.

    ``initial`` is what is on it at first, as Fabric's own JSON. Raises ``ValueError`` when the
    browser did not send a drawing.
    """
    try:
        result = st_canvas(
            stroke_width=brush,
            stroke_color="#FFFFFF",
            background_color="#000000",
            width=width,
            height=CANVAS_SIDE,
            initial_drawing=initial,
            return_image_data=True,
            key=key,
        )
        fabric, png = result.json_data, result.image_bytes
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # it trusts the browser
        raise ValueError("The browser did not send a drawing.") from error
    _place_tools(key=f"draw-tools{key.removeprefix(CANVAS)}")
    return fabric, png


def _clear() -> None:
    """Put a new, empty canvas in the place of the old one."""
    st.session_state[CANVAS] += 1
    st.session_state.pop(DRAWING, None)
