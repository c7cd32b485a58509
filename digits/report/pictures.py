"""Pictures within a page: curves as SVG, digits as PNG, both without any other file."""

import base64
import io
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image

from digits.report.style import CURVES

DASHES = ("", "6 3", "2 3")  # of curves that share a color
WIDTH, HEIGHT = 520, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 34
MOST = 400  # points of a curve
SCALE = 3  # pixels of the picture for a pixel of a digit


@dataclass(frozen=True)
class Line:
    """A curve: (n,) values at (n,) places."""

    name: str
    x: np.ndarray
    y: np.ndarray


def chart(lines: list[Line], title: str, x_title: str, *, percent: bool = False) -> str:
    """Lines in one chart, as an SVG element with a legend below; "" where there is nothing."""
    lines = [line for line in lines if len(line.x)]
    if not lines:
        return ""
    x_range = _range(np.concatenate([line.x for line in lines]), from_zero=True)
    y_range = _range(np.concatenate([line.y for line in lines]), from_zero=False)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    for value in ticks(*y_range):
        y = _place(value, y_range, HEIGHT - BOTTOM, TOP)
        label = f"{100 * value:.4g}%" if percent else f"{value:.4g}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for value in ticks(*x_range):
        x = _place(value, x_range, LEFT, WIDTH - RIGHT)
        parts.append(f'<text x="{x}" y="{HEIGHT - 18}" text-anchor="middle">{value:.4g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 3}" text-anchor="middle">{x_title}</text>')
    parts += [_path(number, line, x_range, y_range) for number, line in enumerate(lines)]
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 24 4"><path d="M0 2H24" {_look(number)}/></svg>'
        f"{escape(line.name)}</li>"
        for number, line in enumerate(lines)
    )
    caption = f"<figcaption>{escape(title)}<ul>{legend}</ul></figcaption>"
    return f"<figure>{''.join(parts)}</svg>{caption}</figure>"


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from ``low`` to ``high``, at most so many steps of 1, 2 or 5 apart."""
    least = (high - low) / most
    power = 10.0 ** np.floor(np.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999)
    first = int(np.ceil(low / step - 1e-9))
    return [number * step for number in range(first, int(np.floor(high / step + 1e-9)) + 1)]


def picture(pixels: np.ndarray, alt: str) -> str:
    """An image, (28, 28) of ink or (28, 28, 3) of colors, uint8, as an element."""
    shown = 255 - pixels if pixels.ndim == 2 else pixels
    file = io.BytesIO()
    image = Image.fromarray(shown)
    size = (image.width * SCALE, image.height * SCALE)
    image.resize(size, Image.Resampling.NEAREST).save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    return f'<img src="data:image/png;base64,{content}" alt="{escape(alt)}" width="{size[0]}">'


def saliency_colors(values: np.ndarray) -> np.ndarray:
    """Orange for pixels that speak for the digit, blue for those against it, as on the pages.

    Returns (28, 28, 3) uint8.
    """
    strength = np.clip(values / (np.abs(values).max() or 1), -1, 1)[..., None]
    orange, blue, white = np.array([[217, 95, 2], [22, 102, 192], [255, 255, 255]], float)
    ink = np.where(strength > 0, orange, blue)
    return np.rint(white + np.abs(strength) * (ink - white)).astype(np.uint8)


def _range(values: np.ndarray, *, from_zero: bool) -> tuple[float, float]:
    low, high = (0.0 if from_zero else float(values.min())), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _place(value: float, bounds: tuple[float, float], start: float, end: float) -> float:
    low, high = bounds
    return round(start + (value - low) / (high - low) * (end - start), 1)


def _path(
    number: int, line: Line, x_range: tuple[float, float], y_range: tuple[float, float]
) -> str:
    chosen = np.linspace(0, len(line.x) - 1, min(len(line.x), MOST)).round().astype(int)
    points = [
        f"{_place(x, x_range, LEFT, WIDTH - RIGHT)} {_place(y, y_range, HEIGHT - BOTTOM, TOP)}"
        for x, y in zip(line.x[chosen], line.y[chosen], strict=True)
    ]
    if len(points) == 1:
        x, y = points[0].split()
        return f'<circle cx="{x}" cy="{y}" r="3" fill="{_color(number)}"/>'
    return f'<path d="M{"L".join(points)}" {_look(number)}/>'


def _look(number: int) -> str:
    dash = DASHES[number // CURVES % len(DASHES)]
    return f'fill="none" stroke="{_color(number)}" stroke-dasharray="{dash}"'


def _color(number: int) -> str:
    return f"var(--curve{number % CURVES})"
