"""One's own drawing beside the curves: what the network takes it for, anew at every look."""

import numpy as np
import streamlit as st

from digits.ink.canvas import BRUSH, CANVAS_SIDE, from_fabric, rasterize
from digits.ink.preprocessing import preprocess
from digits.store import runs, watched
from digits.store.models import ModelRef
from digits.store.run_folder import MODEL, Run
from digits.store.status import DONE, Status
from widgets.shared.canvas import canvas, stroke_tools
from widgets.shared.format import as_text, percent
from widgets.shared.probabilities import bars
from widgets.shared.session import engine

SIDE = 132  # pixels of the canvas
CLEARED = "watched-cleared"  # how many canvases were cleared before this one
INITIAL = "watched-initial"  # what was on it when it came on the page
DRAWING = "watched-drawing"  # what is on it: Fabric's own JSON, and (28, 28) uint8


def watched_drawing(run: Run, status: Status) -> None:
    """A small canvas, and the ten probabilities of what is on it."""
    with st.container(horizontal=True, gap="small"):
        with st.container(width=SIDE):
            image = _canvas()
        with st.container(gap="xsmall"):
            stroke_tools(key=f"watched-tools-{st.session_state[CLEARED]}")
            if image is None:
                st.caption("Draw a digit, and see what the network takes it for while it learns.")
                return
            st.button("Clear", icon=":material/delete:", type="tertiary", on_click=_clear)
            answer = st.empty()
    try:
        p = _probabilities(run, status, image)
    except (ValueError, LookupError, OSError) as error:
        answer.caption(as_text(error))
        return
    if p is None:
        answer.caption("The network is asked when it trains.")
        return
    predicted = int(p.argmax())
    answer.markdown(f"Taken for **{predicted}** · {percent(float(p[predicted]))}")
    bars(p, None, key="watched-bars", height=82)


def _canvas() -> np.ndarray | None:
    """What is on the canvas, as the network sees it: (28, 28) uint8; ``None`` while it is empty."""
    state, scale = st.session_state, SIDE / CANVAS_SIDE
    key = f"draw-canvas-train-{state.setdefault(CLEARED, 0)}"
    if key not in state:  # just put on the page: take up what was drawn before
        state[INITIAL] = state.get(DRAWING, (None, None))[0]
    try:
        fabric, png = canvas(BRUSH, CANVAS_SIDE, key=key, initial=state[INITIAL], scale=scale)
        if png is not None and fabric != state.get(DRAWING, (None, None))[0]:
            strokes = from_fabric(fabric, scale)
            ink = rasterize(strokes, CANVAS_SIDE, CANVAS_SIDE, BRUSH)
            state[DRAWING] = fabric, preprocess(ink, strokes) if ink.any() else None
    except ValueError as error:
        st.caption(f"{error} Clear the canvas and draw again.")
    return state.get(DRAWING, (None, None))[1]


def _clear() -> None:
    st.session_state[CLEARED] += 1
    st.session_state.pop(DRAWING, None)


def _probabilities(run: Run, status: Status, image: np.ndarray) -> np.ndarray | None:
    """The latest probabilities (10,); ``None`` before the run has predicted this drawing.

    Raises as ``Engine.predict`` and ``watched.follow`` do.
    """
    if status.state in DONE:
        return _final_probabilities(run.id, run.file_stamps(MODEL), image)
    return watched.follow(run, image[None])[0]


@st.cache_data(max_entries=200, show_spinner=False)
def _final_probabilities(id: str, changed: tuple[int, ...], image: np.ndarray) -> np.ndarray:
    return engine().predict(ModelRef(runs.open(id)), image[None])[0]
