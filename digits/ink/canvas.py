"""The Draw page's canvas: what the browser sends of it, and strokes rasterized as it draws them."""

import io
import math
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.Image import Resampling

CANVAS_SIDE = 280  # pixels of a drawing,
SCREEN_SCALE = 1.5  # and how many the page draws for each of them: 280 become 420
BRUSH = 18  # width of the default brush in pixels
BRUSH_RANGE = 6, 40  # widths of the finest and the broadest
SUPERSAMPLING = 4  # times larger when drawn, then averaged, for soft edges
MAX_POINTS = 10_000  # of a drawing; a pen gives some 50 for a digit
MAX_LENGTH = 40_000  # pixels of line on the canvas, of which 1,000 make a digit
BEYOND = 5_000  # pixels by which a stroke that was moved or enlarged may leave the canvas


def from_fabric(fabric: Any, scale: float = 1) -> list[np.ndarray]:
    """The strokes on the Draw page's canvas, (2, points) float64 each, in its pixels.

    ``fabric`` is Fabric.js's JSON, in which a stroke is a path of curves; their control points are
    the pointer positions. ``scale`` is the number of Fabric's pixels for each of the result's.
    A stroke that was moved or rotated afterwards is taken where it is now.
    Raises ``ValueError`` for what no canvas sends, and for more than anybody draws.
    """
    try:
        paths = [path for path in fabric["objects"] if path.get("path")]
        points = sum(len(path["path"]) for path in paths)
        with np.errstate(all="ignore"):  # what becomes of infinity is refused below
            strokes = [_stroke(path, scale) for path in paths] if points <= MAX_POINTS else []
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError("The browser did not send the strokes of a drawing.") from error
    if points > MAX_POINTS or not all((np.abs(stroke) < BEYOND).all() for stroke in strokes):
        raise ValueError("This drawing has far more points than a digit, or lies off the canvas.")
    check_size(strokes, MAX_LENGTH)
    return strokes


def check_size(strokes: list[np.ndarray], max_length: float) -> None:
    """Raise ``ValueError`` for strokes, (2, points) each, that would take too long to draw."""
    points = sum(stroke.shape[1] for stroke in strokes)
    if points > MAX_POINTS:
        raise ValueError(f"This drawing has {points:,} points; a digit has {MAX_POINTS:,} at most.")
    length = sum(float(np.hypot(*np.diff(stroke)).sum()) for stroke in strokes)
    if length > max_length:
        raise ValueError("This is a scribble: its lines are far longer than those of a digit.")


def from_png(png: bytes | None, width: int, height: int, scale: float = 1) -> np.ndarray:
    """The ink on a canvas of that size, (height, width) uint8, from the browser's picture of it.

    The picture is ``scale`` times larger. Raises ``ValueError`` for what is no such picture,
    before any of it is unpacked.
    """
    try:
        picture = Image.open(io.BytesIO(png or b""), formats=["PNG"])
        if picture.size != (round(scale * width), round(scale * height)):
            raise ValueError(f"{picture.size} is not the size of the canvas")
        paper = Image.new("RGBA", picture.size, "black")  # seen through a sheet without a color
        ink = Image.alpha_composite(paper, picture.convert("RGBA")).convert("L")
        return np.asarray(ink if scale == 1 else ink.resize((width, height), Resampling.BOX))
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise ValueError("The browser did not send a picture of the canvas.") from error


def _stroke(fabric: dict[str, Any], scale: float) -> np.ndarray:
    path = fabric["path"]
    commands = [command[1:] for command in path if command[0] == "Q"] or [path[0][1:] * 2]
    curves = np.array(commands, float)  # (curves, 4): control point and end of each
    end = np.array([path[-1][-2:]], float)  # (1, 2)
    if curves.shape[1:] != (4,) or end.shape != (1, 2):
        raise ValueError("a path has quadratic curves and ends with a point")
    # The end twice, for the canvas drops the last point but one.
    points = np.concatenate([curves[:, :2], end, end])
    # Fabric keeps the path as it was drawn, and where the middle of its box is now.
    line = np.concatenate([points[:1], _on_curves(curves), points[-1:]])
    offset = (line.min(axis=0) + line.max(axis=0)) / 2
    angle = np.radians(float(fabric.get("angle", 0)))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    resized = [float(fabric.get("scaleX", 1)), float(fabric.get("scaleY", 1))]
    middle = np.array([float(fabric["left"]), float(fabric["top"])])
    placed = ((points - offset) * resized) @ rotation.T + middle
    return (placed.T / scale).round(1)  # a tap is a line of a thirtieth of a pixel


def _on_curves(curves: np.ndarray) -> np.ndarray:
    """21 points on each of (n, 4) quadratic curves that begin where the one before ends."""
    t = np.linspace(0, 1, 21)[:, None, None]
    controls, ends = curves[:, :2], curves[:, 2:]
    starts = np.concatenate([controls[:1], ends[:-1]])
    points = (1 - t) ** 2 * starts + 2 * t * (1 - t) * controls + t**2 * ends  # (21, n, 2)
    return points.reshape(-1, 2)


def place(strokes: list[np.ndarray], side: float, canvas: int = CANVAS_SIDE) -> list[np.ndarray]:
    """Strokes scaled so that the longer side is ``side`` pixels, in the middle of the canvas."""
    points = np.concatenate(strokes, axis=1)  # (2, points)
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    scale = side / max(float((high - low).max()), 1e-9)
    return [(stroke - (low + high) / 2) * scale + canvas / 2 for stroke in strokes]


def decimate(stroke: np.ndarray) -> np.ndarray:
    """The pointer positions that the canvas keeps: 0.4 pixels apart, never the last but one.

    ``stroke`` is (2, points) in pixels. Source: Fabric.js 7, ``PencilBrush.decimatePoints``.
    """
    points = stroke.T.tolist()
    indices = [0]
    for index in range(1, len(points) - 2):
        if math.dist(points[index], points[indices[-1]]) >= 0.4:
            indices.append(index)
    return stroke[:, [*indices, -1]]


def smooth(stroke: np.ndarray) -> np.ndarray:
    """The line that the canvas draws for pointer positions: curves from midpoint to midpoint.

    ``stroke`` is (2, points) in pixels; returns (2, more points), at most two pixels apart.
    Source: Fabric.js 7, ``PencilBrush.convertPointsToSVGPath``.
    """
    stroke = decimate(stroke)
    middles = (stroke[:, :-1] + stroke[:, 1:]) / 2
    starts = np.concatenate([stroke[:, :1], middles[:, :-1]], axis=1)
    controls, ends = stroke[:, :-1], middles
    lengths = np.hypot(*(controls - starts)) + np.hypot(*(ends - controls))
    counts = np.maximum(np.ceil(lengths / 2), 1).astype(int)  # points on each curve
    curve = np.repeat(np.arange(len(counts)), counts)
    t = (np.arange(len(curve)) - (np.cumsum(counts) - counts)[curve] + 1) / counts[curve]
    line = (1 - t) ** 2 * starts[:, curve] + 2 * t * (1 - t) * controls[:, curve]
    line += t**2 * ends[:, curve]
    return np.concatenate([stroke[:, :1], line, stroke[:, -1:]], axis=1)


def rasterize(strokes: list[np.ndarray], width: int, height: int, brush: float) -> np.ndarray:
    """Draw strokes where they are, as the Draw page's canvas does.

    ``strokes`` are (2, points) each; they and ``brush``, the width of the line, are in pixels.
    Returns (height, width) uint8, 0 for paper and 255 for full ink.
    """
    canvas = Image.new("L", (width * SUPERSAMPLING, height * SUPERSAMPLING))
    paper = ImageDraw.Draw(canvas)
    radius = brush * SUPERSAMPLING / 2
    for stroke in strokes:
        line = (smooth(stroke) * SUPERSAMPLING).T  # (points, 2)
        paper.line([tuple(point) for point in line], fill=255, width=round(2 * radius))
        for x, y in line:  # round ends and joints
            paper.ellipse((x - radius, y - radius, x + radius - 1, y + radius - 1), fill=255)
    return np.asarray(canvas.reduce(SUPERSAMPLING))


def render(
    strokes: list[np.ndarray], size: int = CANVAS_SIDE, brush: float = BRUSH, box: float = 200
) -> np.ndarray:
    """Draw strokes in the middle of the canvas, at the usual size and with the default brush.

    The strokes, each (2, points), are scaled so that their longer side is ``box`` pixels, and
    drawn on a canvas of ``size`` pixels. Returns (size, size) uint8, 0 for paper
    and 255 for full ink.
    """
    return rasterize(place(strokes, box, size), size, size, brush)
