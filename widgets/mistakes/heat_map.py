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
        "hoverongaps": False,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    green = "var(--st-green-background-color)"
    is_dark = (level > DARKEST_FOR_TEXT) & ~good
    return [
        {
            **cells,
            "z": np.where(good, np.nan, level),
            "zmin": 0,
            "zmax": 9,
            "hovertext": np.where(good, "", hover),
        },
        {
            **cells,
            "z": np.where(good, 1, np.nan),
            "colorscale": [[0, green], [1, green]],
            "hovertext": np.where(good, hover, ""),
        },
        _figures(text, ~is_dark, "var(--st-text-color)"),
        _figures(text, is_dark, "var(--st-background-color)"),
    ]


def _figures(text: np.ndarray, where: np.ndarray, color: str) -> dict[str, Any]:
    """The figures of these cells, without the empty ones; clicks go through to the cells."""
    y, x = np.nonzero(where & (text != ""))
    return {
        "type": "scatter",
        "mode": "text",
        "x": x,
        "y": y,
        "text": text[y, x],
        "textfont": {"size": 12, "color": color},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
