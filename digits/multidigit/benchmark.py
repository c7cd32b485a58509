"""Numbers composed of one writer's pen digits each, to score multi-digit recognition on."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digits.evaluation.metrics import wilson_interval
from digits.ink.canvas import place, rasterize
from digits.ink.pen_digits import PenDigit, read_pen_digits
from digits.multidigit.decode import Line, Predict, decode
from digits.multidigit.from_pixels import from_ink
from digits.multidigit.from_strokes import from_strokes

HEIGHT = 140.0  # pixels from the top to the bottom of a digit, on average
BRUSH = 14.0  # width of the pen in pixels
LENGTHS = 2, 3, 4, 5
MAX_GAP = 0.5  # widest gap between the ink of two digits, as a share of their height
TIGHT_GAP = 0.15  # gaps below this share are called tight
MAX_OVERLAP = 0.2  # of two neighbors' boxes, as a share of the height


@dataclass(frozen=True)
class ComposedNumber:
    """A number as one writer might have written it, and the gap between its digits."""

    text: str
    gap: float  # of ink to ink, as a share of the height; 0 where the digits touch
    digits: list[list[np.ndarray]]  # the strokes of each, (2, points) in pixels

    @property
    def strokes(self) -> list[np.ndarray]:
        return [stroke for digit in self.digits for stroke in digit]


def compose_numbers(digits: list[PenDigit], n: int, seed: int) -> list[ComposedNumber]:
    """``n`` numbers of two to five digits, spaced from generous to touching.

    The gaps run evenly from half of a digit's height down to none, and of every four numbers
    one touches. Sizes differ by up to a tenth, the base line by up to a twentieth. Raises
    ``ValueError`` when no writer has enough digits that are not suspect.
    """
    by_writer = defaultdict(list)
    for digit in digits:
        if not digit.suspect and digit.writer is not None:
            by_writer[digit.writer].append(digit)
    writers = sorted(writer for writer, own in by_writer.items() if len(own) >= max(LENGTHS))
    if not writers:
        raise ValueError(f"No writer in the file has as many as {max(LENGTHS)} sound digits.")
    random = np.random.default_rng(seed)
    numbers = []
    for index in range(n):
        own = by_writer[writers[random.integers(len(writers))]]
        picks = random.choice(len(own), LENGTHS[random.integers(len(LENGTHS))], replace=False)
        gap = 0.0 if index % 4 == 3 else MAX_GAP * (1 - index / n)
        numbers.append(_compose([own[pick] for pick in picks], gap, random))
    return numbers


def _compose(digits: list[PenDigit], gap: float, random: np.random.Generator) -> ComposedNumber:
    composed: list[list[np.ndarray]] = []
    edge = np.full(round(2 * HEIGHT), -np.inf)  # how far right the ink reaches in each row
    for digit in digits:
        up = random.uniform(-0.05, 0.05) * HEIGHT
        height = HEIGHT * random.uniform(0.9, 1.1)
        placed = [
            stroke + np.array([[0.0], [up]]) for stroke in place(digit.strokes, height, len(edge))
        ]
        ink = rasterize(placed, len(edge), len(edge), BRUSH) > 127
        first = np.where(ink.any(axis=1), ink.argmax(axis=1), np.inf)
        last = np.where(ink.any(axis=1), len(edge) - ink[:, ::-1].argmax(axis=1), -np.inf)
        shift = 0.0
        if composed:
            # Ink that is to touch overlaps by a quarter of the pen, or it would only brush.
            shift = float((edge - first).max()) + (gap * HEIGHT if gap else -BRUSH / 4)
            shift = max(shift, float(edge.max() - first.min()) - MAX_OVERLAP * HEIGHT)
        composed.append([stroke + np.array([[shift], [0.0]]) for stroke in placed])
        edge = np.maximum(edge, last + shift)
    points = np.concatenate([stroke for digit in composed for stroke in digit], axis=1)
    corner = points.min(axis=1, keepdims=True) - 2 * BRUSH
    text = "".join(str(digit.label) for digit in digits)
    return ComposedNumber(text, gap, [[stroke - corner for stroke in digit] for digit in composed])


def score(
    file: str | Path, predict: Predict, n: int = 100, seed: int = 0, writers: str | None = None
) -> dict[str, Any]:
    """Recognize ``n`` composed numbers by their strokes, and again by their pixels alone.

    ``writers`` is one of ``pen_digits.HALVES``, or all. The result is fit for JSON: for either way
    how many numbers were recognized ``whole``, with the 95 % ``interval`` of their share, by number
    of digits and by spacing, how many were ``unsure`` among the right and the wrong ones, and what
    the wrong ones were taken for. Raises as ``read_pen_digits`` and ``compose_numbers`` do.
    """
    numbers = compose_numbers(read_pen_digits(file, writers), n, seed)
    lines = {
        "strokes": [from_strokes(number.strokes) for number in numbers],
        "pixels": [from_ink(_render(number.strokes)) for number in numbers],
    }
    scores = {way: _score(numbers, lines[way], predict) for way in lines}
    return {"numbers": n, "seed": seed, **scores}


def _render(strokes: list[np.ndarray]) -> np.ndarray:
    points = np.concatenate(strokes, axis=1)
    width, height = (np.ceil(points.max(axis=1)) + 2 * BRUSH).astype(int)
    return rasterize(strokes, width, height, BRUSH)


def _score(numbers: list[ComposedNumber], lines: list[Line], predict: Predict) -> dict[str, Any]:
    predictions = [decode([line], predict)[0] for line in lines]
    results = [
        (number, prediction, prediction.text == number.text)
        for number, prediction in zip(numbers, predictions, strict=True)
    ]
    gaps = {"generous": (TIGHT_GAP, np.inf), "tight": (1e-9, TIGHT_GAP), "touching": (0, 1e-9)}
    whole = sum(right for *_, right in results)

    def count(correct: list[bool]) -> dict[str, int]:
        return {"whole": sum(correct), "of": len(correct)}

    return {
        "whole": whole,
        "interval": [round(limit, 4) for limit in wilson_interval(whole, len(results))],
        "by_length": {
            str(length): count(
                [right for number, _, right in results if len(number.text) == length]
            )
            for length in LENGTHS
        },
        "by_spacing": {
            spacing: count([right for number, _, right in results if low <= number.gap < high])
            for spacing, (low, high) in gaps.items()
        },
        "unsure_right": sum(right and not prediction.sure for _, prediction, right in results),
        "unsure_wrong": sum(not (right or prediction.sure) for _, prediction, right in results),
        "wrong": [
            {
                "is": number.text,
                "read": prediction.text,
                "gap": round(number.gap, 2),
                "sure": prediction.sure,
            }
            for number, prediction, right in results
            if not right
        ],
    }
