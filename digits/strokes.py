"""Digits recorded as strokes of a pen: read them, draw them as the canvas would, score a model."""

import gzip
import json
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageDraw

from digits.drawing import BOX, FIELD, FULL, Preparation, normalize

FORMAT = "pen_digits/1"
MAX_BYTES = 64 * 2**20  # of JSON, unpacked
MAX_POINTS = 10_000  # of one digit; a pen gives some 50

CANVAS = 280  # side of the Draw page's canvas in pixels
BRUSH = 18  # width of its default brush in pixels,
BRUSHES = 6, 40  # and of its finest and broadest
PEN = 2.4  # pixels of the 20×20 that hold a digit: so drawn, digits have as much ink as MNIST's
FINE = 4  # drawn so many times larger, then averaged, for soft edges


@dataclass(frozen=True)
class PenDigit:
    """One digit as somebody wrote it; ``suspect`` where the recording is not a whole digit."""

    label: int
    strokes: list[np.ndarray]  # each (2, points) float64, x then y, y downward
    suspect: bool = False
    writer: int | None = None  # an anonymous number


def read_strokes(file: str | Path) -> list[PenDigit]:
    """Read a file of pen digits, JSON or gzipped JSON.

    Its ``digits`` each have a ``label`` from 0 to 9 and ``strokes``, a list of ``[[x …], [y …]]``.
    Raises ``OSError`` when there is no such file and ``ValueError``, which names the digit,
    when the file is damaged.
    """
    with Path(file).open("rb") as packed:
        return unpack_strokes(Path(file).name, packed)


def unpack_strokes(name: str, packed: BinaryIO) -> list[PenDigit]:
    """Read an open file of pen digits that is called ``name``; raises as ``read_strokes`` does."""
    zipped = packed.read(2) == b"\x1f\x8b"
    packed.seek(0)
    try:
        content = (gzip.GzipFile(fileobj=packed) if zipped else packed).read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{name} is damaged: it cannot be unpacked.") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} holds more than {MAX_BYTES // 2**20} MiB; split it.")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not a file of pen digits: it is not JSON.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"{name} is not a file of pen digits: its format is not “{FORMAT}”.")
    digits = document.get("digits")
    if not isinstance(digits, list) or not digits:
        raise ValueError(f"{name} holds no digits.")
    return [read_digit(f"{name}, digit {number}", one) for number, one in enumerate(digits)]


def read_digit(where: str, one: Any) -> PenDigit:
    """Check one digit of a file; what it raises begins with ``where``."""
    if not isinstance(one, dict):
        raise ValueError(f"{where}: expected an object with label and strokes.")
    label = one.get("label")
    if type(label) is not int or not 0 <= label <= 9:
        raise ValueError(f"{where}: the label is missing or is not a whole number from 0 to 9.")
    if not isinstance(one.get("strokes"), list) or not one["strokes"]:
        raise ValueError(f"{where}: there are no strokes.")
    strokes = []
    for raw in one["strokes"]:
        try:
            stroke = np.array(raw, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{where}: a stroke is not two equal lists of numbers.") from error
        if stroke.ndim != 2 or stroke.shape[0] != 2 or not stroke.shape[1]:
            raise ValueError(f"{where}: a stroke is not two equal lists of numbers.")
        if not (np.abs(stroke) < 1e6).all():  # also refuses NaN
            raise ValueError(f"{where}: a coordinate is not a number below a million.")
        strokes.append(stroke)
    points = sum(stroke.shape[1] for stroke in strokes)
    if points > MAX_POINTS:
        raise ValueError(f"{where}: {points:,} points are more than the {MAX_POINTS:,} allowed.")
    writer = one.get("writer")
    return PenDigit(
        label, strokes, bool(one.get("suspect", False)), writer if type(writer) is int else None
    )


def place(strokes: list[np.ndarray], side: float, canvas: int = CANVAS) -> list[np.ndarray]:
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
    kept = [0]
    for number in range(1, len(points) - 2):
        if math.dist(points[number], points[kept[-1]]) >= 0.4:
            kept.append(number)
    return stroke[:, [*kept, -1]]


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


def draw(strokes: list[np.ndarray], width: int, height: int, brush: float) -> np.ndarray:
    """Draw strokes where they are, as the Draw page's canvas does.

    ``strokes`` are (2, points) each, they and ``brush``, the width of the line, in pixels.
    Returns (height, width) uint8, 0 for paper and 255 for full ink.
    """
    canvas = Image.new("L", (width * FINE, height * FINE))
    paper = ImageDraw.Draw(canvas)
    radius = brush * FINE / 2
    for stroke in strokes:
        line = (smooth(stroke) * FINE).T  # (points, 2)
        paper.line([tuple(point) for point in line], fill=255, width=round(2 * radius))
        for x, y in line:  # round ends and joints
            paper.ellipse((x - radius, y - radius, x + radius - 1, y + radius - 1), fill=255)
    return np.asarray(canvas.reduce(FINE))


def render(
    strokes: list[np.ndarray], size: int = CANVAS, brush: float = BRUSH, box: float = 200
) -> np.ndarray:
    """Draw strokes as a person would on the Draw page, with its brush and at the usual size.

    The strokes, each (2, points), are scaled so that their longer side is ``box`` pixels, and
    drawn in the middle of a canvas of ``size`` pixels. Returns (size, size) uint8, 0 for paper
    and 255 for full ink.
    """
    return draw(place(strokes, box, size), size, size, brush)


def pen(side: float) -> float:
    """Width of the line with which strokes ``side`` large are as thick as MNIST's, in its unit."""
    return side * PEN / (BOX - PEN)


def prepare(ink: np.ndarray, strokes: list[np.ndarray], how: Preparation = FULL) -> np.ndarray:
    """What the network sees of a drawing of which the strokes are known: (28, 28) float32.

    ``ink`` is (height, width) uint8, ``strokes`` the (2, points) each that left it, in its pixels;
    without any, or where all of them would fit into a digit's 20 pixels, the ink is taken as it
    is. Raises as ``normalize`` does.
    """
    if how.pen and ink.any() and strokes:
        points = np.concatenate(strokes, axis=1)
        side = float(np.ptp(points, axis=1).max())
        if side > BOX:
            height, width = ink.shape
            ink = draw(strokes, width, height, pen(side))
    return normalize(ink, how)


def inputs(
    digits: list[PenDigit], how: Preparation = FULL, anywhere: int | None = None
) -> np.ndarray:
    """Draw digits on the Draw page's canvas and prepare them as it does: (n, 28, 28) float32.

    They are drawn in the middle, 200 pixels large and with the default brush, or, where a seed is
    given for ``anywhere``, 60 to 240 pixels large, where chance will have it, with any brush.
    """
    random = None if anywhere is None else np.random.default_rng(anywhere)
    x = np.empty((len(digits), FIELD, FIELD), np.float32)
    for number, digit in enumerate(digits):
        side, brush, shift = 200.0, float(BRUSH), np.zeros((2, 1))
        if random:
            side, brush = random.uniform(60, 240), random.uniform(*BRUSHES)
        strokes = place(digit.strokes, side)
        if random:
            low, high = (f(np.concatenate(strokes, axis=1), axis=1) for f in (np.min, np.max))
            shift = random.uniform(brush / 2 - low, CANVAS - brush / 2 - high)[:, None]
        strokes = [stroke + shift for stroke in strokes]
        x[number] = prepare(draw(strokes, CANVAS, CANVAS, brush), strokes, how)
    return x


def score(
    file: str | Path,
    predict: Callable[[np.ndarray], np.ndarray],
    how: Preparation = FULL,
    anywhere: int | None = None,
) -> dict[str, Any]:
    """Draw each digit of a file, prepare it as the Draw page does, and count right answers.

    ``predict`` takes (n, 28, 28) float32 in [0, 1] and gives (n, 10); ``how`` and ``anywhere`` are
    those of ``inputs``. Digits marked suspect are left out. The result is fit for JSON:
    ``digits``, ``correct``, ``accuracy``, ``suspect`` (how many were left out) and
    ``confusion_matrix`` (10 × 10, rows are the truth).
    Raises as ``read_strokes`` does, and ``ValueError`` when nothing is left to score.
    """
    recorded = read_strokes(file)
    digits = [one for one in recorded if not one.suspect]
    if not digits:
        raise ValueError(f"{Path(file).name} holds no digit that is not marked suspect.")
    matrix = np.zeros((10, 10), int)
    answers = predict(inputs(digits, how, anywhere)).argmax(axis=1)
    np.add.at(matrix, ([one.label for one in digits], answers), 1)
    correct = int(np.trace(matrix))
    return {
        "digits": len(digits),
        "correct": correct,
        "accuracy": correct / len(digits),
        "suspect": len(recorded) - len(digits),
        "confusion_matrix": matrix.tolist(),
    }
