"""Ink of which only pixels are known, over-segmented: connected components, cut where thin."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digits.ink.preprocessing import DIGIT_SIDE, INK_THRESHOLD, PEN_WIDTH, normalize
from digits.multidigit.decode import Box, Line, union

# Shares of the height of the digits, unless said otherwise.
STROKE_WIDTH = PEN_WIDTH / DIGIT_SIDE  # 0.12, as strokes are redrawn on the Draw page
SPECK = 0.08  # components smaller than this are no part of a digit
MAX_UNCUT_WIDTH = 0.6  # narrower components are not cut: two digits need more room
END_MARGIN = 0.2  # no cut is closer than this to an end; half of it between two cuts
LEAN = 0.12  # how far a cut may lean to either side
MAX_CUTS = 6  # through a component as wide as high
MAX_CROSSED = 2.5  # widths of the stroke that a cut may cross
CUT_COST = 1.0  # for each width of the stroke that a cut crosses
ROWS = 64  # height in pixels at which cuts are searched


def from_ink(ink: np.ndarray) -> Line:
    """Ink of one line, (height, width) uint8 with 0 for paper, as a line of pieces.

    Raises ``ValueError`` when the ink is blank.
    """
    from scipy import ndimage

    components, n = connected_components(ink >= INK_THRESHOLD)
    if not n:
        raise ValueError("The drawing is blank: draw a digit first.")
    return from_components(components, ndimage.find_objects(components), range(1, n + 1))


def connected_components(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Label the connected components of a mask from 1, with 8-connectivity; gives their number."""
    from scipy import ndimage

    return ndimage.label(mask, np.ones((3, 3)))


def from_components(
    components: np.ndarray, slices: list[tuple[slice, slice]], labels: Sequence[int]
) -> Line:
    """Some connected components of a picture as a line of pieces.

    ``components`` is (height, width) int with the label of each pixel's component, ``slices`` are
    their bounding boxes, from label 1 on. Strokes thinner or thicker, for the height of the digits,
    than ``STROKE_WIDTH`` get that width in the images of the pieces.
    """
    from scipy import ndimage

    height = max(slices[label - 1][0].stop - slices[label - 1][0].start for label in labels)
    pieces: list[tuple[Box, int, np.ndarray]] = []  # box, index in the order of cutting, mask
    cuts = []
    area = outline = 0.0
    for label in labels:
        rows, columns = slices[label - 1]
        if max(rows.stop - rows.start, columns.stop - columns.start) < SPECK * height:
            continue
        mask = components[rows, columns] == label
        area, outline = area + mask.sum(), outline + _outline(mask)
        parts, costs = split_touching(mask, height)
        first = len(pieces)
        cuts += [(first + k, first + k + 1, cost) for k, cost in enumerate(costs)]
        for part in parts:
            y, x = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            part = part[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
            left, top = float(columns.start + x[0]), float(rows.start + y[0])
            box = left, top, left + part.shape[1], top + part.shape[0]
            pieces.append((box, len(pieces), part))
    pieces.sort(key=lambda piece: piece[0][0] + piece[0][2])
    place = {index: place for place, (_, index, _) in enumerate(pieces)}
    stroke_width = 2 * area / outline
    grow = max((STROKE_WIDTH * height - stroke_width) / 2, -stroke_width / 4)
    margin = max(2, math.ceil(grow) + 1)

    def picture(indices: Sequence[int]) -> np.ndarray:
        left, top, right, bottom = map(round, union([pieces[index][0] for index in indices]))
        mask = np.zeros((bottom - top + 2 * margin, right - left + 2 * margin), bool)
        for index in indices:
            (x, y, _, _), _, part = pieces[index]
            row, column = round(y) - top + margin, round(x) - left + margin
            mask[row : row + part.shape[0], column : column + part.shape[1]] |= part
        inside = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask) + 0.5
        if inside.max() + grow > 0:  # a sliver keeps its width rather than vanish
            inside += grow
        return normalize(np.rint(inside.clip(0, 1) * 255).astype(np.uint8))

    return Line(
        [box for box, _, _ in pieces],
        picture,
        [(min(place[a], place[b]), max(place[a], place[b]), cost) for a, b, cost in cuts],
    )


def split_touching(mask: np.ndarray, height: float) -> tuple[list[np.ndarray], list[float]]:
    """Cut a component, (rows, columns) bool, wherever two digits might touch.

    Returns the parts from left to right and the cost of each cut between them, which is
    proportional to the ink that it crosses, in widths of the stroke.
    """
    from scipy import ndimage

    rows, columns = mask.shape
    if columns < MAX_UNCUT_WIDTH * height or rows < height / 2:
        return [mask], []
    stroke_width = 2 * mask.sum() / max(1, _outline(mask))
    shrink = max(1, round(rows / ROWS))
    small = ndimage.uniform_filter(mask.astype(np.float32), shrink)[::shrink, ::shrink]
    margin = END_MARGIN * height
    starts = np.arange(margin, columns - margin, max(1.0, height / 16)) / shrink
    if not len(starts):
        return [mask], []
    seams, crossed = _seams(small, starts, LEAN * height / shrink)
    crossed = crossed * shrink / stroke_width
    cuts: list[int] = []
    for k in np.argsort(crossed, kind="stable").tolist():
        if crossed[k] >= MAX_CROSSED or len(cuts) >= MAX_CUTS * columns / height:
            break
        distances = [np.abs(seams[k] - seams[cut]).mean() * shrink for cut in cuts]
        if min(distances, default=np.inf) > margin / 2:
            cuts.append(k)
    cuts.sort(key=lambda k: seams[k].mean())
    lines = [np.repeat(seams[k], shrink)[:rows] * shrink + shrink / 2 for k in cuts]
    lines = [np.pad(line, (0, rows - len(line)), mode="edge") for line in lines]
    edges = [np.full(rows, -1.0), *lines, np.full(rows, columns + 1.0)]
    x = np.arange(columns)
    parts = [mask & (x >= left[:, None]) & (x < right[:, None]) for left, right in pairwise(edges)]
    if not all(part.any() for part in parts):
        return [mask], []
    return parts, [CUT_COST * float(crossed[k]) for k in cuts]


def _outline(mask: np.ndarray) -> float:
    """Length of the edge of a mask in pixels, counted along both axes."""
    padded = np.pad(mask, 1)
    edges = sum(np.count_nonzero(np.diff(padded, axis=axis)) for axis in (0, 1))
    return edges * np.pi / 4  # steps of a staircase are longer than the slope


def _seams(ink: np.ndarray, starts: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest path from top to bottom near each start, and the ink that it crosses.

    ``ink`` is (rows, columns) float in [0, 1], ``starts`` (n,) columns. Returns (n, rows) columns
    and (n,). A path moves by at most one column a row and stays within ``reach`` of its start.
    """
    rows, columns = ink.shape
    away = np.abs(np.arange(columns) - starts[:, None])  # (n, columns)
    fence = np.where(away <= max(reach, 1), 0.003 * away, np.inf)
    cost = ink[0] + fence
    moves = np.zeros((rows, *cost.shape), np.int8)
    for row in range(1, rows):
        padded = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
        # A step aside costs a little, so that a path through plain paper is straight.
        options = np.stack([padded[:, 1:-1], padded[:, :-2] + 0.01, padded[:, 2:] + 0.01])
        moves[row] = np.array([0, -1, 1])[options.argmin(axis=0)]
        cost = options.min(axis=0) + ink[row] + fence
    column = cost.argmin(axis=1)
    n = np.arange(len(starts))
    paths = np.zeros((len(starts), rows), int)
    for row in range(rows - 1, -1, -1):
        paths[:, row] = column
        column = column + moves[row, n, column]
    return paths, np.array([ink[np.arange(rows), path].sum() for path in paths])
