"""The ten probabilities of one digit: as bars, and over the epochs as a heat map."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from widgets.shared.plot import plot


def bars(p: np.ndarray, label: int | None, *, key: str, height: int = 220) -> None:
    """Draw (10,) probabilities: the label's in green, a different prediction's in red.

    Without a label the prediction is neither.
    """
    colors = ["var(--st-gray-color)"] * 10
    colors[int(p.argmax())] = "var(--st-primary-color)" if label is None else "var(--st-red-color)"
    if label is not None:
        colors[label] = "var(--st-green-color)"
    trace = {
        "type": "bar",
        "x": list(range(10)),
        "y": p,
        "marker": {"color": colors},
        "text": [f"{value:.1%}" if value >= 0.0005 else "" for value in p.tolist()],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y:.4%}<extra></extra>",
    }
    layout = {
        "xaxis": {"dtick": 1, "showgrid": False, "ticks": ""},
        "yaxis": {"range": [0, 1.15], "visible": False},
    }
    values = ", ".join(f"{digit} {value:.1%}" for digit, value in enumerate(p.tolist()))
    plot([trace], layout, key=key, height=height, alt=f"Probability of each digit: {values}.")


def over_epochs(
    epochs: Sequence[float],
    p: np.ndarray,
    label: int,
    *,
    key: str,
    alt: str,
    marked_epoch: int | None = None,
    height: int = 240,
) -> None:
    """Draw (epochs, 10) probabilities, with frames around the label's row and one epoch's column.

    Epoch 0 is before the first epoch. Below 200 pixels of height the axes are without titles.
    """
    cells = {
        "type": "heatmap",
        "x": list(epochs),
        "y": list(range(10)),
        "z": p.T,
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "xgap": 1 if len(epochs) <= 40 else 0,
        "ygap": 1,
        "hovertemplate": "epoch %{x}: %{z:.1%} for %{y}<extra></extra>",
    }
    frames = [_frame((epochs[0], epochs[-1]), (label, label), "green")]
    if marked_epoch is not None and marked_epoch in epochs:
        frames.append(_frame((marked_epoch, marked_epoch), (0, 9), "orange"))
    title = "Epoch (0 = before training)" if epochs[0] == 0 else "Epoch"
    is_low = height < 200
    layout = {
        "xaxis": {
            "title": {"text": "" if is_low else title},
            "showgrid": False,
            "dtick": -(-len(epochs) // 8),
        },
        "yaxis": {"dtick": 3 if is_low else 1, "showgrid": False, "range": [9.5, -0.5]},
        "shapes": frames,
        "margin": {"t": 8},
    }
    plot([cells], layout, key=key, height=height, alt=alt)


def _frame(x: tuple[float, float], y: tuple[float, float], color: str) -> dict[str, Any]:
    (x0, x1), (y0, y1) = x, y
    corners = {"x0": x0 - 0.5, "x1": x1 + 0.5, "y0": y0 - 0.5, "y1": y1 + 0.5}
    return {"type": "rect", **corners, "line": {"color": f"var(--st-{color}-color)", "width": 2}}
