"""The Confusion matrix view: a clickable matrix, and the filters that it shares with Per class."""

from typing import Any

import numpy as np
import streamlit as st

from digits.evaluation.metrics import confusion_matrix, most_confused, select
from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.heat_map import heat_map
from widgets.mistakes.selection import close_digit
from widgets.shared.format import counted
from widgets.shared.link import check, choice
from widgets.shared.plot import plot

PREDICTION, LABEL = ({"text": text} for text in ("Prediction", "True label"))
DIAGONAL = np.eye(10, dtype=bool)
VIEW = "confusion-matrix"  # the id of this view
PAIRS = 6
UNITS = {"count": "Count", "percent": "%"}


def view(run: Run, predictions: Predictions) -> Selection:
    """A clickable matrix; returns the digits of a cell, row or column, or all mistakes."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        label, predicted = choose_label_and_prediction()
        units = choice(
            "Figures in the cells", UNITS, key="cells", label_visibility="collapsed", wrap=False
        )
    matrix = confusion_matrix(predictions.y, predictions.predicted)
    _chart(matrix, units == "percent", label, predicted)
    return select_mistakes(predictions, label, predicted)


def choose_label_and_prediction() -> tuple[int | None, int | None]:
    """The label and the prediction that the digits must have; ``None`` for any."""
    return _choose_digit("Label", "label"), _choose_digit("Predicted", "predicted")


def select_mistakes(
    predictions: Predictions, label: int | None, predicted: int | None
) -> Selection:
    """The mistakes with that label and prediction; where both are the same, the correct digits."""
    indices = select(predictions.y, predictions.probabilities, label=label, predicted=predicted)
    conditions = [f"labeled {label}"] * (label is not None)
    conditions += [f"predicted as {predicted}"] * (predicted is not None)
    noun = "digit" if label is not None and label == predicted else "mistake"
    title = f"{counted(len(indices), noun)} {' and '.join(conditions)}"
    return Selection(predictions, indices, title, can_narrow=True)


def filter_digits(label: int | None = None, predicted: int | None = None) -> None:
    """Filter by label and prediction; without either, show all mistakes."""
    st.session_state.update(label=label, predicted=predicted)
    close_digit()


def most_confused_pairs(predictions: Predictions) -> None:
    """The pairs of label and prediction with the most mistakes; a click shows their digits."""
    pairs = most_confused(confusion_matrix(predictions.y, predictions.predicted), PAIRS)
    if not pairs:
        st.success("All test images were classified correctly.", icon=":material/verified:")
        return
    st.markdown("**Most confused**")
    with st.container(horizontal=True, gap="xsmall"):
        for label, predicted, count in pairs:
            st.button(
                f"{label} → {predicted} · {count}",
                key=f"mistakes-pair-{label}-{predicted}",
                help=f"Show {count} digits labeled {label} and predicted as {predicted}.",
                on_click=_show_pair,
                args=[label, predicted],
            )


def _show_pair(label: int, predicted: int) -> None:
    st.session_state["view"] = VIEW
    filter_digits(label, predicted)


def _choose_digit(name: str, key: str) -> int | None:
    st.caption(name, width="content")
    check(key, lambda digit: 0 <= digit <= 9, "0 – 9")
    return st.selectbox(
        name,
        range(10),
        index=None,
        placeholder="any",
        key=key,
        on_change=close_digit,
        bind="query-params",
        label_visibility="collapsed",
        width=85,
    )


def _chart(matrix: np.ndarray, percent: bool, label: int | None, predicted: int | None) -> None:
    """Draw (10, 10) counts, rows = truth; ``percent`` writes each as a percentage of its row.

    ``label`` and ``predicted`` frame a row, a column or a cell. Color follows the square root of
    the mistakes alone, which tells one mistake from none, and from fifty.
    """
    percentages = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    values = percentages if percent else matrix
    mistakes = np.where(DIAGONAL, 0, values)
    strength = np.sqrt(mistakes / max(mistakes.max(), 1e-9))
    text = np.array([[_cell_text(value, percent) for value in row] for row in values.tolist()])
    hover = [
        [
            f"{y} predicted as {x}: {matrix[y, x]:,} of {matrix[y].sum():,} "
            f"({percentages[y, x]:.1f}%)"
            for x in range(10)
        ]
        for y in range(10)
    ]
    axis = {"dtick": 1, "showgrid": False, "ticks": ""}
    layout = {
        "xaxis": {**axis, "range": [-0.5, 9.5], "title": PREDICTION},
        "yaxis": {**axis, "range": [9.5, -0.5], "title": LABEL},
        "margin": {"l": 8, "r": 2, "t": 2, "b": 8},
        "showlegend": False,
        "shapes": _frames(label, predicted),
    }
    alt = f"Confusion matrix: {matrix.trace():,} of {matrix.sum():,} digits are correct"
    for y, x, count in most_confused(matrix, 1):
        alt += f"; the most frequent mistake is {y} predicted as {x} ({count:,})"
    plot(
        heat_map(strength, text, hover, DIAGONAL),
        layout,
        key="mistakes-matrix",
        height="calc(var(--card) - 3.2rem)",
        alt=f"{alt}.",
        on_click=lambda cell: filter_digits(label=cell["y"], predicted=cell["x"]),
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
