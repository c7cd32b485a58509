"""Synthetic digits: the forms in which people write digits, drawn from strokes.

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
SPACING = 0.03  # between the points of a line; a digit is 1 high

# Strokes are separated by |; points are in hundredths of the digit's height, x,y from the upper
# left. A point given twice is a corner; all others are rounded.
VARIANTS = {
    0: {
        "plain": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0",
        "clockwise": "20,6 44,2 60,30 58,74 34,99 10,84 2,46 12,14 30,3",
        "open at the top": "28,2 10,18 2,54 14,90 34,99 54,84 62,46 50,10 44,4",
        "open at the side": "56,22 42,2 18,8 3,42 10,84 34,99 56,82 62,42",
        "overshooting": "46,6 24,0 5,30 6,76 30,99 54,86 61,48 50,12 24,4 8,18",
        "with a curl": "50,10 28,2 6,28 5,72 28,98 54,84 60,44 46,8 30,8 38,22 68,6",
        "with a tail inward": "34,2 10,16 2,56 18,95 46,94 62,56 52,12 32,4 28,24",
        "pointed": "36,0 36,0 12,34 4,72 24,98 46,92 56,60 50,24 34,2",
        "square": "12,3 3,20 2,80 12,97 48,98 60,82 61,18 50,3 10,2",
        "slashed": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 66,-8 0,108",
        "slashed far through": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 80,-35 -15,135",
        "slashed within": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 50,16 14,84",
        "backslashed": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 8,10 56,90",
        "slashed flat": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 76,34 -10,66",
        "dotted": "40,2 16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 | 31,46 33,54",
        "in one line with its slash": (
            "16,10 3,42 8,80 30,98 52,88 62,50 53,14 34,0 30,2 62,2 62,2 4,95"
        ),
        "slashed without lifting": "38,2 12,14 3,50 10,86 32,98 54,82 62,44 58,8 58,8 4,94",
    },
    1: {
        "plain": "35,0 33,50 30,100",
        "curved": "40,0 32,30 31,70 38,100",
        "flag": "5,30 20,18 36,0 36,0 34,50 32,100",
        "short flag": "20,12 36,0 36,0 34,50 33,100",
        "long flag": "0,56 18,34 38,0 38,0 37,50 36,100",
        "flag of its own": "35,0 33,50 30,100 | 34,2 20,14 6,20",
        "flag and foot": "6,26 34,0 34,0 33,98 | 6,100 62,98",
        "flag and long foot": "8,28 36,0 36,0 35,98 | -14,100 86,98",
        "flag and foot in one line": "6,28 36,0 36,0 34,97 34,97 10,99 10,99 62,97",
        "flag and foot to the right": "10,24 32,0 32,0 30,98 30,98 64,97",
        "foot": "35,0 33,50 30,100 | 4,100 58,100",
        "serif and foot": "12,4 34,0 34,0 34,98 | 14,99 54,99",
        "hook below": "32,0 30,50 31,90 40,98 52,88",
        "traced up and down": "24,90 34,5 34,5 32,100",
    },
    2: {
        "sharp": "4,24 16,5 42,0 56,18 46,48 20,80 0,98 0,98 30,96 64,98",
        "looped": "6,22 20,3 46,4 54,28 36,66 12,94 2,90 10,80 28,88 64,98",
        "large loop": "4,26 22,2 50,8 50,38 28,74 6,98 -6,84 10,68 32,84 50,98 70,86",
        "loop on the line": "6,20 24,2 50,8 52,34 32,68 14,92 2,98 2,86 20,90 66,97",
        "swan": "8,30 10,10 34,0 54,16 42,56 8,94 8,94 30,90 46,100 66,94",
        "like a Z": "6,6 24,2 56,4 56,4 34,48 2,96 2,96 30,95 64,97",
        "curled": "22,30 8,24 14,6 38,0 56,16 46,46 22,76 2,97 2,97 66,95",
        "round": "2,22 22,0 52,6 60,30 46,54 18,72 4,98 4,98 34,94 64,99",
        "wave below": "6,20 26,0 50,10 50,34 28,66 4,90 4,90 18,82 38,94 54,98 68,86",
        "straight back": "8,16 30,0 54,14 54,14 2,99 2,99 64,96",
        "rising foot": "6,20 28,0 52,12 46,44 4,98 4,98 34,94 68,76",
    },
    3: {
        "round": "6,14 26,0 52,10 48,36 22,46 22,46 50,54 60,78 38,99 2,90",
        "flat": "4,3 30,2 58,2 58,2 26,40 26,40 54,54 56,84 30,100 0,90",
        "flat with a serif": "6,16 5,2 5,2 58,2 58,2 30,38 30,38 56,52 58,82 30,100 2,88",
        "flat, without a corner": "4,4 30,2 54,4 44,24 28,38 50,46 60,72 42,96 8,96",
        "looped": "8,12 30,0 52,14 40,40 20,48 16,42 30,44 54,58 54,86 28,100 0,90",
        "large loop": "10,14 32,0 52,12 44,34 16,52 8,42 22,36 46,54 56,78 36,99 4,92",
        "shallow": "8,6 36,0 52,14 50,34 36,46 36,46 52,58 54,82 34,99 4,94",
        "deep": "2,12 30,0 58,10 52,34 6,48 6,48 54,54 62,80 36,99 -2,92",
        "large below": "14,8 32,0 46,10 40,26 22,34 22,34 54,44 64,72 42,98 2,94",
        "large above": "4,16 26,0 56,10 58,34 28,56 28,56 48,62 50,84 30,99 6,92",
        "curled ends": "14,22 6,12 24,0 50,8 46,34 24,46 24,46 52,54 56,84 28,100 4,88 14,76",
        "two bows": "6,10 34,0 56,22 26,47 26,47 24,48 60,70 36,99 2,90",
    },
    4: {
        "open": "10,2 6,30 4,54 4,54 30,55 64,52 | 50,16 48,60 44,100",
        "open, leaning": "26,0 14,28 0,60 0,60 34,60 66,58 | 52,20 46,60 40,100",
        "open, equal stems": "8,0 6,28 5,52 5,52 30,53 54,52 | 56,0 55,50 54,100",
        "closed": "48,0 24,34 0,68 0,68 34,68 68,66 | 48,0 48,50 47,100",
        "closed in one line": "60,70 30,70 0,68 0,68 26,34 50,0 50,0 48,50 46,100",
        "down first": "46,100 48,50 48,0 48,0 2,66 2,66 70,66",
        "with a foot": "46,0 2,66 2,66 68,66 | 48,0 48,98 | 30,100 66,100",
        "long bar": "36,0 16,30 -8,62 -8,62 34,62 86,60 | 44,30 42,70 40,100",
        "short stem": "40,0 0,62 0,62 70,62 | 44,40 42,100",
        "lightning": "34,0 16,30 0,62 0,62 30,62 62,60 | 40,36 36,70 32,100",
        "one stroke, open": "12,2 2,50 2,50 52,48 52,48 60,12 60,12 48,100",
        "round": "6,2 4,26 18,46 40,42 54,24 | 56,0 52,50 48,100",
        "round in one line": "6,2 4,28 18,48 40,42 54,6 54,6 50,50 46,100",
        "looped": "30,0 12,30 2,60 16,70 42,60 50,42 40,40 36,60 36,100",
        "looped at its corner": "30,0 14,32 2,56 4,68 16,62 40,58 66,56 | 50,24 46,60 42,100",
        "three strokes": "22,0 12,30 2,60 | 2,60 34,60 66,58 | 44,26 42,60 40,100",
    },
    5: {
        "two strokes": "14,0 12,20 10,42 10,42 34,38 56,56 52,86 26,100 0,92 | 14,2 36,2 60,0",
        "detached bar": "14,4 12,22 10,44 10,44 36,38 56,58 50,88 24,100 0,92 | 24,-4 46,-6 70,-8",
        "long bar": "14,2 10,42 10,42 36,38 56,58 50,88 24,100 0,92 | 6,2 44,1 90,-4",
        "bar through": "16,0 12,40 12,40 36,36 56,56 50,86 26,100 2,92 | -4,6 30,4 62,2",
        "rising bar": "14,10 10,46 10,46 36,42 54,60 48,88 22,100 0,92 | 14,10 38,2 62,-8",
        "one line": "60,0 36,1 14,2 14,2 10,42 10,42 36,38 56,58 50,88 24,100 0,90",
        "angular": "58,0 12,2 12,2 6,46 6,46 50,44 50,44 52,94 52,94 0,98",
        "without a neck": "60,0 30,3 12,10 8,34 30,40 54,54 54,82 30,99 0,92",
        "like an S": "58,2 30,4 12,20 20,42 44,54 52,78 32,98 2,92",
        "long neck": "54,0 18,2 18,2 8,54 8,54 30,50 46,64 42,88 22,99 0,94",
        "large bow": "52,0 18,2 18,2 12,30 12,30 40,26 64,50 58,84 28,100 -4,88",
        "curled end": "58,0 16,2 16,2 12,40 12,40 38,38 54,58 46,88 20,98 2,84 12,74",
        "straight end": "58,0 16,2 16,2 10,40 10,40 42,42 50,62 34,84 0,100",
    },
    6: {
        "curved": "46,0 20,24 3,62 14,94 38,98 54,78 42,56 20,60 6,76",
        "hooked": "54,12 42,0 18,16 2,58 12,94 38,98 54,76 40,54 16,58 4,72",
        "straight": "30,0 16,34 4,72 16,97 42,94 52,74 36,58 10,70",
        "upright": "10,0 6,40 4,78 20,99 46,92 52,68 32,54 6,70",
        "small bowl": "34,0 8,40 4,86 20,100 38,90 36,74 20,70 6,80",
        "large bowl": "44,0 14,22 2,60 16,96 46,94 60,64 44,36 16,42 2,62",
        "open bowl": "44,0 16,26 2,66 18,97 44,92 52,70 36,58 22,66",
        "crossing bowl": "46,0 18,26 4,66 16,96 44,94 54,72 36,56 10,66 -8,80",
        "curled bowl": "42,0 14,26 2,66 16,98 44,94 52,72 34,58 18,70 26,84",
        "wide": "60,2 24,18 2,60 20,97 60,98 76,76 56,58 20,64 4,78",
        "slanting": "62,0 30,30 6,66 8,94 30,98 46,78 36,62 18,70 8,82",
    },
    7: {
        "plain": "0,6 0,6 30,2 62,2 62,2 42,45 28,100",
        "flat": "0,4 40,3 78,2 78,2 44,50 10,100",
        "barred": "0,6 0,6 30,2 62,2 62,2 42,45 28,100 | 16,50 36,49 62,47",
        "long bar": "2,4 60,2 60,2 42,45 30,100 | 4,54 38,50 78,46",
        "slanting bar": "0,6 30,2 62,2 62,2 42,45 28,100 | 20,62 58,40",
        "barred without lifting": "2,4 60,2 60,2 42,46 28,99 28,99 10,54 10,54 60,46",
        "serif": "3,20 2,4 2,4 30,2 62,2 62,2 42,45 28,100",
        "long serif": "4,34 4,2 4,2 58,2 58,2 38,45 28,100",
        "serif and bar": "3,20 2,4 2,4 30,2 62,2 62,2 42,45 28,100 | 16,52 60,48",
        "curved": "0,10 14,2 34,7 58,2 54,20 34,54 26,100",
        "wave": "0,14 8,2 26,8 44,10 62,0 62,0 42,40 32,100",
        "hollow": "2,4 30,3 60,2 60,2 34,30 24,62 22,100",
        "bulging": "2,4 36,0 54,8 54,36 40,72 26,100",
    },
    8: {
        "one line": "50,14 30,0 10,16 28,44 52,70 34,99 6,82 24,50 48,26 44,8",
        "the other way": "12,16 30,0 52,14 36,42 8,70 24,99 54,84 38,50 12,28 14,10",
        "two rings": "30,46 10,24 30,0 50,22 32,46 | 30,46 4,72 28,100 54,76 30,46",
        "rings apart": "30,42 12,24 30,0 48,22 32,42 | 30,54 6,76 30,100 54,76 32,54",
        "rings aside": "36,48 18,26 34,0 54,20 40,46 | 24,46 2,74 22,100 46,78 28,48",
        "from its middle": "30,46 10,22 30,0 50,20 30,46 6,76 28,100 54,76 32,48",
        "open": "56,6 30,2 10,18 28,44 50,72 28,99 6,80 28,46 60,14",
        "wide open": "62,10 36,0 12,14 24,42 48,68 32,98 6,86 20,58 56,30",
        "straight back": "50,10 28,0 10,18 28,44 50,74 28,99 6,80 6,80 56,10",
        "hourglass": "6,4 30,2 54,4 54,4 8,96 8,96 32,98 54,95 54,95 6,4",
        "large below": "42,12 28,0 16,12 26,34 58,66 34,99 2,76 22,40 42,20 38,6",
        "large above": "56,20 30,0 4,22 26,58 44,80 30,99 14,84 26,60 56,30 52,12",
        "crossed at the top": "36,8 12,12 14,32 44,60 48,88 22,99 8,78 26,50 46,22 52,-6",
    },
    9: {
        "straight": "52,14 30,0 6,18 14,44 36,44 54,12 54,12 50,60 46,100",
        "curved": "52,16 28,0 6,18 16,44 38,42 54,10 54,10 56,60 44,92 20,100 2,90",
        "small ring": "50,10 30,2 18,14 28,28 48,20 52,4 52,4 54,66 42,96 14,98 0,86",
        "large ring": "56,20 34,0 4,24 10,58 36,62 56,30 56,30 54,70 46,100",
        "ring and stem": "46,10 26,0 6,20 22,46 46,30 44,8 | 50,2 48,50 44,100",
        "stem apart": "42,8 22,2 4,22 16,44 38,36 46,18 | 58,0 54,50 50,100",
        "open ring": "46,2 18,6 4,28 20,48 44,36 54,6 54,6 50,60 46,100",
        "without a corner": "46,30 20,46 6,24 24,2 48,10 50,34 42,68 26,100",
        "clockwise": "46,40 18,42 8,20 28,0 52,14 54,44 44,80 22,100",
        "crossing ring": "60,6 30,0 6,20 16,46 42,42 56,20 50,0 50,0 50,60 44,100",
        "looped tail": "52,14 28,0 6,20 18,44 42,36 52,10 52,10 50,66 30,99 8,90 16,74 62,62",
        "slanting tail": "48,10 26,0 8,20 20,42 42,32 50,8 50,8 34,54 4,100",
        "tail to the right": "48,12 26,0 6,20 18,44 42,34 50,8 50,8 50,60 52,92 66,98",
    },
}


@functools.lru_cache(maxsize=2)
def generate(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``n`` digits in all variants: images (n, 28, 28) uint8, labels (n,) uint8.

    All digits are equally frequent, and so are all variants of a digit. Hand, geometry and pen are
    random. A thousand take three seconds, so the latest are cached.
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
    """The strokes of a parsed variant as a hand might write them: (2, points) each, rounded.

    What one hand does to all of them alike is drawn first: how neat, how fast, how shaky it is,
    how it leans, bends and stretches.
    """
    neatness = np.exp(random.normal(0, 0.35))
    speed, tremor = random.gamma(1.0, 0.025), random.exponential(0.006)
    aspect, shear = np.exp(random.normal(0.05, 0.24)), random.normal(0.07, 0.21)
    transform = rotation(random.normal(0, 0.1)) @ np.array([[aspect, -shear], [0.0, 1.0]])
    bend = random.normal(0, 0.12, (2, 3))
    step = int(random.integers(2, 8)) if random.random() < 0.3 else 1  # coarse sampling
    strokes: list[np.ndarray] = []
    for points in variant:  # (2, points)
        corner = np.concatenate([[False], (points[:, 1:] == points[:, :-1]).all(axis=0)])
        noise = random.normal(0, 0.032 * neatness, points.shape)
        noise[:, corner] = noise[:, np.flatnonzero(corner) - 1]  # a corner stays one
        shift = 0.03
        if strokes:  # a bar, a slash or a stem varies in length, slope and place
            shift = 0.05
            middle = points.mean(axis=1, keepdims=True)
            change = rotation(random.normal(0, 0.15)) * np.exp(random.normal(0.05, 0.2))
            points = change @ (points - middle) + middle
        points = points + noise + random.normal(0, shift * neatness, (2, 1))
        line = _resampled(_rounded(points), random)
        line = _hurried(line, speed) + _shake(line.shape, tremor, random)
        line = line[:, np.unique(np.r_[0 : line.shape[1] : step, line.shape[1] - 1])]
        x, y = line - [[0.3], [0.5]]
        strokes.append(transform @ (line + bend @ np.array([x * x, x * y, y * y])))
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


def _resampled(line: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A (2, k) line, begun and ended a little early or late: (2, points), evenly spaced."""
    line = line[:, np.append(True, np.diff(line).any(axis=0))]
    last = line.shape[1] - 1
    if not last:
        return line
    near = min(3, last)
    head, tail = 2 * line[:, :1] - line[:, [near]], 2 * line[:, -1:] - line[:, [last - near]]
    line = np.hstack([head, line, tail])
    length = np.append(0, np.hypot(*np.diff(line)).cumsum())
    low, high = length[1], length[-2]
    start, stop = np.array([low, high]) + random.normal(0, 0.04 * min(high - low, 1), 2)
    at = np.linspace(start, stop, max(3, round((high - low) / SPACING)))
    return np.array([np.interp(at, length, row) for row in line])


def _hurried(line: np.ndarray, speed: float) -> np.ndarray:
    """A (2, points) line whose corners and bends are cut, over ``speed`` on either side."""
    reach = min(round(3 * speed / SPACING), line.shape[1] - 1)
    if reach < 1:
        return line
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * SPACING / speed) ** 2)
    before, after = line[:, reach:0:-1], line[:, -2 : -2 - reach : -1]
    whole = np.hstack([2 * line[:, :1] - before, line, 2 * line[:, -1:] - after])
    return np.array([np.convolve(row, weights / weights.sum(), "valid") for row in whole])


def _shake(shape: tuple[int, ...], tremor: float, random: np.random.Generator) -> np.ndarray:
    """The trembling of a hand along a (2, points) line."""
    noise = random.normal(0, tremor, (2, shape[1] + 4))
    return np.array([np.convolve(row, [0.2, 0.5, 0.7, 0.5, 0.2], "valid") for row in noise])
