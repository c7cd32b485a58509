"""It was a …: one click on a digit keeps the drawing for everybody."""

from typing import Any

import numpy as np
import streamlit as st

from digits import drawings

DIGIT = "it-was"  # keys of the session's state: the pills,
WISH = "it-was-clicked"  # what was clicked and is not done yet, and
KEPT = "it-was-kept"  # the ink that was kept last, as a hash, and its id


def it_was(objects: list[dict[str, Any]], ink: np.ndarray) -> None:
    """Ask what the drawing was meant to be, and keep it; another click corrects, undo removes.

    ``objects`` are the canvas's own, ``ink`` is (height, width) uint8, 0 for paper; nothing is
    asked about a blank one.
    """
    state = st.session_state
    # Done here, not in the callback: a stroke may have come together with the click.
    clicked, wish = state.pop(WISH, (False, None))
    if not ink.any():
        return
    mark, problem = hash(ink.tobytes()), ""
    before, id = state.get(KEPT, (None, None))
    if before != mark:
        id = None
    try:
        if clicked:
            id = _keep(id, wish, objects, ink)
        state[DIGIT] = drawings.open(id).label if id else None
    except LookupError:
        id = state[DIGIT] = None  # somebody deleted it
    except (ValueError, OSError) as error:
        id, state[DIGIT], problem = None, None, f"The drawing could not be kept: {error}"
    state[KEPT] = mark, id
    st.pills("It was a …", range(10), key=DIGIT, on_change=_note, wrap=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        if problem:
            st.error(problem, icon=":material/error:")
        elif id:
            st.caption(f"Kept as a {state[DIGIT]}, without a name.", width="content")
            st.button("Undo keeping", key="unkeep", icon=":material/undo:", type="tertiary",
                      on_click=_take_back)  # fmt: skip
        else:
            st.caption("One click keeps it, without your name, to test and teach networks with.")
        st.page_link("pages/drawings.py", label="All drawings", icon=":material/collections:")


def _keep(
    id: str | None, label: int | None, objects: list[dict[str, Any]], ink: np.ndarray
) -> str | None:
    """Keep, correct or remove; gives the id that the drawing has now."""
    if id is None:
        return None if label is None else drawings.add(label, drawings.from_canvas(objects), ink).id
    if label is None:
        drawings.delete(id)
        return None
    drawings.relabel(id, label)
    return id


def _note() -> None:
    st.session_state[WISH] = True, st.session_state[DIGIT]


def _take_back() -> None:
    st.session_state[WISH] = True, None
