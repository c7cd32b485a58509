"""Ink of which only pixels are known, over-segmented: connected components, cut where thin."""

import math
from collections.abc import Sequence

import numpy as np

from digits.ink.preprocessing import DIGIT_SIDE, INK_THRESHOLD, PEN_WIDTH, normalize
from digits.multidigit.decode import Box, Line, union

# Shares of the height of the digits, unless said otherwise.
STROKE_WIDTH = PEN_WIDTH / DIGIT_SIDE  # 0.12, as strokes are redrawn on the Draw page
SPECK = 0.08  # components smaller than this are no part of a digit
MAX_UNCUT_WIDTH = 0.4  # narrower components are not cut: two digits need more room
MAX_CUTS = 10  # through a component as wide as high
ASIDE = 0.01  # price of a step aside, as a share of crossing one width of the stroke
MAX_CROSSED = 2.2  # widths of the stroke that a cut may cross
MIN_PIECE = 2.5  # ink between two cuts, in squares as wide as the stroke
FUSED = 0.55  # ink as many widths of the stroke from paper is where two strokes lie side by side,
FUSED_COST = 0.25  # and a cut along it crosses as much less
CUT_COST = 1.0  # for each width of the stroke that a cut crosses
ROWS = 64  # pixels that a digit is high at least when it is cut
MIN_STROKE = 2.0  # pixels that its stroke is wide then at least, unless
MAX_ROWS = 256  # the digit would be higher
MAX_PATHS = 4000  # through one component


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
    masks = {}
    for label in labels:
        rows, columns = slices[label - 1]
        if max(rows.stop - rows.start, columns.stop - columns.start) >= SPECK * height:
            masks[label] = components[rows, columns] == label
    fine = stroke_width(list(masks.values())) / MIN_STROKE
    shrink = max(1, int(min(height / ROWS, fine)), math.ceil(height / MAX_ROWS))
    small = {}  # masks on one grid of squares of shrink × shrink pixels
    for label, mask in masks.items():
        rows, columns = slices[label - 1]
        small[label] = _shrink(mask, rows.start % shrink, columns.start % shrink, shrink)
    width = stroke_width(list(small.values()))
    pieces: list[tuple[Box, int, np.ndarray]] = []  # box, index in the order of cutting, mask
    cuts = []
    for label, mask in small.items():
        rows, columns = slices[label - 1]
        parts, costs = split_touching(mask, height / shrink, width)
        first = len(pieces)
        cuts += [(first + k, first + k + 1, cost) for k, cost in enumerate(costs)]
        for part in parts:
            y, x = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            part = part[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
            left, top = float(columns.start // shrink + x[0]), float(rows.start // shrink + y[0])
            box = left, top, left + part.shape[1], top + part.shape[0]
            pieces.append((box, len(pieces), part))
    pieces.sort(key=lambda piece: piece[0][0] + piece[0][2])
    place = {index: place for place, (_, index, _) in enumerate(pieces)}
    grow = max((STROKE_WIDTH * height / shrink - width) / 2, -width / 4)
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

    edge = (shrink - 1) / 2  # a square that is less than half full counts as paper
    return Line(
        [
            (
                shrink * left - edge,
                shrink * top - edge,
                shrink * right + edge,
                shrink * bottom + edge,
            )
            for (left, top, right, bottom), _, _ in pieces
        ],
        picture,
        [(min(place[a], place[b]), max(place[a], place[b]), cost) for a, b, cost in cuts],
    )


def split_touching(
    mask: np.ndarray, height: float, width: float
) -> tuple[list[np.ndarray], list[float]]:
    """Cut a component, (rows, columns) bool, wherever two digits might touch.

    ``height`` of the digits and ``width`` of their strokes are in its pixels. Returns the parts
    from left to right and the cost of each cut between them, proportional to the ink crossed.
    """
    from scipy import ndimage

    rows, columns = mask.shape
    if columns < MAX_UNCUT_WIDTH * height or rows < height / 2:
        return [mask], []
    fused = ndimage.distance_transform_edt(mask) > FUSED * width
    price = (mask - (1 - FUSED_COST) * fused) / width
    paths = _seams(price, max(3, round(width / 2)))
    # The ink to the left of each path in each row: between two paths lies the difference.
    ink_left = np.pad(mask.cumsum(axis=1), ((0, 0), (1, 0)))[np.arange(rows), paths]
    enough = MIN_PIECE * width**2
    ends = np.stack([np.zeros(rows, int), mask.sum(axis=1)])
    apart = np.abs(ink_left[:, None] - ends).sum(axis=2).min(axis=1) >= enough  # (paths,)
    cuts: list[int] = []
    for k in range(len(paths)):
        if len(cuts) >= MAX_CUTS * columns / height:
            break
        if apart[k]:
            cuts.append(k)
            apart &= np.abs(ink_left - ink_left[k]).sum(axis=1) >= enough
    # Where two paths cross they change sides, so that the parts are one beside the other.
    lines = np.sort(paths[cuts], axis=0)  # (cuts, rows)
    part_of = (np.arange(columns) >= lines[:, :, None]).sum(axis=0)  # (rows, columns)
    parts = [mask & (part_of == index) for index in range(len(lines) + 1)]
    costs = [CUT_COST * float(price[np.arange(rows), line].sum()) for line in lines]
    inked = [index for index, part in enumerate(parts) if part.any()]
    return [parts[index] for index in inked], [costs[index - 1] for index in inked[1:]]


def _shrink(mask: np.ndarray, top: int, left: int, factor: int) -> np.ndarray:
    """A mask at a lower resolution, after as many rows and columns of paper; never blank."""
    if factor == 1:
        return mask
    rows, columns = top + mask.shape[0], left + mask.shape[1]
    padded = np.pad(mask, ((top, -rows % factor), (left, -columns % factor)))
    shares = padded.reshape(
        padded.shape[0] // factor, factor, padded.shape[1] // factor, factor
    ).mean(axis=(1, 3))
    return shares >= min(0.5, shares.max())


def stroke_width(masks: list[np.ndarray]) -> float:
    """Width in pixels of the strokes that masks, (rows, columns) bool each, are made of."""
    return 2 * sum(mask.sum() for mask in masks) / sum(_outline(mask) for mask in masks)


def _outline(mask: np.ndarray) -> float:
    """Length of the edge of a mask in pixels, counted along both axes."""
    padded = np.pad(mask, 1)
    edges = sum(np.count_nonzero(np.diff(padded, axis=axis)) for axis in (0, 1))
    return edges * np.pi / 4  # steps of a staircase are longer than the slope


def _seams(price: np.ndarray, apart: int) -> np.ndarray:
    """Cheap paths from top to bottom through ink, the cheapest first.

    ``price`` is (rows, columns) float, 0 for paper. Of the pixels of a row, those are tried whose
    cheapest path costs least among ``apart`` neighbors. Returns (n, rows) columns; a path
    moves by at most one column a row.
    """
    from scipy import ndimage

    rows = len(price)
    down, from_above = _cheapest(price)
    up, from_below = (part[::-1] for part in _cheapest(price[::-1]))
    through = down + up - price
    least = through == ndimage.minimum_filter(through, (1, apart))
    least[np.arange(rows) % max(1, apart // 2) > 0] = False  # next rows have the same paths
    y, x = np.nonzero(least & (price > 0) & (through < MAX_CROSSED))
    cheapest = np.argsort(through[y, x], kind="stable")[:MAX_PATHS]
    y, x = y[cheapest], x[cheapest]
    paths = np.zeros((len(y), rows), int)
    column = x
    for row in range(rows - 1, -1, -1):
        column = np.where(row < y, column + from_above[min(row + 1, rows - 1), column], x)
        paths[:, row] = column
    column = x
    for row in range(rows):
        column = np.where(row > y, column + from_below[max(row - 1, 0), column], x)
        paths[row >= y, row] = column[row >= y]
    return paths


def _cheapest(price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest path from the first row to each pixel: its cost, and its last step, -1 to 1."""
    cost = price.astype(float)
    steps = np.zeros(price.shape, int)
    for row in range(1, len(price)):
        padded = np.pad(cost[row - 1], 1, constant_values=np.inf)
        options = np.stack([padded[1:-1], padded[:-2] + ASIDE, padded[2:] + ASIDE])
        steps[row] = np.array([0, -1, 1])[options.argmin(axis=0)]
        cost[row] += options.min(axis=0)
    return cost, steps
