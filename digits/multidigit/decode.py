"""Several digits in one drawing or on one line of a photo, read from left to right.

The ink is taken apart into pieces too small rather than too large: strokes, or connected parts,
cut once more where two digits may touch. The network reads every run of neighbouring pieces that
could be one digit, all in one batch, and the runs that together explain the line best are chosen
by dynamic programming. Source: over-segmentation and a graph of candidates as in LeCun et al.
1998, section VI, with a network that knows digits only, so geometry has a say as well.

All lengths that follow are shares of the height of the line; costs are in nats, as the
network's: a cost of 1 is as bad as a digit that the network gives 37 % instead of 100 %.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]  # (n, 28, 28) to (n, 10)
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

MOST_PIECES = 8  # of one digit: one that is cut where nothing touches has as many

USUAL = 0.75  # width of most digits, and
SPREAD = 0.25  # by how much two in three differ from it at most
SHORT = 0.55  # what is lower than this is a bar, a dot or a serif, seldom a digit
APART = 0.04  # pieces this far from each other are two digits as likely as one
NARROW = 0.12  # a 1 is taken to be at least this wide when overlap is measured
NESTED = 0.3  # share of the narrower of two digits by which they may overlap
DOUBT = 1.0  # another reading less than this much worse makes a number unsure
MIN_PROBABILITY = 0.8  # and so does a digit to which the network gives less


@dataclass(frozen=True)
class Digit:
    """One digit of a number: its box in pixels, what the network saw of it and said to that."""

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
    """Digits of one line from left to right, and another reading of it if that is as likely."""

    digits: list[Digit]
    other: str = ""

    @property
    def text(self) -> str:
        return "".join(str(digit.value) for digit in self.digits)

    @property
    def sure(self) -> bool:
        return not self.other and all(digit.probability >= MIN_PROBABILITY for digit in self.digits)


@dataclass(frozen=True)
class Line:
    """Pieces of ink from left to right, and how any of them look together.

    ``picture`` takes numbers of pieces and gives (28, 28) uint8. ``cuts`` are the
    places where one piece was made two: the two pieces' numbers and the cost of believing it.
    """

    boxes: list[Box]
    picture: Callable[[Sequence[int]], np.ndarray]
    cuts: list[tuple[int, int, float]]


def decode(lines: list[Line], reader: Predict) -> list[Number]:
    """The number on each line; ``reader`` is asked once, with all that any line proposes."""
    proposed = [_candidates(line) for line in lines]
    images = [
        line.picture(range(*span))
        for line, spans in zip(lines, proposed, strict=True)
        for span in spans
    ]
    if not images:
        return [Number([]) for _ in lines]
    x = np.stack(images)
    probabilities = reader(x)
    numbers, start = [], 0
    for line, spans in zip(lines, proposed, strict=True):
        end = start + len(spans)
        numbers.append(_choose(line, spans, x[start:end], probabilities[start:end]))
        start = end
    return numbers


def _candidates(line: Line) -> list[tuple[int, int]]:
    """Runs of pieces, first and one past the last, that are not too wide for one digit."""
    height = _height(line)
    return [
        (first, end)
        for first in range(len(line.boxes))
        for end in range(first + 1, min(first + MOST_PIECES, len(line.boxes)) + 1)
        if end == first + 1 or _width(union(line.boxes[first:end])) <= 1.5 * height
    ]


def _choose(
    line: Line, spans: list[tuple[int, int]], x: np.ndarray, probabilities: np.ndarray
) -> Number:
    """The cheapest way through the candidates, and the cheapest that reads otherwise."""
    height = _height(line)
    boxes = [union(line.boxes[first:end]) for first, end in spans]
    # For each candidate the two cheapest ways that end with it and read differently.
    ways: list[list[tuple[float, tuple[int, ...]]]] = []
    answers = probabilities.argmax(axis=1)

    def two_best(all_ways: list[tuple[float, tuple[int, ...]]]) -> list:
        best: dict[tuple[int, ...], tuple[float, tuple[int, ...]]] = {}
        for way in sorted(all_ways):
            best.setdefault(tuple(answers[list(way[1])]), way)
        return list(best.values())[:2]

    for number, (first, _) in enumerate(spans):
        own = _cost(line, spans[number], boxes[number], height)
        own -= math.log(max(float(probabilities[number].max()), 1e-3))
        before = []
        for other, (_, end) in enumerate(spans[:number]):
            if end == first:
                step = own + _parting(line, first, boxes[other], boxes[number], height)
                before += [(cost + step, (*way, number)) for cost, way in ways[other]]
        ways.append(two_best(before) if first else [(own, (number,))])
    last = len(line.boxes)
    best, *others = two_best(
        [way for (_, end), some in zip(spans, ways, strict=True) if end == last for way in some]
    )
    near = others and others[0][0] - best[0] < DOUBT
    return Number(
        [Digit(boxes[k], x[k], probabilities[k]) for k in best[1]],
        "".join(str(answers[k]) for k in others[0][1]) if near else "",
    )


def _cost(line: Line, span: tuple[int, int], box: Box, height: float) -> float:
    """How unlike one digit these pieces are by their shape and by the gaps between them."""
    high = box[3] - box[1]
    wide = _width(box) / max(high, 0.3 * height)
    cost = max(0.0, (wide - USUAL) / SPREAD) ** 2 / 2
    cost += 15 * max(0.0, SHORT - high / height)
    right = line.boxes[span[0]][2]
    for left, _, end, _ in line.boxes[span[0] + 1 : span[1]]:
        cost += 30 * max(0.0, (left - right) / height - APART)
        right = max(right, end)
    return cost


def _parting(line: Line, at: int, one: Box, other: Box, height: float) -> float:
    """What speaks against taking two neighbouring candidates for two digits."""
    overlap = one[2] - other[0]
    narrower = max(min(_width(one), _width(other)), NARROW * height)
    cost = 6 * max(0.0, overlap / narrower - NESTED)
    return cost + sum(price for a, b, price in line.cuts if a < at <= b)


def _height(line: Line) -> float:
    """How high digits on the line are: as high as all of it, unless the line slopes."""
    _, top, _, bottom = union(line.boxes)
    return min(bottom - top, 1.6 * max(bottom - top for _, top, _, bottom in line.boxes))


def _width(box: Box) -> float:
    return box[2] - box[0]


def union(boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
