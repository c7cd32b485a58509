"""Strokes of a pen taken apart into pieces, each of which is of one digit."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digits.ink.canvas import render, smooth
from digits.ink.preprocessing import normalize, pen_width
from digits.multidigit.decode import Box, Line

SIDE = 60  # of the box in which a candidate is drawn: three pixels for each that the network sees
CUT = 4.0  # cost of believing that the pen wrote two digits without being lifted
WIDEST = 1.2  # hardly a digit is wider, as a share of its height
EDGE = 0.2  # no digit is cut closer than that to its left or right end


def from_strokes(strokes: list[np.ndarray]) -> Line:
    """Strokes, each (2, points) in pixels of any canvas, as a line to be read.

    The brush does not matter: each candidate is drawn anew with a line as thick, for its size,
    as that of one large digit on the Draw page.
    """
    drawn = [smooth(stroke) for stroke in strokes]
    height = max(float(np.ptp(line[1])) for line in drawn)
    pieces = []  # box, number of the stroke, its parts
    for number, (stroke, line) in enumerate(zip(strokes, drawn, strict=True)):
        columns = _joints(line, EDGE * height) if np.ptp(line[0]) > WIDEST * height else []
        for left, right in pairwise([-math.inf, *columns, math.inf]):
            parts = _between(line, left, right) if columns else [stroke]
            pieces.append((_box(parts if columns else [line]), number, parts))
    pieces.sort(key=lambda piece: piece[0][0] + piece[0][2])
    cuts = []
    for number in range(len(strokes)):
        of_one = [at for at, (_, stroke_of, _) in enumerate(pieces) if stroke_of == number]
        cuts += [(a, b, CUT) for a, b in pairwise(of_one)]

    def picture(these: Sequence[int]) -> np.ndarray:
        parts = [part for piece in these for part in pieces[piece][2]]
        ink = render(parts, size=round(1.4 * SIDE), brush=pen_width(SIDE), box=SIDE)
        return normalize(ink)

    return Line([box for box, _, _ in pieces], picture, cuts)


def _box(parts: list[np.ndarray]) -> Box:
    points = np.concatenate(parts, axis=1)
    (left, top), (right, bottom) = points.min(axis=1).tolist(), points.max(axis=1).tolist()
    return left, top, right, bottom


def _joints(line: np.ndarray, edge: float) -> list[float]:
    """Columns that the pen passes once, where one digit may end and the next begin.

    Between two loops there is one such column; within a digit there is mostly none.
    """
    x = line[0]
    columns = np.arange(x.min() + edge, x.max() - edge)
    passes = np.sum((x[:-1, None] < columns) != (x[1:, None] < columns), axis=0)
    once = np.flatnonzero(passes == 1)
    spans = np.split(once, np.flatnonzero(np.diff(once) > 1) + 1)
    return [float(columns[span[len(span) // 2]]) for span in spans if len(span)]


def _between(line: np.ndarray, left: float, right: float) -> list[np.ndarray]:
    """The parts of a line whose x is at least ``left`` and less than ``right``."""
    inside = np.flatnonzero((line[0] >= left) & (line[0] < right))
    spans = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
    return [line[:, span] for span in spans if len(span)]
