"""The theme's colors: contrast by WCAG 2.2 for all text and for whatever a chart draws."""

import re
import tomllib
from itertools import product

import pytest

from tests.conftest import ROOT

THEME = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"]
SCHEMES = ("light", "dark")
GROUNDS = ("backgroundColor", "secondaryBackgroundColor")  # of the page, of the sidebar
TEXT, GRAPHICS = 4.5, 3.0  # least contrast, by WCAG's success criteria 1.4.3 and 1.4.11

Color = tuple[float, float, float]  # red, green and blue in 0 … 255


def color(code: str) -> Color:
    """Of a code such as #0F172A."""
    assert re.fullmatch(r"#[0-9A-Fa-f]{6}", code), code
    red, green, blue = bytes.fromhex(code[1:])
    return red, green, blue


def mixed(front: Color, ground: Color, opacity: float) -> Color:
    """What a translucent color on a ground looks like."""
    red, green, blue = (opacity * f + (1 - opacity) * g for f, g in zip(front, ground, strict=True))
    return red, green, blue


def luminance(of: Color) -> float:
    """Relative luminance by WCAG, 0 for black and 1 for white."""
    parts = [value / 255 for value in of]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio by WCAG, 1 … 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(color("#000000"), color("#FFFFFF")) == pytest.approx(21)
    assert contrast(color("#767676"), color("#FFFFFF")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("scheme", "ground"), list(product(SCHEMES, GROUNDS)))
def test_text_captions_and_what_is_selected_can_be_read(scheme: str, ground: str) -> None:
    theme = THEME[scheme]
    below, text = color(theme[ground]), color(theme["textColor"])
    primary = color(theme["primaryColor"])
    assert contrast(text, below) >= 7
    assert contrast(mixed(text, below, 0.6), below) >= TEXT  # captions
    assert contrast(primary, below) >= TEXT  # values of sliders, open tabs
    assert contrast(primary, mixed(primary, below, 0.1)) >= TEXT  # selected segments and pills
    if ground == "backgroundColor":
        assert contrast(primary, mixed(primary, below, 0.2)) >= TEXT  # the same under the pointer


@pytest.mark.parametrize("scheme", SCHEMES)
def test_filled_buttons_can_be_read(scheme: str) -> None:
    primary, label = color(THEME[scheme]["primaryColor"]), color(THEME[scheme]["violetTextColor"])
    assert contrast(label, primary) >= TEXT
    assert contrast(color("#FFFFFF"), primary) >= GRAPHICS  # icons and check marks are white


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_curve_can_be_seen(scheme: str) -> None:
    theme = THEME[scheme]
    curves = theme["chartCategoricalColors"]
    palette = [theme[f"{name}Color"] for name in ("green", "red", "orange", "gray")]
    assert len(set(curves)) == len(curves) == 10
    for code, ground in product(curves + palette, GROUNDS):
        assert contrast(color(code), color(theme[ground])) >= GRAPHICS, f"{code} on {ground}"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_scale_of_heat_maps_goes_one_way_from_the_ground(scheme: str) -> None:
    theme = THEME[scheme]
    scale = [luminance(color(code)) for code in theme["chartSequentialColors"]]
    assert scale == sorted(scale, reverse=scheme == "light")
    assert contrast(color(theme["chartSequentialColors"][0]), color(theme[GROUNDS[0]])) < 1.2
