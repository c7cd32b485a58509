"""The Draw page's canvas: strokes from its JSON, and strokes rasterized as it draws them."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

CANVAS_SIDE = 280  # pixels
BRUSH = 18  # width of the default brush in pixels
BRUSH_RANGE = 6, 40  # widths of the finest and the broadest
SUPERSAMPLING = 4  # times larger when drawn, then averaged, for soft edges


def from_fabric(objects: list[dict[str, Any]]) -> list[np.ndarray]:
    """The strokes on the Draw page's canvas, (2, points) float64 each, in its pixels.

    ``objects`` are Fabric.js's, in which a stroke is a path of curves; their control points are the
    pointer positions. A stroke that was moved or rotated afterwards is taken where it is now.
    """
    return [_stroke(path) for path in objects if path.get("path")]


def _stroke(fabric: dict[str, Any]) -> np.ndarray:
    path = fabric["path"]
    curves = [command[1:] for command in path if command[0] == "Q"] or [path[0][1:] * 2]
    end = path[-1][-2:]
    # The end twice, for the canvas drops the last point but one.
    points = np.array([*(curve[:2] for curve in curves), end, end], float)  # (points, 2)
    # Fabric keeps the path as it was drawn, and where the middle of its box is now.
    line = np.concatenate([points[:1], *_curves(curves), points[-1:]])
    offset = (line.min(axis=0) + line.max(axis=0)) / 2
    angle = np.radians(fabric.get("angle", 0))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = [fabric.get("scaleX", 1), fabric.get("scaleY", 1)]
    middle = np.array([fabric["left"], fabric["top"]])
    placed = ((points - offset) * scale) @ rotation.T + middle
    return placed.T.round(1)  # a tap is a line of a thirtieth of a pixel


def _curves(curves: list[list[float]]) -> Iterator[np.ndarray]:
    """Points on quadratic curves, (21, 2) each, that begin where the one before ends."""
    t = np.linspace(0, 1, 21)[:, None]
    start = np.array(curves[0][:2])
    for curve in curves:
        control, end = np.array(curve[:2]), np.array(curve[2:])
        yield (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
        start = end


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
