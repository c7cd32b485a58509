"""Which digits are taken for which: the confusion matrix, and the pairs mistaken most often."""

from typing import Any

import streamlit as st

from digits.evaluation.metrics import confusion_matrix, most_confused, select
from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.confusion_matrix import confusion
from widgets.mistakes.selection import close_digit
from widgets.shared.format import counted


def _show(label: int | None = None, predicted: int | None = None) -> None:
    """Choose by label and prediction, or choose all mistakes again."""
    st.session_state.update(label=label, predicted=predicted)
    close_digit()


def _show_cell(cell: dict[str, Any]) -> None:
    _show(label=cell["y"], predicted=cell["x"])


def view(run: Run, tested: Predictions) -> Selection:
    """The matrix to click; gives the digits of the chosen cell, row or column, or all mistakes."""
    cells = st.segmented_control(
        "Numbers in the cells",
        ["count", "percent"],
        default="count",
        required=True,
        key="cells",
        format_func=str.capitalize,
        bind="query-params",
        label_visibility="collapsed",
    )
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        given = st.selectbox(
            "Given label",
            range(10),
            index=None,
            placeholder="Any",
            key="label",
            on_change=close_digit,
            bind="query-params",
            width=140,
        )
        read = st.selectbox(
            "Prediction",
            range(10),
            index=None,
            placeholder="Any",
            key="predicted",
            on_change=close_digit,
            bind="query-params",
            width=140,
        )
        if given is not None or read is not None:
            st.button("Show all mistakes", icon=":material/filter_alt_off:", on_click=_show)
    matrix = confusion_matrix(tested.y, tested.predicted)
    with place:
        confusion(
            matrix,
            key="matrix",
            percent=cells == "percent",
            label=given,
            predicted=read,
            on_click=_show_cell,
        )
        st.caption("Green is right. Click a cell to see its digits. Confused most often:")
        if not most_confused(matrix):
            st.success("Every test image was read rightly.", icon=":material/verified:")
        with st.container(horizontal=True, gap="small"):
            for label, predicted, count in most_confused(matrix):
                st.button(
                    f"{label} → {predicted} · {count}",
                    key=f"pair-{label}-{predicted}",
                    help=f"Show the {count} with label {label} read as {predicted}.",
                    on_click=_show,
                    args=[label, predicted],
                )
    found = select(tested.y, tested.probabilities, label=given, predicted=read)
    words = [f"labelled {given}"] * (given is not None) + [f"read as {read}"] * (read is not None)
    noun = "digit" if given is not None and given == read else "mistake"
    return Selection(tested, found, f"{counted(len(found), noun)} {' and '.join(words)}")
