"""What digit did you draw? One click on its label saves the drawing for everybody."""

import time

import streamlit as st

from digits.ink import collection
from widgets.draw.canvas import CanvasDrawing
from widgets.shared.format import as_text

LABEL = "draw-label"  # keys of the session's state: the pills,
CLICKED = "draw-label-clicked"  # the label that was clicked and is not yet saved,
SAVED = "draw-saved"  # and what was saved last: a hash of its ink, its id, the time of the click
LATE = 1.5  # seconds by which the canvas may send a stroke after a click that followed it


def save_drawing(drawing: CanvasDrawing) -> None:
    """Ask for the label, and save the drawing with it; another click corrects, undo removes.

    Neither a blank drawing nor one on a test image is asked about.
    """
    state = st.session_state
    # Done here, not in the callback: a stroke may have come together with the click.
    clicked, label = state.pop(CLICKED, (False, None))
    if not drawing.ink.any() or drawing.on_image:
        state.pop(SAVED, None)
        return
    ink_hash, problem = hash(drawing.ink.tobytes()), ""
    saved_hash, id, moment = state.get(SAVED, (None, None, 0.0))
    late = id and not clicked and time.monotonic() - moment < LATE
    try:
        if saved_hash != ink_hash:
            id = _replace_strokes(id, drawing) if late else None
        if clicked:
            moment = time.monotonic()
            id = _save(id, label, drawing)
        state[LABEL] = collection.open(id).label if id else None
    except LookupError:
        id = state[LABEL] = None  # another visitor deleted it
    except (ValueError, OSError) as error:
        id, state[LABEL], problem = None, None, f"The drawing could not be saved: {as_text(error)}"
    state[SAVED] = ink_hash, id, moment
    st.pills("What digit did you draw?", range(10), key=LABEL, on_change=_note, wrap=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        if problem:
            st.error(problem, icon=":material/error:")
        elif id:
            st.caption(f"Saved as a {state[LABEL]}, anonymously.", width="content")
            st.button(
                "Undo saving",
                key="draw-undo-saving",
                icon=":material/undo:",
                type="tertiary",
                on_click=_undo,
            )
        else:
            st.caption("One click saves it, anonymously, to test and fine-tune models on.")


def _replace_strokes(id: str, drawing: CanvasDrawing) -> str:
    collection.replace_strokes(id, drawing.strokes, drawing.ink)
    return id


def _save(id: str | None, label: int | None, drawing: CanvasDrawing) -> str | None:
    """Add, relabel or delete; gives the id that the drawing has now."""
    if id is None:
        return None if label is None else collection.add(label, drawing.strokes, drawing.ink).id
    if label is None:
        collection.delete(id)
        return None
    collection.relabel(id, label)
    return id


def _note() -> None:
    st.session_state[CLICKED] = True, st.session_state[LABEL]


def _undo() -> None:
    st.session_state[CLICKED] = True, None
