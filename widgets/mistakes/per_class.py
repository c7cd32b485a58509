"""The Per class view: precision, recall and F1 of each digit."""

import numpy as np
import streamlit as st

from digits.evaluation.metrics import confusion_matrix, per_class, wilson_interval
from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.confusions import choose_label_and_prediction, filter_digits, select_mistakes
from widgets.mistakes.heat_map import heat_map
from widgets.shared.plot import plot

COLUMNS = ("Recall", "Precision", "F1", "Images")
PRECISION = COLUMNS.index("Precision")
HELP = (
    "Recall is the share of a digit's images that are found; a click shows the others. Precision "
    "is the share of correct ones among the images predicted as that digit; a click shows the "
    "wrong ones. The small figures are 95% intervals. F1 is the harmonic mean of both."
)


def view(run: Run, predictions: Predictions) -> Selection:
    """A clickable table of scores; returns the mistakes behind one of them, or all mistakes."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        label, predicted = choose_label_and_prediction()
        st.markdown("", help=HELP)
    _chart(predictions)
    return select_mistakes(predictions, label, predicted)


def _chart(predictions: Predictions) -> None:
    """A row for each digit: its scores with their intervals, and its number of images."""
    matrix = confusion_matrix(predictions.y, predictions.predicted)
    scores = per_class(matrix)
    values = np.array([scores.recall, scores.precision, scores.f1, np.ones(10)]).T
    counts = np.array([matrix.sum(axis=1), matrix.sum(axis=0)]).T  # images of recall, precision
    correct = matrix.diagonal()
    text = np.empty((10, len(COLUMNS)), object)
    hover = [["" for _ in COLUMNS] for _ in range(10)]
    for digit in range(10):
        for column, name in enumerate(COLUMNS[:2]):
            n, k = int(counts[digit, column]), int(correct[digit])
            low, high = wilson_interval(k, n) if n else (0.0, 1.0)
            small = f"<span style='font-size:10px'>{low:.1%} – {high:.1%}</span>"
            text[digit, column] = f"{values[digit, column]:.1%}<br>{small}" if n else "–"
            hover[digit][column] = f"{name} of {digit}: {k:,} of {n:,}"
        text[digit, 2] = f"{scores.f1[digit]:.1%}"
        text[digit, 3] = f"{int(scores.support[digit]):,}"
        hover[digit][2] = f"F1 of {digit}: {scores.f1[digit]:.2%}"
        hover[digit][3] = f"{int(scores.support[digit]):,} images of {digit}"
    errors = 1 - values
    errors[counts.min(axis=1) == 0] = 0
    strength = errors / max(errors.max(), 1e-9)
    layout = {
        "xaxis": {
            "tickvals": list(range(len(COLUMNS))),
            "ticktext": COLUMNS,
            "range": [-0.5, len(COLUMNS) - 0.5],
            "side": "top",
            "showgrid": False,
        },
        "yaxis": {"dtick": 1, "showgrid": False, "range": [9.5, -0.5], "ticks": ""},
        "margin": {"l": 8, "r": 2, "t": 8, "b": 2},
        "showlegend": False,
    }
    told = ", ".join(
        f"{digit} {scores.recall[digit]:.1%} and {scores.precision[digit]:.1%}"
        for digit in range(10)
    )
    plot(
        heat_map(strength, text, hover, np.zeros((10, len(COLUMNS)), bool)),
        layout,
        key="mistakes-scores",
        height="max(27rem, var(--card) - 3.5rem)",  # two lines in a cell, also on a phone
        alt=f"Recall and precision of each digit: {told}.",
        on_click=lambda cell: filter_digits(
            **{"predicted" if cell["x"] == PRECISION else "label": cell["y"]}
        ),
    )
