"""Digits written by nobody: the forms in which people write them, drawn from strokes.

MNIST was written by Americans about 1990. It has hardly any zeros with a slash, few sevens with a
bar and few ones with a foot, and readers that have never seen one take it for something else.
"""

import functools

import numpy as np

from digits.drawing import normalize
from digits.strokes import draw, place

SIDE = 84  # pixels of the sheet on which one is drawn,
LONGER = 60  # and of its longer side
PENS = 3.0, 11.0  # width of the line in these pixels: 1 to 3.1 of the 20×20

Point = tuple[float, float]  # to the right and down; a digit is 1 high
Form = list[list[Point]]  # strokes; a point given twice is a corner, all others are rounded

OVAL = [(0.4, 0.02), (0.16, 0.1), (0.03, 0.42), (0.08, 0.8), (0.3, 0.98), (0.52, 0.88),
        (0.62, 0.5), (0.53, 0.14), (0.34, 0.0)]  # fmt: skip
STEM = [(0.35, 0.0), (0.33, 0.5), (0.3, 1.0)]
HOOK = [(0.0, 0.06), (0.0, 0.06), (0.3, 0.02), (0.62, 0.02), (0.62, 0.02), (0.42, 0.45),
        (0.28, 1.0)]  # fmt: skip

FORMS: dict[int, dict[str, Form]] = {
    0: {
        "plain": [OVAL],
        "slashed": [OVAL, [(0.66, -0.08), (0.0, 1.08)]],
        "slashed far through": [OVAL, [(0.8, -0.35), (-0.15, 1.35)]],
        "slashed within": [OVAL, [(0.5, 0.16), (0.14, 0.84)]],
        "backslashed": [OVAL, [(0.08, 0.1), (0.56, 0.9)]],
        "in one line with its slash": [[*OVAL[1:], (0.3, 0.02), (0.62, 0.02), (0.62, 0.02),
                                        (0.04, 0.95)]],
    },
    1: {
        "plain": [STEM],
        "flag": [[(0.05, 0.3), (0.2, 0.18), (0.36, 0.0), (0.36, 0.0), (0.34, 0.5), (0.32, 1.0)]],
        "flag of its own": [STEM, [(0.34, 0.02), (0.2, 0.14), (0.06, 0.2)]],
        "flag and foot": [[(0.06, 0.26), (0.34, 0.0), (0.34, 0.0), (0.33, 0.98)],
                          [(0.06, 1.0), (0.62, 0.98)]],
        "flag and foot in one line": [[(0.06, 0.28), (0.36, 0.0), (0.36, 0.0), (0.34, 0.97),
                                       (0.34, 0.97), (0.1, 0.99), (0.1, 0.99), (0.62, 0.97)]],
        "foot": [STEM, [(0.04, 1.0), (0.58, 1.0)]],
        "traced up and down": [[(0.24, 0.9), (0.34, 0.05), (0.34, 0.05), (0.32, 1.0)]],
    },
    2: {
        "sharp": [[(0.04, 0.24), (0.16, 0.05), (0.42, 0.0), (0.56, 0.18), (0.46, 0.48), (0.2, 0.8),
                   (0.0, 0.98), (0.0, 0.98), (0.3, 0.96), (0.64, 0.98)]],
        "looped": [[(0.06, 0.22), (0.2, 0.03), (0.46, 0.04), (0.54, 0.28), (0.36, 0.66),
                    (0.12, 0.94), (0.02, 0.9), (0.1, 0.8), (0.28, 0.88), (0.64, 0.98)]],
        "swan": [[(0.08, 0.3), (0.1, 0.1), (0.34, 0.0), (0.54, 0.16), (0.42, 0.56), (0.08, 0.94),
                  (0.08, 0.94), (0.3, 0.9), (0.46, 1.0), (0.66, 0.94)]],
    },
    3: {
        "round": [[(0.06, 0.14), (0.26, 0.0), (0.52, 0.1), (0.48, 0.36), (0.22, 0.46),
                   (0.22, 0.46), (0.5, 0.54), (0.6, 0.78), (0.38, 0.99), (0.02, 0.9)]],
        "flat": [[(0.04, 0.03), (0.3, 0.02), (0.58, 0.02), (0.58, 0.02), (0.26, 0.4), (0.26, 0.4),
                  (0.54, 0.54), (0.56, 0.84), (0.3, 1.0), (0.0, 0.9)]],
        "looped": [[(0.08, 0.12), (0.3, 0.0), (0.52, 0.14), (0.4, 0.4), (0.2, 0.48), (0.16, 0.42),
                    (0.3, 0.44), (0.54, 0.58), (0.54, 0.86), (0.28, 1.0), (0.0, 0.9)]],
    },
    4: {
        "open": [[(0.1, 0.02), (0.06, 0.3), (0.04, 0.54), (0.04, 0.54), (0.3, 0.55), (0.64, 0.52)],
                 [(0.5, 0.16), (0.48, 0.6), (0.44, 1.0)]],
        "closed": [[(0.48, 0.0), (0.24, 0.34), (0.0, 0.68), (0.0, 0.68), (0.34, 0.68),
                    (0.68, 0.66)],
                   [(0.48, 0.0), (0.48, 0.5), (0.47, 1.0)]],
        "closed in one line": [[(0.6, 0.7), (0.3, 0.7), (0.0, 0.68), (0.0, 0.68), (0.26, 0.34),
                                (0.5, 0.0), (0.5, 0.0), (0.48, 0.5), (0.46, 1.0)]],
        "lightning": [[(0.34, 0.0), (0.16, 0.3), (0.0, 0.62), (0.0, 0.62), (0.3, 0.62),
                       (0.62, 0.6)],
                      [(0.4, 0.36), (0.36, 0.7), (0.32, 1.0)]],
        "round": [[(0.06, 0.02), (0.04, 0.26), (0.18, 0.46), (0.4, 0.42), (0.54, 0.24)],
                  [(0.56, 0.0), (0.52, 0.5), (0.48, 1.0)]],
        "looped": [[(0.3, 0.0), (0.12, 0.3), (0.02, 0.6), (0.16, 0.7), (0.42, 0.6), (0.5, 0.42),
                    (0.4, 0.4), (0.36, 0.6), (0.36, 1.0)]],
    },
    5: {
        "two strokes": [[(0.14, 0.0), (0.12, 0.2), (0.1, 0.42), (0.1, 0.42), (0.34, 0.38),
                         (0.56, 0.56), (0.52, 0.86), (0.26, 1.0), (0.0, 0.92)],
                        [(0.14, 0.02), (0.36, 0.02), (0.6, 0.0)]],
        "one line": [[(0.6, 0.0), (0.36, 0.01), (0.14, 0.02), (0.14, 0.02), (0.1, 0.42),
                      (0.1, 0.42), (0.36, 0.38), (0.56, 0.58), (0.5, 0.88), (0.24, 1.0),
                      (0.0, 0.9)]],
        "like an S": [[(0.58, 0.02), (0.3, 0.04), (0.12, 0.2), (0.2, 0.42), (0.44, 0.54),
                       (0.52, 0.78), (0.32, 0.98), (0.02, 0.92)]],
    },
    6: {
        "curved": [[(0.46, 0.0), (0.2, 0.24), (0.03, 0.62), (0.14, 0.94), (0.38, 0.98),
                    (0.54, 0.78), (0.42, 0.56), (0.2, 0.6), (0.06, 0.76)]],
        "straight": [[(0.3, 0.0), (0.16, 0.34), (0.04, 0.72), (0.16, 0.97), (0.42, 0.94),
                      (0.52, 0.74), (0.36, 0.58), (0.1, 0.7)]],
        "small bowl": [[(0.34, 0.0), (0.08, 0.4), (0.04, 0.86), (0.2, 1.0), (0.38, 0.9),
                        (0.36, 0.74), (0.2, 0.7), (0.06, 0.8)]],
    },
    7: {
        "plain": [HOOK],
        "barred": [HOOK, [(0.16, 0.5), (0.36, 0.49), (0.62, 0.47)]],
        "serif": [[(0.03, 0.2), (0.02, 0.04), (0.02, 0.04), *HOOK[2:]]],
        "serif and bar": [[(0.03, 0.2), (0.02, 0.04), (0.02, 0.04), *HOOK[2:]],
                          [(0.16, 0.52), (0.6, 0.48)]],
        "curved": [[(0.0, 0.1), (0.14, 0.02), (0.34, 0.07), (0.58, 0.02), (0.54, 0.2), (0.34, 0.54),
                    (0.26, 1.0)]],
    },
    8: {
        "one line": [[(0.5, 0.14), (0.3, 0.0), (0.1, 0.16), (0.28, 0.44), (0.52, 0.7), (0.34, 0.99),
                      (0.06, 0.82), (0.24, 0.5), (0.48, 0.26), (0.44, 0.08)]],
        "two rings": [[(0.3, 0.46), (0.1, 0.24), (0.3, 0.0), (0.5, 0.22), (0.32, 0.46)],
                      [(0.3, 0.46), (0.04, 0.72), (0.28, 1.0), (0.54, 0.76), (0.3, 0.46)]],
        "from its middle": [[(0.3, 0.46), (0.1, 0.22), (0.3, 0.0), (0.5, 0.2), (0.3, 0.46),
                             (0.06, 0.76), (0.28, 1.0), (0.54, 0.76), (0.32, 0.48)]],
        "open": [[(0.56, 0.06), (0.3, 0.02), (0.1, 0.18), (0.28, 0.44), (0.5, 0.72), (0.28, 0.99),
                  (0.06, 0.8), (0.28, 0.46), (0.6, 0.14)]],
    },
    9: {
        "straight": [[(0.52, 0.14), (0.3, 0.0), (0.06, 0.18), (0.14, 0.44), (0.36, 0.44),
                      (0.54, 0.12), (0.54, 0.12), (0.5, 0.6), (0.46, 1.0)]],
        "curved": [[(0.52, 0.16), (0.28, 0.0), (0.06, 0.18), (0.16, 0.44), (0.38, 0.42),
                    (0.54, 0.1), (0.54, 0.1), (0.56, 0.6), (0.44, 0.92), (0.2, 1.0), (0.02, 0.9)]],
        "small ring": [[(0.5, 0.1), (0.3, 0.02), (0.18, 0.14), (0.28, 0.28), (0.48, 0.2),
                        (0.52, 0.04), (0.52, 0.04), (0.54, 0.66), (0.42, 0.96), (0.14, 0.98),
                        (0.0, 0.86)]],
        "ring and stem": [[(0.46, 0.1), (0.26, 0.0), (0.06, 0.2), (0.22, 0.46), (0.46, 0.3),
                           (0.44, 0.08)], [(0.5, 0.02), (0.48, 0.5), (0.44, 1.0)]],
    },
}  # fmt: skip


@functools.lru_cache(maxsize=2)
def written(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``n`` digits in all these forms: images (n, 28, 28) uint8, labels (n,) uint8.

    Each digit is as frequent as any other, and so is each form of a digit. Points, slant, width,
    turn and pen differ from one to the next. A thousand take a second, so the last are kept.
    """
    random = np.random.default_rng(seed)
    y = (np.arange(n) % 10).astype(np.uint8)
    x = np.stack([write(list(FORMS[int(digit)].values()), random) for digit in y])
    return x, y


def write(forms: list[Form], random: np.random.Generator) -> np.ndarray:
    """One digit in one of these forms, as nobody wrote it before: (28, 28) uint8."""
    form = forms[random.integers(len(forms))]
    wide, slant = np.exp(random.normal(0.05, 0.22)), random.normal(0.05, 0.18)
    shape = _turn(random.normal(0, 0.1)) @ np.array([[wide, -slant], [0.0, 1.0]])
    strokes: list[np.ndarray] = []
    for stroke in form:
        points = np.array(stroke).T  # (2, points)
        same = np.concatenate([[False], (points[:, 1:] == points[:, :-1]).all(axis=0)])
        moved = random.normal(0, 0.035, points.shape)
        moved[:, same] = moved[:, np.flatnonzero(same) - 1]  # a corner stays one
        middle = points.mean(axis=1, keepdims=True)
        loose = 0.03
        if strokes:  # a bar, a slash or a stem is longer or shorter, steeper, and somewhere else
            loose = 0.05
            turn = _turn(random.normal(0, 0.15)) * np.exp(random.normal(0.05, 0.2))
            points = turn @ (points - middle) + middle
        points = points + moved + random.normal(0, loose, (2, 1))
        strokes.append(shape @ _rounded(points))
    ink = draw(place(strokes, LONGER, SIDE), SIDE, SIDE, random.uniform(*PENS))
    return np.rint(normalize(ink) * 255).astype(np.uint8)


def _turn(angle: float) -> np.ndarray:
    """(2, 2): by so many radians."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _rounded(points: np.ndarray) -> np.ndarray:
    """A smooth line through (2, k) points. Source: E. Catmull, R. Rom 1974."""
    ends = np.concatenate([points[:, :1], points, points[:, -1:]], axis=1)
    t = np.linspace(0, 1, 9)[1:]
    line = [points[:, :1]]
    for k in range(points.shape[1] - 1):
        a, b, c, d = (ends[:, [k + i]] for i in range(4))
        line.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                   + (3 * b - a - 3 * c + d) * t**3)
        )  # fmt: skip
    return np.concatenate(line, axis=1)
