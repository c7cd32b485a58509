"""Several digits in one drawing or on one line of a photo, recognized from left to right.

The ink is over-segmented into pieces: strokes, or connected components, cut wherever two digits
may touch. Every run of adjacent pieces is a candidate for a digit. A tiny network judges whether it
is a whole one, the model which one, all in one batch, and dynamic programming chooses the
candidates that together explain the line best.
Source: over-segmentation and a graph of candidates as in LeCun et al. 1998, section VI.

Costs are in nats, as the model's: a cost of 1 is as bad as a digit with a probability of 37 %
instead of 100 %.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from digits.multidigit import whole_digit
from digits.multidigit.whole_digit import Place

Predict = Callable[[np.ndarray], np.ndarray]  # images (n, 28, 28) to probabilities (n, 10)
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

MAX_PIECES = 10  # of one digit: one that is cut where nothing touches has as many
MAX_WIDTH = 1.5  # of one digit, as a share of the height of the line
MAX_LOG_ODDS = 8.0  # that a candidate is a whole digit or none: nothing is surer
HOPELESS = 12.0  # a candidate whose best path costs so much more is not shown to the model
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
    """What may be one digit: runs of pieces, first and one past the last.

    ``images`` are (n, 28, 28) uint8, ``costs`` (n,) minus the log-odds that they are whole digits.
    """

    spans: list[tuple[int, int]]
    images: np.ndarray
    costs: np.ndarray


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


def find_spans(line: Line) -> list[tuple[int, int]]:
    """All runs of adjacent pieces that are not too wide for one digit."""
    height, n = _height(line), len(line.boxes)
    return [
        (first, end)
        for first in range(n)
        for end in range(first + 1, min(first + MAX_PIECES, n) + 1)
        if end == first + 1 or _width(union(line.boxes[first:end])) <= MAX_WIDTH * height
    ]


def find_candidates(line: Line) -> Candidates:
    """The runs of pieces that are on some path from end to end which is not hopeless."""
    n = len(line.boxes)
    spans = find_spans(line)
    images = np.stack([line.picture(range(*span)) for span in spans])
    log_odds = whole_digit.load().log_odds(images, places(line, spans))
    costs = -log_odds.clip(-MAX_LOG_ODDS, MAX_LOG_ODDS)
    before, after = np.full((2, n + 1), np.inf)  # the cheapest path to and from each piece
    before[0] = after[n] = 0
    for (first, end), cost in zip(spans, costs, strict=True):
        before[end] = min(before[end], before[first] + cost)
    for (first, end), cost in zip(spans[::-1], costs[::-1], strict=True):
        after[first] = min(after[first], cost + after[end])
    first, end = np.array(spans).T
    hopeful = np.flatnonzero(before[first] + costs + after[end] <= before[n] + HOPELESS)
    return Candidates([spans[k] for k in hopeful], images[hopeful], costs[hopeful])


def places(line: Line, spans: Sequence[tuple[int, int]]) -> list[Place]:
    """Where on the line each span lies, as ``whole_digit`` sees it."""
    height = _height(line)
    _, top, _, bottom = union(line.boxes)
    prices = np.zeros(len(line.boxes) + 1)  # of the cuts before each piece
    for a, b, price in line.cuts:
        prices[a + 1 : b + 1] += price
    found: list[Place] = []
    for first, end in spans:
        box = union(line.boxes[first:end])
        gap, right = 0.0, line.boxes[first][2]
        for other in line.boxes[first + 1 : end]:
            gap, right = max(gap, (other[0] - right) / height), max(right, other[2])
        found.append(
            (
                _width(box) / height,
                (box[1] - top) / height,
                (bottom - box[3]) / height,
                gap,
                prices[first],
                prices[end],
            )
        )
    return found


def choose_digits(line: Line, candidates: Candidates, probabilities: np.ndarray) -> Number:
    """The cheapest path through the candidates, and the cheapest with another text.

    ``probabilities`` are (n, 10), of the candidates' images.
    """
    spans = candidates.spans
    y_pred = probabilities.argmax(axis=1)
    costs = candidates.costs - np.log(probabilities.max(axis=1).clip(1e-3))

    def two_best(paths: list[Path]) -> list[Path]:
        """The two cheapest paths whose texts differ."""
        best: dict[tuple[int, ...], Path] = {}
        for path in sorted(paths):
            best.setdefault(tuple(y_pred[list(path[1])]), path)
        return list(best.values())[:2]

    paths: list[list[Path]] = [[] for _ in range(len(line.boxes) + 1)]  # to each piece
    paths[0] = [(0.0, ())]
    for k in range(len(spans)):
        first, end = spans[k]
        paths[end] += [
            (cost + float(costs[k]), (*path, k)) for cost, path in two_best(paths[first])
        ]
    best, *others = two_best(paths[-1])
    ambiguous = others and others[0][0] - best[0] < AMBIGUITY
    return Number(
        [
            Digit(union(line.boxes[slice(*spans[k])]), candidates.images[k], probabilities[k])
            for k in best[1]
        ],
        "".join(str(y_pred[k]) for k in others[0][1]) if ambiguous else "",
    )


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
