"""The ten probabilities of one digit: now, as bars, and through the epochs, as a map."""

from typing import Any

import numpy as np

from widgets.shared.plot import plot


def bars(p: np.ndarray, label: int, *, key: str, height: int = 220) -> None:
    """Draw (10,) probabilities: the label's in green, the predicted digit's, if another, in red."""
    colors = ["var(--st-gray-color)"] * 10
    colors[int(p.argmax())], colors[label] = "var(--st-red-color)", "var(--st-green-color)"
    shares = p.tolist()
    trace = {
        "type": "bar",
        "x": list(range(10)),
        "y": p,
        "marker": {"color": colors},
        "text": [f"{share:.1%}" if share >= 0.0005 else "" for share in shares],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y:.4%}<extra></extra>",
    }
    layout = {
        "xaxis": {"dtick": 1, "showgrid": False, "ticks": ""},
        "yaxis": {"range": [0, 1.15], "visible": False},
    }
    words = ", ".join(f"{digit} {share:.1%}" for digit, share in enumerate(shares))
    plot([trace], layout, key=key, height=height, alt=f"Probability of each digit: {words}.")


def over_epochs(
    epochs: list[int], p: np.ndarray, label: int, *, key: str, alt: str, chosen: int = 0
) -> None:
    """Draw (epochs, 10) probabilities with the label's row framed, and the chosen epoch's column.

    Epoch 0 is before the first; as ``chosen`` it stands for none.
    """
    cells = {
        "type": "heatmap",
        "x": epochs,
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
    if chosen:
        frames.append(_frame((chosen, chosen), (0, 9), "orange"))
    before = "; 0 is before" * (epochs[0] == 0)
    layout = {
        "xaxis": {
            "title": {"text": f"Epoch{before}"},
            "showgrid": False,
            "dtick": -(-len(epochs) // 8),
        },
        "yaxis": {"dtick": 1, "showgrid": False, "range": [9.5, -0.5]},
        "shapes": frames,
        "margin": {"t": 8},
    }
    plot([cells], layout, key=key, height=240, alt=alt)


def _frame(x: tuple[int, int], y: tuple[int, int], color: str) -> dict[str, Any]:
    line = {"color": f"var(--st-{color}-color)", "width": 2}
    return {
        "type": "rect",
        "x0": x[0] - 0.5,
        "x1": x[1] + 0.5,
        "y0": y[0] - 0.5,
        "y1": y[1] + 0.5,
        "line": line,
    }
