"""The Confusions view: the confusion matrix, and the pairs confused most often."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from digits.evaluation.metrics import confusion_matrix, most_confused, select
from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.selection import close_digit
from widgets.shared.format import counted
from widgets.shared.plot import plot

DIAGONAL = np.eye(10, dtype=bool)


def view(run: Run, predictions: Predictions) -> Selection:
    """A clickable matrix; returns the digits of a cell, row or column, or all mistakes."""
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
    matrix_slot = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = _choose_digit("True label", "label")
        predicted = _choose_digit("Prediction", "predicted")
        if label is not None or predicted is not None:
            st.button("Show all mistakes", icon=":material/filter_alt_off:", on_click=_filter)
    matrix = confusion_matrix(predictions.y, predictions.predicted)
    with matrix_slot:
        _heat_map(matrix, cells == "percent", label, predicted, _filter_cell)
        st.caption("Green cells are correct. Click a cell to see its digits. Most confused pairs:")
        _most_confused_buttons(matrix)
    indices = select(predictions.y, predictions.probabilities, label=label, predicted=predicted)
    conditions = [f"labeled {label}"] * (label is not None)
    conditions += [f"predicted as {predicted}"] * (predicted is not None)
    noun = "digit" if label is not None and label == predicted else "mistake"
    title = f"{counted(len(indices), noun)} {' and '.join(conditions)}"
    return Selection(predictions, indices, title)


def _choose_digit(name: str, key: str) -> int | None:
    return st.selectbox(
        name,
        range(10),
        index=None,
        placeholder="Any",
        key=key,
        on_change=close_digit,
        bind="query-params",
        width=140,
    )


def _filter(label: int | None = None, predicted: int | None = None) -> None:
    """Filter by label and prediction; without either, show all mistakes."""
    st.session_state.update(label=label, predicted=predicted)
    close_digit()


def _filter_cell(cell: dict[str, Any]) -> None:
    _filter(label=cell["y"], predicted=cell["x"])


def _most_confused_buttons(matrix: np.ndarray) -> None:
    pairs = most_confused(matrix)
    if not pairs:
        st.success("All test images were classified correctly.", icon=":material/verified:")
    with st.container(horizontal=True, gap="small"):
        for label, predicted, count in pairs:
            st.button(
                f"{label} → {predicted} · {count}",
                key=f"mistakes-pair-{label}-{predicted}",
                help=f"Show {count} digits labeled {label} and predicted as {predicted}.",
                on_click=_filter,
                args=[label, predicted],
            )


def _heat_map(
    matrix: np.ndarray,
    percent: bool,
    label: int | None,
    predicted: int | None,
    on_click: Callable[[dict[str, Any]], None],
) -> None:
    """Draw (10, 10) counts, rows = truth; ``percent`` writes each as a percentage of its row.

    ``label`` and ``predicted`` frame a row, a column or a cell; ``on_click`` gets the clicked
    cell as ``{"x": prediction, "y": label}``. Color follows the square root of the mistakes alone,
    which tells one mistake from none, and from fifty.
    """
    percentages = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    values = percentages if percent else matrix
    text = np.array([[_cell_text(value, percent) for value in row] for row in values.tolist()])
    hover = [
        [
            f"{y} predicted as {x}: {matrix[y, x]:,} of {matrix[y].sum():,} "
            f"({percentages[y, x]:.1f}%)"
            for x in range(10)
        ]
        for y in range(10)
    ]
    cells = {
        "type": "heatmap",
        "texttemplate": "%{text}",
        "hovertext": hover,
        "hoverongaps": False,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    mistakes = {
        **cells,
        "z": np.where(DIAGONAL, np.nan, np.sqrt(values)),
        "zmin": 0,
        "text": np.where(DIAGONAL, "", text),
        "textfont": {"size": 12},
    }
    green = "var(--st-green-background-color)"
    correct = {
        **cells,
        "z": np.where(DIAGONAL, 1, np.nan),
        "colorscale": [[0, green], [1, green]],
        "text": np.where(DIAGONAL, text, ""),
        "textfont": {"size": 12, "color": "var(--st-green-text-color)"},
    }
    axis = {"dtick": 1, "showgrid": False, "ticks": ""}
    layout = {
        "xaxis": {**axis, "range": [-0.5, 9.5], "title": {"text": "Prediction"}},
        "yaxis": {**axis, "range": [9.5, -0.5], "title": {"text": "True label"}},
        "margin": {"l": 8, "r": 2, "t": 8, "b": 8},
        "shapes": _frames(label, predicted),
    }
    alt = f"Confusion matrix: {matrix.trace():,} of {matrix.sum():,} digits are correct"
    for y, x, count in most_confused(matrix, 1):
        alt += f"; the most frequent mistake is {y} predicted as {x} ({count:,})"
    plot(
        [mistakes, correct],
        layout,
        key="mistakes-matrix",
        height=460,
        alt=f"{alt}.",
        on_click=on_click,
    )


def _cell_text(value: float, percent: bool) -> str:
    """Short enough for a cell on a phone; empty for zero."""
    if not value:
        return ""
    return f"{value:.1f}" if percent else f"{value:.0f}"


def _frames(label: int | None, predicted: int | None) -> list[dict[str, Any]]:
    if label is None and predicted is None:
        return []
    x0, x1 = (-0.5, 9.5) if predicted is None else (predicted - 0.5, predicted + 0.5)
    y0, y1 = (-0.5, 9.5) if label is None else (label - 0.5, label + 0.5)
    line = {"color": "var(--st-orange-color)", "width": 3}
    return [{"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line}]
