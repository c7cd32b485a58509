"""Strokes of a pen as a line of pieces, each of which belongs to one digit."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digits.ink.canvas import render, smooth
from digits.ink.preprocessing import normalize, pen_width
from digits.multidigit.decode import Box, Line

SIDE = 60  # of the box in which a candidate is drawn: three pixels for each of the model's input
CUT_COST = 4.0  # of believing that two digits were written without lifting the pen
MAX_DIGIT_WIDTH = 1.2  # hardly a digit is wider, as a share of its height
END_MARGIN = 0.2  # no digit is cut closer than this to its left or right end


def from_strokes(strokes: list[np.ndarray]) -> Line:
    """Strokes, each (2, points) in pixels of any canvas, as a line of pieces.

    The brush does not matter: each candidate is drawn again with a pen as wide, for its size, as
    that of one large digit on the Draw page.
    """
    curves = [smooth(stroke) for stroke in strokes]
    height = max(float(np.ptp(curve[1])) for curve in curves)
    pieces = []  # box, index of the stroke, its parts
    for index, (stroke, curve) in enumerate(zip(strokes, curves, strict=True)):
        too_wide = np.ptp(curve[0]) > MAX_DIGIT_WIDTH * height
        columns = _joints(curve, END_MARGIN * height) if too_wide else []
        for left, right in pairwise([-math.inf, *columns, math.inf]):
            parts = _between(curve, left, right) if columns else [stroke]
            pieces.append((_box(parts if columns else [curve]), index, parts))
    pieces.sort(key=lambda piece: piece[0][0] + piece[0][2])
    cuts = []
    for index in range(len(strokes)):
        places = [place for place, piece in enumerate(pieces) if piece[1] == index]
        cuts += [(a, b, CUT_COST) for a, b in pairwise(places)]

    def picture(indices: Sequence[int]) -> np.ndarray:
        parts = [part for index in indices for part in pieces[index][2]]
        ink = render(parts, size=round(1.4 * SIDE), brush=pen_width(SIDE), box=SIDE)
        return normalize(ink)

    return Line([box for box, _, _ in pieces], picture, cuts)


def _box(parts: list[np.ndarray]) -> Box:
    points = np.concatenate(parts, axis=1)
    (left, top), (right, bottom) = points.min(axis=1).tolist(), points.max(axis=1).tolist()
    return left, top, right, bottom


def _joints(curve: np.ndarray, margin: float) -> list[float]:
    """Columns that the pen passes once, where one digit may end and the next begin.

    Between two loops there is one such column; within a digit there is mostly none.
    """
    x = curve[0]
    columns = np.arange(x.min() + margin, x.max() - margin)
    passes = np.sum((x[:-1, None] < columns) != (x[1:, None] < columns), axis=0)
    once = np.flatnonzero(passes == 1)
    spans = np.split(once, np.flatnonzero(np.diff(once) > 1) + 1)
    return [float(columns[span[len(span) // 2]]) for span in spans if len(span)]


def _between(curve: np.ndarray, left: float, right: float) -> list[np.ndarray]:
    """The parts of a curve whose x is at least ``left`` and less than ``right``."""
    inside = np.flatnonzero((curve[0] >= left) & (curve[0] < right))
    spans = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
    return [curve[:, span] for span in spans if len(span)]
