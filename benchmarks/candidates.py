"""Candidates of composed numbers for a digit, labeled: whether they are one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.composed_lines import NUMBERS, Truth
from digits.multidigit import whole_digit
from digits.multidigit.decode import Box, Line, find_spans, places, union

SAME = 0.65  # overlap with a digit from which on a candidate may be one
SHARES = 0.95, 0.9, 0.85, 0.8, 0.7  # of the best candidate's overlap from which on it is one
UNCLEAR = 0.9  # and from which on it is not clearly none
MAX_OFFSET = 0.25  # of its box from the digit's, as a share of the digit's height


@dataclass(frozen=True, eq=False)
class Labeled:
    """The candidates of one number, n of them, and which are digits.

    ``x`` is (n, 202), what the network sees; ``spans`` (n, 2), first piece and one past the last;
    ``digit`` and ``clear``, that it is or is not one beyond doubt, (n,) bool.
    """

    x: np.ndarray
    spans: np.ndarray
    digit: np.ndarray
    clear: np.ndarray


def labeled(kind: str, n: int, seed: int) -> list[Labeled]:
    """The candidates of ``n`` numbers, less those that no split into digits explains."""
    lines = NUMBERS[kind](n, seed)
    return [number for line, truths in lines if (number := label(line, truths))]


def label(line: Line, truths: Sequence[Truth]) -> Labeled | None:
    """The candidates of a line with these digits; ``None`` where no split explains it."""
    spans = find_spans(line)
    images = np.stack([line.picture(range(*span)) for span in spans])
    boxes = [union(line.boxes[slice(*span)]) for span in spans]
    overlap = np.array(
        [[_overlap(*each, truth) for truth in truths] for each in zip(images, boxes, strict=True)]
    )
    share = np.where(overlap >= SAME, overlap / overlap.max(axis=0).clip(1e-9), 0).max(axis=1)
    for least in SHARES:
        digit = share >= least
        if _explained(spans, digit, len(line.boxes)):
            x = whole_digit.features(images, places(line, spans))
            return Labeled(x, np.array(spans), digit, digit | (share < min(least, UNCLEAR)))
    return None


def _explained(spans: Sequence[tuple[int, int]], digit: np.ndarray, pieces: int) -> bool:
    """Whether digits follow each other from the first piece to the last."""
    reached = {0}
    for (first, end), is_digit in zip(spans, digit, strict=True):  # in the order of ``first``
        if is_digit and first in reached:
            reached.add(end)
    return pieces in reached


def _overlap(image: np.ndarray, box: Box, truth: Truth) -> float:
    """Ink that a candidate shares with a digit, of the ink of either; 0 when it is elsewhere."""
    offset = max(abs(a - b) for a, b in zip(box, truth.box, strict=True))
    if offset > MAX_OFFSET * (truth.box[3] - truth.box[1]):
        return 0.0
    a = np.stack([np.roll(image, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)])
    both = np.minimum(a, truth.image).sum(axis=(1, 2), dtype=float)
    either = np.maximum(a, truth.image).sum(axis=(1, 2), dtype=float)
    return float((both / either).max())
