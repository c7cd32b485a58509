"""Several digits in one drawing or on one line of a photo, recognized from left to right.

The ink is over-segmented into pieces: strokes, or connected components, cut once more where two
digits may touch. The model classifies every run of adjacent pieces that could be one digit, all
in one batch, and dynamic programming chooses the runs that together explain the line best.
Source: over-segmentation and a graph of candidates as in LeCun et al. 1998, section VI. As the
model knows digits only, geometry has a say as well.

All lengths that follow are shares of the height of the line; costs are in nats, as the
model's: a cost of 1 is as bad as a digit with a probability of 37 % instead of 100 %.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]  # images (n, 28, 28) to probabilities (n, 10)
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

MAX_PIECES = 8  # of one digit: one that is cut where nothing touches has as many
USUAL_WIDTH = 0.75  # of most digits, and
WIDTH_SPREAD = 0.25  # by how much two in three differ from it at most
MIN_HEIGHT = 0.55  # what is lower than this is a bar, a dot or a serif, seldom a digit
USUAL_GAP = 0.04  # pieces this far from each other are two digits as likely as one
MIN_WIDTH = 0.12  # a 1 is taken to be at least this wide when overlap is measured
USUAL_OVERLAP = 0.3  # share of the narrower of two digits by which they may overlap
AMBIGUITY = 1.0  # an alternative less than this much worse makes a number unsure
MIN_PROBABILITY = 0.8  # and so does a digit to which the model gives less

Path = tuple[float, tuple[int, ...]]  # its cost and the candidates along it


@dataclass(frozen=True)
class Digit:
    """One digit of a number: its box in pixels, the model's input and its prediction."""

    box: Box
    image: np.ndarray  # (28, 28) uint8
    probabilities: np.ndarray  # (10,)

    @property
    def value(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        return float(self.probabilities.max())


@dataclass(frozen=True)
class Number:
    """Digits of one line from left to right, and an alternative if one is about as likely."""

    digits: list[Digit]
    alternative: str = ""

    @property
    def text(self) -> str:
        return "".join(str(digit.value) for digit in self.digits)

    @property
    def sure(self) -> bool:
        confident = all(digit.probability >= MIN_PROBABILITY for digit in self.digits)
        return confident and not self.alternative


@dataclass(frozen=True)
class Line:
    """Pieces of ink from left to right, and how any of them look together.

    ``picture`` takes indices of pieces and gives (28, 28) uint8. ``cuts`` are the
    places where one piece was made two: the two pieces' indices and the cost of the cut.
    """

    boxes: list[Box]
    picture: Callable[[Sequence[int]], np.ndarray]
    cuts: list[tuple[int, int, float]]


@dataclass(frozen=True, eq=False)
class Candidates:
    """What may be one digit: runs of pieces, first and one past the last, as (n, 28, 28) images."""

    spans: list[tuple[int, int]]
    images: np.ndarray


def decode(lines: list[Line], predict: Predict) -> list[Number]:
    """The number on each line; ``predict`` is called once, with all candidates of all lines."""
    if not lines:
        return []
    candidates = [find_candidates(line) for line in lines]
    probabilities = predict(np.concatenate([part.images for part in candidates]))
    ends = np.cumsum([len(part.images) for part in candidates])
    parts = np.split(probabilities, ends[:-1])
    return [
        choose_digits(line, of_line, p)
        for line, of_line, p in zip(lines, candidates, parts, strict=True)
    ]


def find_candidates(line: Line) -> Candidates:
    """All runs of adjacent pieces that are not too wide for one digit."""
    height, n = _height(line), len(line.boxes)
    spans = [
        (first, end)
        for first in range(n)
        for end in range(first + 1, min(first + MAX_PIECES, n) + 1)
        if end == first + 1 or _width(union(line.boxes[first:end])) <= 1.5 * height
    ]
    return Candidates(spans, np.stack([line.picture(range(*span)) for span in spans]))


def choose_digits(line: Line, candidates: Candidates, probabilities: np.ndarray) -> Number:
    """The cheapest path through the candidates, and the cheapest with another text.

    ``probabilities`` are (n, 10), of the candidates' images.
    """
    height, spans = _height(line), candidates.spans
    boxes = [union(line.boxes[first:end]) for first, end in spans]
    y_pred = probabilities.argmax(axis=1)

    def two_best(paths: list[Path]) -> list[Path]:
        """The two cheapest paths whose texts differ."""
        best: dict[tuple[int, ...], Path] = {}
        for path in sorted(paths):
            best.setdefault(tuple(y_pred[list(path[1])]), path)
        return list(best.values())[:2]

    paths: list[list[Path]] = []  # for each candidate the two best that end with it
    for index, (first, _) in enumerate(spans):
        own = _digit_cost(line, spans[index], boxes[index], height)
        own -= math.log(max(float(probabilities[index].max()), 1e-3))
        if not first:
            paths.append([(own, (index,))])
            continue
        extended = []
        for before, (_, end) in enumerate(spans[:index]):
            if end == first:
                step = own + _boundary_cost(line, first, boxes[before], boxes[index], height)
                extended += [(cost + step, (*path, index)) for cost, path in paths[before]]
        paths.append(two_best(extended))
    last = len(line.boxes)
    best, *others = two_best(
        [
            path
            for (_, end), ending in zip(spans, paths, strict=True)
            if end == last
            for path in ending
        ]
    )
    ambiguous = others and others[0][0] - best[0] < AMBIGUITY
    return Number(
        [Digit(boxes[k], candidates.images[k], probabilities[k]) for k in best[1]],
        "".join(str(y_pred[k]) for k in others[0][1]) if ambiguous else "",
    )


def _digit_cost(line: Line, span: tuple[int, int], box: Box, height: float) -> float:
    """How unlike one digit these pieces are by their shape and by the gaps between them."""
    box_height = box[3] - box[1]
    width = _width(box) / max(box_height, 0.3 * height)
    cost = max(0.0, (width - USUAL_WIDTH) / WIDTH_SPREAD) ** 2 / 2
    cost += 15 * max(0.0, MIN_HEIGHT - box_height / height)
    right = line.boxes[span[0]][2]
    for left, _, end, _ in line.boxes[span[0] + 1 : span[1]]:
        cost += 30 * max(0.0, (left - right) / height - USUAL_GAP)
        right = max(right, end)
    return cost


def _boundary_cost(line: Line, piece: int, left: Box, right: Box, height: float) -> float:
    """What speaks against two digits of which the second begins with ``piece``."""
    overlap = left[2] - right[0]
    narrower = max(min(_width(left), _width(right)), MIN_WIDTH * height)
    cost = 6 * max(0.0, overlap / narrower - USUAL_OVERLAP)
    return cost + sum(price for a, b, price in line.cuts if a < piece <= b)


def _height(line: Line) -> float:
    """How high digits on the line are: as high as all of it, unless the line slopes."""
    _, top, _, bottom = union(line.boxes)
    return min(bottom - top, 1.6 * max(bottom - top for _, top, _, bottom in line.boxes))


def _width(box: Box) -> float:
    return box[2] - box[0]


def union(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of them."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
