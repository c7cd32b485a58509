"""Ink of which only pixels are known, taken apart into pieces: connected, and cut where thin."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import ndimage

from digits.ink.preprocessing import INK_THRESHOLD, normalize
from digits.multidigit.decode import Box, Line, union

ROWS = 64  # height at which cuts are looked for
REACH = 0.12  # of the height: how far a cut may lean to either side
EDGE = 0.2  # no cut is closer than that to an end; half of it between two cuts
MOST_CUTS = 6  # through a connected piece as wide as high
SLIM = 0.6  # pieces narrower than that are not cut: two digits need more room
CUT = 1.0  # cost of a cut for each width of the stroke that it crosses
THICKEST = 2.5  # widths of the stroke that a cut may cross
THICKNESS = 0.09  # of a line, as on the Draw page
SPECK = 0.08  # pieces smaller than that are no part of a digit


def from_ink(ink: np.ndarray) -> Line:
    """Ink of one line, (height, width) uint8 with 0 for paper, as a line to be read.

    Raises ``ValueError`` when the ink is blank.
    """
    named, n = connected_components(ink >= INK_THRESHOLD)
    if not n:
        raise ValueError("The drawing is blank: draw a digit first.")
    return from_components(named, ndimage.find_objects(named), range(1, n + 1))


def connected_components(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the connected parts of a mask from 1; what touches at a corner is connected."""
    return ndimage.label(mask, np.ones((3, 3)))


def from_components(
    named: np.ndarray, places: list[tuple[slice, slice]], names: Sequence[int]
) -> Line:
    """Some of the connected parts of a picture as a line to be read.

    ``named`` is (height, width) int with the number of the part that each pixel is of, ``places``
    are their slices in it, from part 1 on. Lines thinner or thicker, for the height of the
    digits, than those of the Draw page are made as thick in what the network sees.
    """
    height = max(places[name - 1][0].stop - places[name - 1][0].start for name in names)
    pieces: list[tuple[Box, int, np.ndarray]] = []  # box, number in order of cutting, mask
    cuts = []
    ink = outline = 0.0
    for name in names:
        place = places[name - 1]
        if _extent(place) < SPECK * height:
            continue
        mask = named[place] == name
        ink, outline = ink + mask.sum(), outline + _outline(mask)
        parts, prices = split_touching(mask, height)
        first = len(pieces)
        cuts += [(first + k, first + k + 1, price) for k, price in enumerate(prices)]
        for part in parts:
            rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            part = part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            left, top = float(place[1].start + columns[0]), float(place[0].start + rows[0])
            box = left, top, left + part.shape[1], top + part.shape[0]
            pieces.append((box, len(pieces), part))
    pieces.sort(key=lambda piece: piece[0][0] + piece[0][2])
    at = {number: place for place, (_, number, _) in enumerate(pieces)}
    stroke = 2 * ink / outline
    grow = max((THICKNESS * height - stroke) / 2, -stroke / 4)
    edge = max(2, math.ceil(grow) + 1)

    def picture(these: Sequence[int]) -> np.ndarray:
        left, top, right, bottom = map(round, union([pieces[one][0] for one in these]))
        some = np.zeros((bottom - top + 2 * edge, right - left + 2 * edge), bool)
        for one in these:
            (x, y, _, _), _, part = pieces[one]
            row, column = round(y) - top + edge, round(x) - left + edge
            some[row : row + part.shape[0], column : column + part.shape[1]] |= part
        inside = ndimage.distance_transform_edt(some) - ndimage.distance_transform_edt(~some)
        return normalize(np.rint((inside + grow + 0.5).clip(0, 1) * 255).astype(np.uint8))

    return Line(
        [box for box, _, _ in pieces],
        picture,
        [(min(at[a], at[b]), max(at[a], at[b]), price) for a, b, price in cuts],
    )


def _extent(place: tuple[slice, slice]) -> int:
    return max(side.stop - side.start for side in place)


def split_touching(mask: np.ndarray, height: float) -> tuple[list[np.ndarray], list[float]]:
    """Cut a connected piece, (rows, columns) bool, wherever two digits might touch.

    Gives the parts from left to right and the cost of each cut between them: more where more
    ink is cut, in widths of the stroke.
    """
    rows, columns = mask.shape
    if columns < SLIM * height or rows < height / 2:
        return [mask], []
    stroke = 2 * mask.sum() / max(1, _outline(mask))
    shrink = max(1, round(rows / ROWS))
    small = ndimage.uniform_filter(mask.astype(np.float32), shrink)[::shrink, ::shrink]
    starts = np.arange(EDGE * height, columns - EDGE * height, max(1.0, height / 16)) / shrink
    if not len(starts):
        return [mask], []
    seams, crossed = _seams(small, starts, REACH * height / shrink)
    crossed = crossed * shrink / stroke
    chosen: list[int] = []
    for one in np.argsort(crossed, kind="stable"):
        far = all(np.abs(seams[one] - seams[k]).mean() * shrink > EDGE * height / 2 for k in chosen)
        if crossed[one] < THICKEST and far and len(chosen) < MOST_CUTS * columns / height:
            chosen.append(int(one))
    chosen.sort(key=lambda k: seams[k].mean())
    grid = np.arange(columns)
    lines = [np.repeat(seams[k], shrink)[:rows] * shrink + shrink / 2 for k in chosen]
    lines = [np.pad(line, (0, rows - len(line)), mode="edge") for line in lines]
    edges = [np.full(rows, -1.0), *lines, np.full(rows, columns + 1.0)]
    parts = [
        mask & (grid >= left[:, None]) & (grid < right[:, None]) for left, right in pairwise(edges)
    ]
    prices = [CUT * float(crossed[k]) for k in chosen]
    whole = [bool(part.any()) for part in parts]
    if not all(whole):
        return [mask], []
    return parts, prices


def _outline(mask: np.ndarray) -> float:
    """Length of the edge of a mask in pixels, counted along both axes."""
    padded = np.pad(mask, 1)
    edges = sum(np.count_nonzero(np.diff(padded, axis=axis)) for axis in (0, 1))
    return edges * np.pi / 4  # steps of a staircase are longer than the slope


def _seams(ink: np.ndarray, starts: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest way from top to bottom near each start, and the ink that it crosses.

    ``ink`` is (rows, columns) float in [0, 1], ``starts`` (n,) columns. Gives (n, rows) columns
    and (n,). A way moves by at most one column a row and stays within ``reach`` of its start.
    """
    rows, columns = ink.shape
    away = np.abs(np.arange(columns) - starts[:, None])  # (n, columns)
    fence = np.where(away <= max(reach, 1), 0.003 * away, np.inf)
    cost = ink[0] + fence
    came = np.zeros((rows, *cost.shape), np.int8)
    for row in range(1, rows):
        padded = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
        # A step aside costs a little, so that a way through plain paper is straight.
        options = np.stack([padded[:, 1:-1], padded[:, :-2] + 0.01, padded[:, 2:] + 0.01])
        came[row] = np.array([0, -1, 1])[options.argmin(axis=0)]
        cost = options.min(axis=0) + ink[row] + fence
    at = cost.argmin(axis=1)
    each = np.arange(len(starts))
    ways = np.zeros((len(starts), rows), int)
    for row in range(rows - 1, -1, -1):
        ways[:, row] = at
        at = at + came[row, each, at]
    return ways, np.array([ink[np.arange(rows), way].sum() for way in ways])
