"""The digits that a view selects, as a gallery in which one can be chosen."""

from typing import get_args

import numpy as np
import streamlit as st

from digits.evaluation.metrics import Order, rank
from digits.evaluation.predictions import Selection
from widgets.shared.gallery import gallery
from widgets.shared.link import check, choice

PER_PAGE = 200
FILTERS = {"label": None, "predicted": None, "confidence": None, "mistakes-lasso": None}
ORDERS = {order: order.capitalize() for order in get_args(Order)}
SORTED = (
    "Highest first. Confidence is the probability of the prediction; loss is −ln of the label's "
    "probability; margin is the prediction's probability minus the label's."
)


def close_digit() -> None:
    """Close the digit and return to the first page of the gallery."""
    st.session_state.update(digit=None, page=1)


def open_digit(index: int | None) -> None:
    """Show that digit beside the gallery; ``None`` closes it."""
    st.session_state["digit"] = None if index is None else int(index)


def show(selection: Selection) -> np.ndarray:
    """The gallery of the selection; returns its indices in viewing order."""
    disputed = set(selection.indices.tolist()) & selection.predictions.disputed.keys()
    notes = [] if selection.ranked or not len(selection.indices) else [SORTED]
    notes += ["* marks disputed labels."] if disputed else []
    st.markdown(selection.title, help=" ".join(notes) or None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        indices = _sorted(selection)
        if selection.can_narrow:
            every = int((~selection.predictions.correct).sum())
            st.button(
                f"All {every:,}",
                icon=":material/close:",
                key="mistakes-all",
                help="Show all mistakes again.",
                disabled=not any(st.session_state.get(name) is not None for name in FILTERS),
                on_click=_show_all,
            )
    if len(indices):
        _gallery(selection, indices)
    else:
        name = selection.predictions.name.lower()
        st.info(f"No matching {name}s.", icon=":material/search_off:")
    return indices


def _show_all() -> None:
    st.session_state.update(FILTERS)
    close_digit()


def _sorted(selection: Selection) -> np.ndarray:
    """The indices in viewing order: the selection's own, or the visitor's."""
    if selection.ranked or not len(selection.indices):
        return selection.indices
    order: Order = choice(  # type: ignore[assignment]
        "Highest first", ORDERS, key="sort", on_change=close_digit, label_visibility="collapsed"
    )
    predictions, indices = selection.predictions, selection.indices
    values = rank(predictions.y[indices], predictions.probabilities[indices], order)
    return indices[np.argsort(-values, kind="stable")]


def _gallery(selection: Selection, indices: np.ndarray) -> None:
    predictions, pages = selection.predictions, -(-len(indices) // PER_PAGE)
    notes = dict(zip(selection.indices.tolist(), selection.notes, strict=False))
    check("page", lambda page: 1 <= page <= pages, f"1 – {pages}")
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    page_indices = indices[PER_PAGE * (page - 1) : PER_PAGE * page]
    one_pair = (
        len(set(zip(predictions.y[indices], predictions.predicted[indices], strict=True))) == 1
    )
    captions, names = [], []
    for i in page_indices.tolist():
        label, predicted = predictions.y[i], predictions.predicted[i]
        confidence = f"{predictions.probabilities[i].max():.1%}"
        lines = [] if one_pair else [f"{label} → {predicted}"]
        if note := notes.get(i, confidence if one_pair else ""):
            lines.append(note)
        disputed = i in predictions.disputed
        captions.append("\n".join(lines) + " *" * disputed)
        name = f"{predictions.name} {i}: {label} predicted as {predicted}, {confidence}"
        names.append(name + ", a disputed label" * disputed)
    chosen = np.flatnonzero(page_indices == st.session_state.get("digit"))
    above = 2 + 2.9 * (selection.can_narrow or not selection.ranked) + 3.1 * (pages > 1)
    gallery(
        predictions.x[page_indices],
        captions,
        names=names,
        key="mistakes-gallery",
        size=88,
        height=f"calc(var(--card) - {above:.1f}rem)",
        selected=int(chosen[0]) if len(chosen) else None,
        on_click=lambda place: open_digit(page_indices[place]),
    )
