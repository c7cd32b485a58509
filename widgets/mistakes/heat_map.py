"""A heat map with a figure in each cell, readable on every color in light and dark."""

from typing import Any

import numpy as np

LEVELS = np.array([0, 1, 2, 3, 4, 6, 7, 8, 9])  # of the theme's ten colors; no text reads on 5
DARKEST_FOR_TEXT = 4  # the last level with text in the theme's own color


def heat_map(
    strength: np.ndarray, text: np.ndarray, hover: list[list[str]], good: np.ndarray
) -> list[dict[str, Any]]:
    """Traces of Plotly: cells colored by strength, those in ``good`` green, and their figures.

    ``strength`` is (rows, columns) from 0 to 1, ``text`` the same shape in Plotly's markup,
    ``hover`` what the pointer shows, ``good`` bool. A click reports column and row.
    """
    place = np.ceil(np.clip(strength, 0, 1) * (len(LEVELS) - 1) - 1e-9).astype(int)  # 0 is none
    level = LEVELS[place]
    cells = {
        "type": "heatmap",
        "hovertext": hover,
        "hoverongaps": False,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    green = "var(--st-green-background-color)"
    rows, columns = np.indices(strength.shape)
    dark = (level > DARKEST_FOR_TEXT) & ~good
    colors = np.where(dark, "var(--st-background-color)", "var(--st-text-color)")
    figures = {
        "type": "scatter",
        "mode": "text",
        "x": columns.ravel(),
        "y": rows.ravel(),
        "text": text.ravel(),
        "textfont": {"size": 12, "color": colors.ravel().tolist()},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    return [
        {**cells, "z": np.where(good, np.nan, level), "zmin": 0, "zmax": 9},
        {**cells, "z": np.where(good, 1, np.nan), "colorscale": [[0, green], [1, green]]},
        figures,
    ]
