"""Numbers whose digits are known, as lines of pieces: MNIST's digits and synthetic ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from digits.data import datasets
from digits.ink import synthetic
from digits.ink.canvas import rasterize
from digits.ink.pen_digits import PenDigit
from digits.ink.preprocessing import crop
from digits.multidigit.benchmark import BRUSH, compose_numbers
from digits.multidigit.decode import Box, Line, union
from digits.multidigit.from_pixels import from_ink
from digits.multidigit.from_strokes import from_strokes


@dataclass(frozen=True)
class Truth:
    """One digit of a number, as it looks without the others, and its box."""

    image: np.ndarray  # (28, 28) uint8
    box: Box


def _truth(line: Line) -> Truth:
    return Truth(line.picture(range(len(line.boxes))), union(line.boxes))


def synthetic_digits(writers: int, seed: int) -> list[PenDigit]:
    """Twelve digits of each of a number of writers."""
    random = np.random.default_rng(seed)
    digits = []
    for writer in range(writers):
        for label in random.integers(10, size=12).tolist():
            variants = list(synthetic.VARIANTS[label].values())
            variant = synthetic.parse(variants[random.integers(len(variants))])
            digits.append(PenDigit(label, synthetic.vary(variant, random), writer=writer))
    return digits


def by_strokes(n: int, seed: int) -> Iterator[tuple[Line, list[Truth]]]:
    for number in compose_numbers(synthetic_digits(n, seed), n, seed):
        yield from_strokes(number.strokes), [_truth(from_strokes(part)) for part in number.digits]


def by_pixels(n: int, seed: int) -> Iterator[tuple[Line, list[Truth]]]:
    random = np.random.default_rng(seed)
    for number in compose_numbers(synthetic_digits(n, seed), n, seed):
        scale = random.uniform(0.45, 0.7)
        brush = BRUSH * scale * random.uniform(0.4, 1.3)
        digits = [[scale * stroke for stroke in part] for part in number.digits]
        points = np.concatenate([stroke for part in digits for stroke in part], axis=1)
        width, height = (np.ceil(points.max(axis=1)) + 2 * BRUSH).astype(int)
        inks = [rasterize(part, width, height, brush) for part in digits]
        yield from_ink(np.max(inks, axis=0)), [_truth(from_ink(ink)) for ink in inks]


def of_images(n: int, seed: int) -> Iterator[tuple[Line, list[Truth]]]:
    """Numbers of two to four MNIST images, every other of which touch."""
    images = datasets.load("mnist").x_train
    random = np.random.default_rng(seed)
    for index in range(n):
        gap = 0 if index % 2 else random.uniform(0, 25)
        placed: list[np.ndarray] = []
        edge = np.full(100, -np.inf)
        lefts = []
        for pick in random.integers(len(images), size=random.integers(2, 5)):
            digit = Image.fromarray(crop(images[pick]))
            height = round(64 * random.uniform(0.9, 1.1))
            size = round(digit.width * height / digit.height), height
            if size[0] > 1.3 * height:
                continue
            ink = np.zeros((100, size[0]), np.uint8)
            top = random.integers(12, 22)
            ink[top : top + height] = np.asarray(digit.resize(size, Image.Resampling.BICUBIC))
            mask = ink > 127
            first = np.where(mask.any(axis=1), mask.argmax(axis=1), np.inf)
            last = np.where(mask.any(axis=1), size[0] - mask[:, ::-1].argmax(axis=1), -np.inf)
            left = 0
            if placed:
                left = round(max((edge - first).max() + (gap or -2), edge.max() - 0.2 * height))
            edge = np.maximum(edge, last + left)
            placed.append(ink)
            lefts.append(left)
        start = min(lefts)
        right = max(left + ink.shape[1] for left, ink in zip(lefts, placed, strict=True))
        inks = np.zeros((len(placed), 100, right - start + 8), np.uint8)
        for ink, part, left in zip(inks, placed, lefts, strict=True):
            ink[:, 4 + left - start : 4 + left - start + part.shape[1]] = part
        yield from_ink(inks.max(axis=0)), [_truth(from_ink(ink)) for ink in inks]


NUMBERS = {"strokes": by_strokes, "pixels": by_pixels, "images": of_images}
