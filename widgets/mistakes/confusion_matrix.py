"""The confusion matrix as a heat map on which the mistakes stand out and cells can be clicked."""

from collections.abc import Callable
from typing import Any

import numpy as np

from widgets.shared.plot import plot

DIAGONAL = np.eye(10, dtype=bool)


def confusion(
    matrix: np.ndarray,
    *,
    key: str,
    percent: bool = False,
    label: int | None = None,
    predicted: int | None = None,
    on_click: Callable[[dict[str, Any]], None],
) -> None:
    """Draw (10, 10) counts, rows = truth; ``percent`` writes each as a percentage of its row.

    ``label`` and ``predicted`` frame a row, a column or a cell; ``on_click`` gets the clicked
    cell as ``{"x": prediction, "y": label}``. Colour follows the square root, on the mistakes
    alone: one of them can be told from none, and from fifty.
    """
    share = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shown = share if percent else matrix
    text = np.array([[_number(value, percent) for value in row] for row in shown.tolist()])
    hover = [
        [
            f"{y} read as {x}: {matrix[y, x]:,} of {matrix[y].sum():,} ({share[y, x]:.1f}%)"
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
    green = "var(--st-green-background-color)"
    wrong = {
        **cells,
        "z": np.where(DIAGONAL, np.nan, np.sqrt(shown)),
        "zmin": 0,
        "text": np.where(DIAGONAL, "", text),
        "textfont": {"size": 12},
    }
    right = {
        **cells,
        "z": np.where(DIAGONAL, 1, np.nan),
        "colorscale": [[0, green], [1, green]],
        "text": np.where(DIAGONAL, text, ""),
        "textfont": {"size": 12, "color": "var(--st-green-text-color)"},
    }
    axis = {"dtick": 1, "showgrid": False, "range": [-0.5, 9.5], "ticks": ""}
    layout = {
        "xaxis": {**axis, "title": {"text": "Prediction"}},
        "yaxis": {**axis, "title": {"text": "Given label"}, "range": [9.5, -0.5]},
        "margin": {"l": 8, "r": 2, "t": 8, "b": 8},
        "shapes": _frame(label, predicted),
    }
    worst = np.unravel_index(np.argmax(np.where(DIAGONAL, -1, matrix)), matrix.shape)
    alt = (
        f"Confusion matrix: {matrix.trace():,} of {matrix.sum():,} digits on the diagonal are "
        f"right; the most frequent mistake is a {worst[0]} read as {worst[1]}."
    )
    plot([wrong, right], layout, key=key, height=460, alt=alt, on_click=on_click)


def _number(value: float, percent: bool) -> str:
    """Short enough for a cell on a telephone; nothing for none."""
    if not value:
        return ""
    return f"{value:.1f}" if percent else f"{value:.0f}"


def _frame(label: int | None, predicted: int | None) -> list[dict[str, Any]]:
    if label is None and predicted is None:
        return []
    x0, x1 = (-0.5, 9.5) if predicted is None else (predicted - 0.5, predicted + 0.5)
    y0, y1 = (-0.5, 9.5) if label is None else (label - 0.5, label + 0.5)
    line = {"color": "var(--st-orange-color)", "width": 3}
    return [{"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line}]
