"""Numbers composed of pen digits, each by one writer, to score the reading of numbers on."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digits.ink.canvas import place, rasterize
from digits.ink.pen_digits import PenDigit, read_pen_digits
from digits.multidigit.decode import Line, Predict, decode
from digits.multidigit.from_strokes import from_strokes

HEIGHT = 140.0  # pixels from the top to the bottom of a digit, on average
BRUSH = 14.0  # width of the pen in pixels
LENGTHS = 2, 3, 4, 5
GENEROUS = 0.5  # widest gap between the ink of two digits, as a share of their height
TIGHT = 0.15  # gaps below this share are called tight
NESTED = 0.2  # no digit is pushed further than this share of the height under its neighbour


@dataclass(frozen=True)
class ComposedNumber:
    """A number as one writer might have written it, and the gap between its digits."""

    text: str
    gap: float  # of ink to ink, as a share of the height; 0 where the digits touch
    strokes: list[np.ndarray]  # each (2, points) in pixels


def compose_numbers(digits: list[PenDigit], n: int, seed: int) -> list[ComposedNumber]:
    """``n`` numbers of two to five digits, spaced from generous to touching.

    The gaps run evenly from half of a digit's height down to none, and of every four numbers
    one touches. Sizes differ by up to a tenth, the base line by up to a twentieth. Raises
    ``ValueError`` when no writer has enough digits that are not suspect.
    """
    of_writer = defaultdict(list)
    for digit in digits:
        if not digit.suspect and digit.writer is not None:
            of_writer[digit.writer].append(digit)
    writers = sorted(one for one, own in of_writer.items() if len(own) >= max(LENGTHS))
    if not writers:
        raise ValueError(f"No writer in the file has as many as {max(LENGTHS)} sound digits.")
    random = np.random.default_rng(seed)
    numbers = []
    for number in range(n):
        own = of_writer[writers[random.integers(len(writers))]]
        chosen = random.choice(len(own), LENGTHS[random.integers(len(LENGTHS))], replace=False)
        gap = 0.0 if number % 4 == 3 else GENEROUS * (1 - number / n)
        numbers.append(_write([own[one] for one in chosen], gap, random))
    return numbers


def _write(digits: list[PenDigit], gap: float, random: np.random.Generator) -> ComposedNumber:
    strokes: list[np.ndarray] = []
    edge = np.full(round(2 * HEIGHT), -np.inf)  # how far right the ink reaches in each row
    for digit in digits:
        up = random.uniform(-0.05, 0.05) * HEIGHT
        moved = [
            one + np.array([[0.0], [up]])
            for one in place(digit.strokes, HEIGHT * random.uniform(0.9, 1.1), len(edge))
        ]
        ink = rasterize(moved, len(edge), len(edge), BRUSH) > 127
        first = np.where(ink.any(axis=1), ink.argmax(axis=1), np.inf)
        last = np.where(ink.any(axis=1), len(edge) - ink[:, ::-1].argmax(axis=1), -np.inf)
        shift = 0.0
        if strokes:
            # Ink that is to touch overlaps by a quarter of the pen, or it would only brush.
            shift = float((edge - first).max()) + (gap * HEIGHT if gap else -BRUSH / 4)
            nested = float(edge.max() - first.min()) - NESTED * HEIGHT
            shift = max(shift, nested)
        strokes += [one + np.array([[shift], [0.0]]) for one in moved]
        edge = np.maximum(edge, last + shift)
    points = np.concatenate(strokes, axis=1)
    corner = points.min(axis=1, keepdims=True) - 2 * BRUSH
    return ComposedNumber(
        "".join(str(digit.label) for digit in digits), gap, [one - corner for one in strokes]
    )


def score(file: str | Path, reader: Predict, n: int = 100, seed: int = 0) -> dict[str, Any]:
    """Read ``n`` composed numbers by their strokes, and again by their pixels alone.

    The result is fit for JSON: for either way how many numbers were read ``whole``, by spacing
    too, how many were ``unsure`` among the right and the wrong ones, and what the wrong ones
    were read as. Raises as ``read_strokes`` and ``compose`` do.
    """
    from digits.multidigit.from_pixels import from_ink  # scipy, which the server does without

    numbers = compose_numbers(read_pen_digits(file), n, seed)

    def pixels(number: ComposedNumber) -> Line:
        points = np.concatenate(number.strokes, axis=1)
        width, height = (np.ceil(points.max(axis=1)) + 2 * BRUSH).astype(int)
        return from_ink(rasterize(number.strokes, width, height, BRUSH))

    return {
        "numbers": n,
        "seed": seed,
        "strokes": _count(numbers, [from_strokes(one.strokes) for one in numbers], reader),
        "pixels": _count(numbers, [pixels(one) for one in numbers], reader),
    }


def _count(numbers: list[ComposedNumber], lines: list[Line], reader: Predict) -> dict[str, Any]:
    read_as = [decode([line], reader)[0] for line in lines]
    right = [one.text == number.text for one, number in zip(read_as, numbers, strict=True)]
    kinds = {"generous": (TIGHT, np.inf), "tight": (1e-9, TIGHT), "touching": (0, 1e-9)}
    spacing = {}
    for kind, (least, below) in kinds.items():
        these = [ok for ok, one in zip(right, numbers, strict=True) if least <= one.gap < below]
        spacing[kind] = {"whole": sum(these), "of": len(these)}
    unsure = [not one.sure for one in read_as]
    return {
        "whole": sum(right),
        "by_spacing": spacing,
        "unsure_right": sum(ok and doubt for ok, doubt in zip(right, unsure, strict=True)),
        "unsure_wrong": sum(doubt and not ok for ok, doubt in zip(right, unsure, strict=True)),
        "wrong": [
            {"is": number.text, "read": one.text, "gap": round(number.gap, 2), "sure": one.sure}
            for number, one, ok in zip(numbers, read_as, right, strict=True)
            if not ok
        ],
    }
