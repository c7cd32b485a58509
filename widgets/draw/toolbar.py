"""One line above all that is drawn: what is drawn, and which model recognizes it."""

import streamlit as st

from digits.store.models import ModelRef
from widgets.shared.session import choose_model

DIGIT, NUMBER, PHOTO, SAVED = "digit", "number", "photo", "saved"
SOURCES = {DIGIT: "Digit", NUMBER: "Number", PHOTO: "Photo", SAVED: "Saved drawings"}

# Keys of the session's state: the control,
SOURCE = "draw-source"
LAST = "draw-last-source"  # its value, which outlives a visit to another page,
LINKED = "draw-linked-source"  # and what the link said when it was read last


def toolbar(fixed: str | None = None) -> tuple[str, ModelRef]:
    """Let the visitor choose a source, whose id the link holds, and a model.

    ``fixed`` is the source of a page that has only one; any other means to leave that page.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Draw", anchor=False, width="content")
        _follow_link(fixed)
        source = st.segmented_control(
            "Input",
            SOURCES,
            format_func=SOURCES.__getitem__,
            required=True,
            key=SOURCE,
            on_change=None if fixed else _link,
            label_visibility="collapsed",
            width="content",
        )
        with st.container(width=360):
            model = choose_model()
    st.session_state[LAST] = source
    return source or DIGIT, model


def _follow_link(fixed: str | None) -> None:
    """Set the control as the link says, when it is new: just opened, or by the Back button."""
    state, parameters = st.session_state, st.query_params
    linked = parameters.get("source", "").lower()
    if linked and linked not in SOURCES:
        del parameters["source"]
        linked = ""
    if SOURCE not in state:  # the page was just opened
        state[SOURCE] = fixed or linked or state.get(LAST, DIGIT)
        if not fixed:
            _link()
    elif not fixed and linked != state.get(LINKED):
        state[SOURCE], state[LINKED] = linked or DIGIT, linked


def _link() -> None:
    """Write the source into the link; a digit needs none."""
    source = st.session_state[SOURCE]
    st.session_state[LINKED] = "" if source == DIGIT else source
    if source != DIGIT:
        st.query_params["source"] = source
    elif "source" in st.query_params:
        del st.query_params["source"]
