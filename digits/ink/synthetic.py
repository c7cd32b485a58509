"""Synthetic digits: handwriting variants that MNIST lacks, drawn from strokes.

MNIST was written by Americans about 1990. It has hardly any zeros with a slash, few sevens with a
bar and few ones with a foot, and models that have never seen one misclassify it.
"""

import functools

import numpy as np

from digits.ink.canvas import place, rasterize
from digits.ink.preprocessing import normalize

CANVAS_SIDE = 84  # pixels
DIGIT_SIDE = 60  # pixels of the longer side
PEN_WIDTHS = 3.0, 11.0  # pixels of the canvas: 1 to 3.1 of the 20×20 box

# Strokes are separated by |; points are in hundredths of the digit's height, x,y from the upper
# left. A point given twice is a corner; all others are rounded.
VARIANTS = {
    0: {
        "plain": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0",
        "slashed": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 66,-8 0,108",
        "slashed far through": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 80,-35 -15,135",
        "slashed within": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 50,16 14,84",
        "backslashed": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 8,10 56,90",
        "in one line with its slash": (
            "16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 30,2 62,2 62,2 4,95"
        ),
    },
    1: {
        "plain": "35,0 33,50 30,100",
        "flag": "5,30 20,18 36,0 36,0 34,50 32,100",
        "flag of its own": "35,0 33,50 30,100 | 34,2 20,14 6,20",
        "flag and foot": "6,26 34,0 34,0 33,98 | 6,100 62,98",
        "flag and foot in one line": "6,28 36,0 36,0 34,97 34,97 10,99 10,99 62,97",
        "foot": "35,0 33,50 30,100 | 4,100 58,100",
        "traced up and down": "24,90 34,5 34,5 32,100",
    },
    2: {
        "sharp": "4,24 16,5 42,0 56,18 46,48 20,80 0,98 0,98 30,96 64,98",
        "looped": "6,22 20,3 46,4 54,28 36,66 12,94 2,90 10,80 28,88 64,98",
        "swan": "8,30 10,10 34,0 54,16 42,56 8,94 8,94 30,90 46,100 66,94",
    },
    3: {
        "round": "6,14 26,0 52,10 48,36 22,46 22,46 50,54 60,78 38,99 2,90",
        "flat": "4,3 30,2 58,2 58,2 26,40 26,40 54,54 56,84 30,100 0,90",
        "looped": "8,12 30,0 52,14 40,40 20,48 16,42 30,44 54,58 54,86 28,100 0,90",
    },
    4: {
        "open": "10,2 6,30 4,54 4,54 30,55 64,52 | 50,16 48,60 44,100",
        "closed": "48,0 24,34 0,68 0,68 34,68 68,66 | 48,0 48,50 47,100",
        "closed in one line": "60,70 30,70 0,68 0,68 26,34 50,0 50,0 48,50 46,100",
        "lightning": "34,0 16,30 0,62 0,62 30,62 62,60 | 40,36 36,70 32,100",
        "round": "6,2 4,26 18,46 40,42 54,24 | 56,0 52,50 48,100",
        "looped": "30,0 12,30 2,60 16,70 42,60 50,42 40,40 36,60 36,100",
    },
    5: {
        "two strokes": "14,0 12,20 10,42 10,42 34,38 56,56 52,86 26,100 0,92 | 14,2 36,2 60,0",
        "one line": "60,0 36,1 14,2 14,2 10,42 10,42 36,38 56,58 50,88 24,100 0,90",
        "like an S": "58,2 30,4 12,20 20,42 44,54 52,78 32,98 2,92",
    },
    6: {
        "curved": "46,0 20,24 3,62 14,94 38,98 54,78 42,56 20,60 6,76",
        "straight": "30,0 16,34 4,72 16,97 42,94 52,74 36,58 10,70",
        "small bowl": "34,0 8,40 4,86 20,100 38,90 36,74 20,70 6,80",
    },
    7: {
        "plain": "0,6 0,6 30,2 62,2 62,2 42,45 28,100",
        "barred": "0,6 0,6 30,2 62,2 62,2 42,45 28,100 | 16,50 36,49 62,47",
        "serif": "3,20 2,4 2,4 30,2 62,2 62,2 42,45 28,100",
        "serif and bar": "3,20 2,4 2,4 30,2 62,2 62,2 42,45 28,100 | 16,52 60,48",
        "curved": "0,10 14,2 34,7 58,2 54,20 34,54 26,100",
    },
    8: {
        "one line": "50,14 30,0 10,16 28,44 52,70 34,99 6,82 24,50 48,26 44,8",
        "two rings": "30,46 10,24 30,0 50,22 32,46 | 30,46 4,72 28,100 54,76 30,46",
        "from its middle": "30,46 10,22 30,0 50,20 30,46 6,76 28,100 54,76 32,48",
        "open": "56,6 30,2 10,18 28,44 50,72 28,99 6,80 28,46 60,14",
    },
    9: {
        "straight": "52,14 30,0 6,18 14,44 36,44 54,12 54,12 50,60 46,100",
        "curved": "52,16 28,0 6,18 16,44 38,42 54,10 54,10 56,60 44,92 20,100 2,90",
        "small ring": "50,10 30,2 18,14 28,28 48,20 52,4 52,4 54,66 42,96 14,98 0,86",
        "ring and stem": "46,10 26,0 6,20 22,46 46,30 44,8 | 50,2 48,50 44,100",
    },
}


@functools.lru_cache(maxsize=2)
def generate(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``n`` digits in all variants: images (n, 28, 28) uint8, labels (n,) uint8.

    All digits are equally frequent, and so are all variants of a digit. Points, shear, aspect,
    rotation and pen are random. A thousand take a second, so the latest are cached.
    """
    variants = {digit: [parse(text) for text in VARIANTS[digit].values()] for digit in range(10)}
    random = np.random.default_rng(seed)
    y = (np.arange(n) % 10).astype(np.uint8)
    x = np.empty((n, 28, 28), np.uint8)
    for index, digit in enumerate(y.tolist()):
        variant = variants[digit][random.integers(len(variants[digit]))]
        x[index] = draw_digit(variant, random)
    return x, y


def draw_digit(variant: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """One digit of a parsed variant, with random geometry and pen: (28, 28) uint8."""
    placed = place(vary(variant, random), DIGIT_SIDE, CANVAS_SIDE)
    return normalize(rasterize(placed, CANVAS_SIDE, CANVAS_SIDE, random.uniform(*PEN_WIDTHS)))


def vary(variant: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """The strokes of a parsed variant as a hand might write them: (2, points) each, rounded."""
    aspect, shear = np.exp(random.normal(0.05, 0.22)), random.normal(0.05, 0.18)
    transform = rotation(random.normal(0, 0.1)) @ np.array([[aspect, -shear], [0.0, 1.0]])
    strokes: list[np.ndarray] = []
    for points in variant:  # (2, points)
        corner = np.concatenate([[False], (points[:, 1:] == points[:, :-1]).all(axis=0)])
        noise = random.normal(0, 0.035, points.shape)
        noise[:, corner] = noise[:, np.flatnonzero(corner) - 1]  # a corner stays one
        middle = points.mean(axis=1, keepdims=True)
        shift = 0.03
        if strokes:  # a bar, a slash or a stem varies in length, slope and place
            shift = 0.05
            change = rotation(random.normal(0, 0.15)) * np.exp(random.normal(0.05, 0.2))
            points = change @ (points - middle) + middle
        points = points + noise + random.normal(0, shift, (2, 1))
        strokes.append(transform @ _rounded(points))
    return strokes


def parse(variant: str) -> list[np.ndarray]:
    """The strokes of a variant, each (2, points), y downward; a digit is 1 high."""
    strokes = [[point.split(",") for point in stroke.split()] for stroke in variant.split("|")]
    return [np.array(stroke, float).T / 100 for stroke in strokes]


def rotation(angle: float) -> np.ndarray:
    """The (2, 2) rotation by an angle in radians."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _rounded(points: np.ndarray) -> np.ndarray:
    """A smooth line through (2, k) points. Source: E. Catmull, R. Rom 1974."""
    ends = np.concatenate([points[:, :1], points, points[:, -1:]], axis=1)
    t = np.linspace(0, 1, 9)[1:]
    line = [points[:, :1]]
    for k in range(points.shape[1] - 1):
        a, b, c, d = (ends[:, [k + i]] for i in range(4))
        square, cube = 2 * a - 5 * b + 4 * c - d, 3 * b - a - 3 * c + d
        line.append(0.5 * (2 * b + (c - a) * t + square * t**2 + cube * t**3))
    return np.concatenate(line, axis=1)
