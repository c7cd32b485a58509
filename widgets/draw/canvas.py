"""The canvas to draw on, with its tools in one row below it, where they cover nothing."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from digits.ink.canvas import BRUSH, BRUSH_RANGE, CANVAS_SIDE, SCREEN_SCALE, from_fabric, from_png
from widgets.shared.canvas import canvas, enlarge, stroke_tools

NUMBER_WIDTH = 560  # pixels of a drawing across which people write numbers,
PHONE_WIDTH = 340  # and as many as suit a phone

# Keys of the session's state.
CANVAS = "draw-canvas"  # how many canvases were cleared before this one
DRAWING = "draw-drawing"  # what is on it: Fabric's own JSON, and the drawing
INITIAL = "draw-initial"  # what was on it when it came on the page
TEST_DIGIT = "draw-test-digit"  # the test image below the strokes, (28, 28) uint8


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
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
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
            fabric, png = canvas(brush, width, below, initial=state[INITIAL], key=key)
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
        stroke_tools(key=f"draw-tools-{number}-{width}")
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
        np.maximum(enlarge(image, CANVAS_SIDE), drawing.ink), drawing.strokes, True
    )


def _clear() -> None:
    """Put a new, empty canvas in the place of the old one."""
    st.session_state[CANVAS] += 1
    st.session_state.pop(DRAWING, None)
    st.session_state.pop(TEST_DIGIT, None)
