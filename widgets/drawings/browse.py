"""The gallery of drawings, and one of them large, with what can be done with it."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from digits.ink import collection
from digits.ink.collection import Drawing
from digits.store.files import reason
from digits.store.run_folder import Run
from widgets.shared.drawings import drawing_over_epochs, probabilities_at_epochs
from widgets.shared.format import as_text, filled
from widgets.shared.gallery import gallery
from widgets.shared.probabilities import bars

PER_PAGE = 100
FILTERS = ("All", "Misclassified", "Pinned")
SELECTED = "drawings-selected"  # key of the session's state: the id of the drawing shown large


def browse(
    drawings: list[Drawing],
    y: np.ndarray,
    probabilities: np.ndarray | None,
    toolbar: DeltaGenerator,
) -> None:
    """The drawings that pass the filter in ``toolbar``, page by page; a click selects one.

    ``y`` are the labels (n,), ``probabilities`` (n, 10), ``None`` where the model has failed.
    """
    y_pred = None if probabilities is None else probabilities.argmax(axis=1)
    correct = np.zeros(len(y), bool) if y_pred is None else y_pred == y
    show = toolbar.segmented_control(
        "Show", FILTERS, default=FILTERS[0], required=True, key="show", bind="query-params"
    )
    passed = {
        "All": np.ones(len(y), bool),
        "Misclassified": ~correct,
        "Pinned": np.array([drawing.pinned for drawing in drawings]),
    }
    indices = np.flatnonzero(passed[show])
    if not len(indices):
        st.info("No matching drawings.", icon=":material/search_off:")
        return
    pages = -(-len(indices) // PER_PAGE)
    page = st.pagination(pages, key="drawings-page") if pages > 1 else 1
    indices = indices[PER_PAGE * (page - 1) : PER_PAGE * page]
    captions, names = [], []
    for index in indices:
        predicted = "" if y_pred is None else f" → {y_pred[index]}"
        mark = " ✓" if correct[index] else predicted
        captions.append(f"{y[index]}{mark}{' 📌' * drawings[index].pinned}")
        names.append(f"A drawn {y[index]}{predicted}")
    images, _ = collection.images([drawings[index] for index in indices])
    ids = [drawings[index].id for index in indices]
    gallery(
        images,
        captions,
        key="drawings-gallery",
        names=names,
        size=48,
        on_click=lambda place: _select(ids[place]),
    )
    st.caption("Click a drawing to enlarge it, correct its label, pin or delete it.")


def selected_drawing(drawings: list[Drawing]) -> int | None:
    """The index of the drawing to show large, ``None`` for the gallery."""
    id = st.session_state.get(SELECTED)
    return next((index for index, drawing in enumerate(drawings) if drawing.id == id), None)


def show_drawing(drawing: Drawing, p: np.ndarray | None, run: Run | None) -> None:
    """A drawing large, its label, and its probabilities (10,) by a model and the run's epochs."""
    st.button("All drawings", icon=":material/arrow_back:", on_click=_select, args=[None])
    left, right = st.columns(2, gap="large")
    with left:
        picture, controls = st.columns([2, 3], gap="medium")
    picture.image(drawing.ink, width=200, alt=f"A drawn {drawing.label}")
    with controls:
        _controls(drawing)
    with right:
        if p is not None:
            bars(p, drawing.label, key="drawings-probabilities", height=200)
        if run:
            _over_epochs(drawing, run)


def _controls(drawing: Drawing) -> None:
    label, pin = f"drawings-label-{drawing.id}", f"drawings-pin-{drawing.id}"
    st.session_state[label], st.session_state[pin] = drawing.label, drawing.pinned
    st.markdown(f"A **{drawing.label}**, drawn {drawing.created:%d %b %Y %H:%M} UTC")
    st.pills("Label", range(10), key=label, on_change=_relabel, args=[drawing.id, label], wrap=True)
    st.toggle(
        "Pin",
        key=pin,
        on_change=_pin,
        args=[drawing.id, pin],
        help="While a run trains, the Train page shows its predictions for pinned drawings.",
    )
    if st.button("Delete", icon=":material/delete:"):
        _delete(drawing)


def _over_epochs(drawing: Drawing, run: Run) -> None:
    epochs = [0, *run.saved_epochs()]
    if len(epochs) == 1:
        return
    try:
        with st.spinner("Predicting with the weights of every epoch …"):
            p = probabilities_at_epochs(run, epochs, drawing.image[None])[:, 0]
    except (ValueError, LookupError, OSError) as error:
        st.caption(as_text(error))
    else:
        drawing_over_epochs(drawing, epochs, p, key="drawings-epochs-map")


@st.dialog("Delete the drawing?", icon=":material/delete:")
def _delete(drawing: Drawing) -> None:
    st.write(f"This {drawing.label} is deleted for good, with its strokes.")
    delete, cancel = st.columns(2)
    if delete.button(filled("Delete"), type="primary", width="stretch"):
        _attempt(lambda: collection.delete(drawing.id))
        _select(None)
        st.rerun()
    if cancel.button("Cancel", width="stretch"):
        st.rerun()


def _relabel(id: str, key: str) -> None:
    """Take the digit just clicked for the label; a second click on it changes nothing."""
    if (label := st.session_state[key]) is not None:
        _attempt(lambda: collection.relabel(id, label))


def _pin(id: str, key: str) -> None:
    _attempt(lambda: collection.pin(id, st.session_state[key]))


def _attempt(change: Callable[[], None]) -> None:
    """Change a drawing, or say why not, such as that another visitor has deleted it."""
    try:
        change()
    except (ValueError, LookupError, OSError) as error:
        st.toast(as_text(reason(error)), icon=":material/error:")


def _select(id: str | None) -> None:
    st.session_state[SELECTED] = id
