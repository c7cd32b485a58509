"""The figures of a heat map can be read on every color that it gives to a cell."""

import tomllib

import numpy as np
import pytest

from tests.conftest import ROOT
from widgets.mistakes.heat_map import heat_map


def luminance(color: str) -> float:
    """Relative luminance of "#RRGGBB", 0 to 1 (WCAG 2)."""
    channels = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_has_contrast_with_its_cell(scheme: str):
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"][scheme]
    strength = np.linspace(0, 1, 100)[None]
    none = np.zeros(strength.shape, bool)
    cells, _, *figures = heat_map(strength, strength.astype(str), [[""] * 100], none)
    colors = {"var(--st-text-color)": "textColor", "var(--st-background-color)": "backgroundColor"}
    seen = {
        (level, trace["textfont"]["color"])
        for trace in figures
        for level in cells["z"][trace["y"], trace["x"]]
    }
    assert sum(len(trace["text"]) for trace in figures) == 100
    assert len(seen) > 5
    for level, color in seen:
        pair = (theme["chartSequentialColors"][int(level)], theme[colors[color]])
        dark, light = sorted(map(luminance, pair))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, pair
