"""The digits that a view is about: all of them in a gallery, or one of them large."""

from typing import get_args

import numpy as np
import streamlit as st

from digits.evaluation.metrics import Order, rank
from digits.evaluation.predictions import Selection
from digits.store.runs import Run
from widgets.mistakes.details import details
from widgets.shared.gallery import gallery

PER_PAGE = 200


def close_digit() -> None:
    """Go back to the gallery and its first page, which now holds other digits."""
    st.session_state.update(digit=None, page=1)


def show(selection: Selection, run: Run) -> None:
    """The gallery, or the digit that was chosen in it."""
    st.markdown(selection.title)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = _in_order(selection)
        one = _number(selection, order)
    if one is not None and one < len(selection.of.y):
        details(selection.of, one, run)
    elif len(order):
        _gallery(selection, order)
    else:
        st.info(f"No {selection.of.name.lower()} is like that.", icon=":material/search_off:")


def _in_order(selection: Selection) -> np.ndarray:
    """The indices as they are to be shown: as they came, or as the visitor wants them."""
    if selection.ranked or not len(selection.indices):
        return selection.indices
    sort: Order = st.segmented_control(
        "Highest first",
        get_args(Order),
        default="confidence",
        required=True,
        key="sort",
        format_func=str.capitalize,
        on_change=close_digit,
        bind="query-params",
        help="Confidence is the probability of the prediction; loss is −log of the label's "
        "probability; margin is how far the former probability lies above the latter.",
    )
    of, chosen = selection.of, selection.indices
    worst = rank(of.y[chosen], of.probabilities[chosen], sort)
    return chosen[np.argsort(-worst, kind="stable")]


def _number(selection: Selection, order: np.ndarray) -> int | None:
    """Which digit is shown large: by its number, or by stepping through the selection."""
    one = st.number_input(
        f"{selection.of.name} number",
        0,
        max(0, len(selection.of.y) - 1),
        None,
        key="digit",
        bind="query-params",
        placeholder="Any",
        width=150,
    )
    if one is None:
        return None
    here = np.flatnonzero(order == one)
    before = order[here[0] - 1] if len(here) and here[0] else None
    after = order[here[0] + 1] if len(here) and here[0] + 1 < len(order) else None
    st.button("All", icon=":material/apps:", key="back", on_click=_go, args=[None])
    for label, icon, other in (
        ("Previous", "arrow_back", before),
        ("Next", "arrow_forward", after),
    ):
        st.button(
            label,
            icon=f":material/{icon}:",
            disabled=other is None,
            key=label.lower(),
            on_click=_go,
            args=[other],
        )
    return one


def _go(index: int | None) -> None:
    st.session_state["digit"] = None if index is None else int(index)


def _gallery(selection: Selection, order: np.ndarray) -> None:
    of, pages = selection.of, -(-len(order) // PER_PAGE)
    told = dict(zip(selection.indices.tolist(), selection.notes, strict=False))
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    shown = order[PER_PAGE * (page - 1) : PER_PAGE * page]
    captions = [
        f"{of.y[i]} → {of.predicted[i]}\n{told.get(i) or f'{of.probabilities[i].max():.1%}'}"
        + "\ndisputed" * (i in of.disputed)
        for i in shown.tolist()
    ]
    names = [
        f"{of.name} {i}: {of.y[i]} read as {of.predicted[i]}"
        + ", a disputed label" * (i in of.disputed)
        for i in shown.tolist()
    ]
    with st.container(height=500 if len(shown) > 20 else "content", border=False):
        gallery(
            of.x[shown],
            captions,
            names=names,
            key="gallery",
            on_click=lambda place: _go(shown[place]),
        )
