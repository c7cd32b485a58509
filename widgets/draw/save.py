"""It was a …: one click on a digit keeps the drawing for everybody."""

import time
from typing import Any

import numpy as np
import streamlit as st

from digits.ink import canvas, collection

DIGIT = "it-was"  # keys of the session's state: the pills,
WISH = "it-was-clicked"  # what was clicked and is not done yet, and
KEPT = "it-was-kept"  # the ink that was kept last, as a hash, its id, and when it was clicked
LATE = 1.5  # seconds by which the canvas may send a stroke after a click that followed it


def save_drawing(objects: list[dict[str, Any]], ink: np.ndarray) -> None:
    """Ask what the drawing was meant to be, and keep it; another click corrects, undo removes.

    ``objects`` are the canvas's own, ``ink`` is (height, width) uint8, 0 for paper; nothing is
    asked about a blank one.
    """
    state = st.session_state
    # Done here, not in the callback: a stroke may have come together with the click.
    clicked, wish = state.pop(WISH, (False, None))
    if not ink.any():
        state.pop(KEPT, None)
        return
    mark, problem = hash(ink.tobytes()), ""
    before, id, moment = state.get(KEPT, (None, None, 0.0))
    late = id and not clicked and time.monotonic() - moment < LATE
    try:
        if before != mark:
            id = _redraw(id, objects, ink) if late else None
        if clicked:
            moment = time.monotonic()
            id = _keep(id, wish, objects, ink)
        state[DIGIT] = collection.open(id).label if id else None
    except LookupError:
        id = state[DIGIT] = None  # somebody deleted it
    except (ValueError, OSError) as error:
        id, state[DIGIT], problem = None, None, f"The drawing could not be kept: {error}"
    state[KEPT] = mark, id, moment
    st.pills("It was a …", range(10), key=DIGIT, on_change=_note, wrap=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        if problem:
            st.error(problem, icon=":material/error:")
        elif id:
            st.caption(f"Kept as a {state[DIGIT]}, without a name.", width="content")
            st.button(
                "Undo keeping",
                key="unkeep",
                icon=":material/undo:",
                type="tertiary",
                on_click=_take_back,
            )
        else:
            st.caption("One click keeps it, without your name, to test and teach networks with.")
        st.page_link("pages/drawings.py", label="All drawings", icon=":material/collections:")


def _redraw(id: str, objects: list[dict[str, Any]], ink: np.ndarray) -> str:
    collection.replace_strokes(id, canvas.from_fabric(objects), ink)
    return id


def _keep(
    id: str | None, label: int | None, objects: list[dict[str, Any]], ink: np.ndarray
) -> str | None:
    """Keep, correct or remove; gives the id that the drawing has now."""
    if id is None:
        return None if label is None else collection.add(label, canvas.from_fabric(objects), ink).id
    if label is None:
        collection.delete(id)
        return None
    collection.relabel(id, label)
    return id


def _note() -> None:
    st.session_state[WISH] = True, st.session_state[DIGIT]


def _take_back() -> None:
    st.session_state[WISH] = True, None
