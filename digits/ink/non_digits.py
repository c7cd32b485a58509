"""Synthetic non-digits: letters, signs, scribbles and several digits side by side.

Drawn from strokes, as ``digits/ink/synthetic.py`` draws digits. Letters that are written like a
digit (I, O, S, Z, b, g, l, q) are left out.
"""

import numpy as np

from digits.ink.canvas import place, rasterize
from digits.ink.preprocessing import normalize
from digits.ink.synthetic import (
    CANVAS_SIDE,
    DIGIT_SIDE,
    PEN_WIDTHS,
    VARIANTS,
    parse,
    rotation,
    vary,
)

Strokes = list[np.ndarray]

# As in VARIANTS: strokes are separated by |, a point given twice is a corner.
LETTERS = {
    "A": "30,0 15,50 0,100 | 30,0 46,50 60,100 | 8,64 52,64",
    "B": "4,0 4,50 4,100 | 4,2 40,4 48,24 34,46 6,48 6,48 44,52 56,76 40,98 4,98",
    "E": "60,2 6,2 6,2 6,50 6,98 6,98 60,98 | 6,50 50,50",
    "F": "60,2 6,2 6,2 6,50 6,100 | 6,48 48,48",
    "H": "4,0 4,50 4,100 | 60,0 60,50 60,100 | 4,50 60,50",
    "K": "4,0 4,50 4,100 | 56,0 30,30 4,54 4,54 30,76 60,100",
    "M": "0,100 8,50 14,0 14,0 28,40 40,70 40,70 54,36 66,0 66,0 72,50 80,100",
    "N": "4,100 4,50 4,0 4,0 32,50 60,100 60,100 60,50 60,0",
    "P": "6,0 6,50 6,100 | 6,2 44,4 56,24 44,48 6,52",
    "R": "6,0 6,50 6,100 | 6,2 44,4 54,24 44,46 6,50 6,50 34,74 60,100",
    "T": "0,2 35,2 70,2 | 35,2 35,50 35,100",
    "W": "0,0 10,50 20,100 20,100 34,60 44,30 44,30 56,64 68,100 68,100 78,50 88,0",
    "X": "4,0 32,50 60,100 | 60,0 32,50 2,100",
    "Y": "2,0 18,26 32,50 | 62,0 46,28 32,50 32,50 30,100",
    "C": "60,14 36,0 8,20 0,50 10,82 36,100 60,88",
    "J": "56,0 56,50 52,84 30,100 6,90 0,70",
    "L": "4,0 4,50 4,98 4,98 30,98 60,97",
    "U": "2,0 2,50 10,88 32,100 54,88 60,50 60,0",
    "V": "0,0 16,50 32,100 32,100 48,50 64,0",
    "a": "66,20 36,0 6,24 4,64 30,90 60,60 68,10 68,10 68,60 76,96 90,90",
    "d": "46,52 24,44 2,66 8,94 30,98 48,74 54,0 54,0 54,60 58,98 70,96",
    "e": "4,52 40,50 76,40 60,6 24,4 2,40 14,88 50,100 84,80",
    "f": "60,10 44,0 30,16 28,60 26,100 | 6,42 50,40",
    "h": "4,0 4,50 4,100 4,100 8,64 28,46 44,60 46,100",
    "k": "4,0 4,50 4,100 | 44,42 24,58 4,70 4,70 24,80 48,100",
    "m": "0,0 2,50 2,100 2,100 10,30 34,4 48,30 48,100 48,100 56,30 80,4 96,30 98,100",
    "n": "0,0 2,50 2,100 2,100 12,30 44,2 64,30 66,100",
    "r": "4,0 6,50 6,100 6,100 10,40 34,8 60,12",
    "w": "0,0 8,60 24,98 44,70 50,10 50,10 56,70 76,98 94,60 98,0",
}
SIGNS = {
    "check mark": "0,60 12,78 28,100 28,100 60,40 90,0",
    "plus": "50,0 50,50 50,100 | 0,50 50,50 100,50",
    "star": "50,0 20,95 20,95 98,36 98,36 2,36 2,36 80,95 80,95 50,0",
    "square": "0,0 0,50 0,90 0,90 50,90 95,90 95,90 95,40 95,0 95,0 50,0 0,0",
    "arrow": "0,50 50,50 100,50 | 70,24 100,50 100,50 70,76",
    "hash": "30,0 22,100 | 70,0 62,100 | 0,34 100,30 | 0,70 100,66",
    "house": "50,0 0,40 0,40 0,100 0,100 90,100 90,100 90,40 90,40 50,0 | 36,98 36,66 56,66 56,98",
    "heart": "50,30 34,4 8,8 4,36 26,66 50,96 50,96 76,64 96,34 90,6 66,4 50,30",
    "smiley": "50,0 10,14 0,50 14,88 50,100 88,86 100,50 86,12 50,0 | 34,34 34,42 | 66,34 66,42 "
    "| 26,64 50,78 74,64",
    "dash": "0,50 50,52 100,50",
}


def spiral(random: np.random.Generator) -> Strokes:
    angle = np.linspace(0, 2 * np.pi * random.uniform(2, 5), 160) * random.choice([-1, 1])
    radius = np.linspace(random.uniform(0, 0.3), 1, 160)
    return [np.array([np.cos(angle), np.sin(angle)]) * radius]


def zigzag(random: np.random.Generator) -> Strokes:
    turns = random.integers(4, 12)
    y = np.arange(turns) % 2 + random.normal(0, 0.12, turns)
    points = np.array([np.linspace(0, random.uniform(0.6, 2), turns), y])
    return vary([np.repeat(rotation(random.uniform(0, np.pi)) @ points, 2, axis=1)], random)


def curves(random: np.random.Generator) -> Strokes:
    """One to three smooth random curves."""
    k = np.arange(1, 6)
    strokes = []
    for _ in range(random.integers(1, 4)):
        x, y = random.normal(size=(2, 5, 2)) / k[:, None] ** 0.7  # of each wave, sine and cosine
        phases = k[:, None] * np.linspace(0, random.uniform(2, 6), 120)
        waves = np.stack([np.sin(phases), np.cos(phases)], axis=1)  # (5, 2, 120)
        strokes.append(
            np.stack([(x[..., None] * waves).sum((0, 1)), (y[..., None] * waves).sum((0, 1))])
        )
    return strokes


def scrawl(random: np.random.Generator) -> Strokes:
    """A pen that runs to and fro, as one strikes something out."""
    points = random.uniform(0, 1, (2, random.integers(12, 40)))
    return vary([points * [[1.0], [random.uniform(0.3, 1)]]], random)


def dots(random: np.random.Generator) -> Strokes:
    places = random.uniform(0, 1, (random.integers(2, 7), 2, 1))
    return [place + random.normal(0, 0.01, (2, 3)) for place in places]


def several_digits(random: np.random.Generator) -> Strokes:
    """Two to four digits side by side, which do not touch."""
    strokes: Strokes = []
    right = 0.0
    for _ in range(random.integers(2, 5)):
        variants = list(VARIANTS[int(random.integers(10))].values())
        digit = vary(parse(variants[random.integers(len(variants))]), random)
        points = np.concatenate(digit, axis=1)
        low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
        size = random.uniform(0.85, 1.15) / (high - low)[1, 0]
        shift = np.array([[right], [random.normal(0, 0.05)]])
        strokes += [(stroke - low) * size + shift for stroke in digit]
        right += float((high - low)[0, 0] * size) + random.uniform(0.15, 0.5)
    return strokes


def random_figure(random: np.random.Generator) -> Strokes:
    """One to four strokes through a few random points, some of them corners."""
    strokes = []
    for _ in range(random.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1])):
        n = random.integers(2, 7)
        corners = random.random(n) < random.choice([0.0, 0.5])
        strokes.append(np.repeat(random.uniform(0, 1, (2, n)), 1 + corners, axis=1))
    return vary(strokes, random)


SCRIBBLES = {
    "spiral": spiral,
    "zigzag": zigzag,
    "curves": curves,
    "scrawl": scrawl,
    "dots": dots,
    "several digits": several_digits,
    "random figure": random_figure,
}
KINDS = (*LETTERS, *SIGNS, *SCRIBBLES)


def generate(kind: str, n: int, seed: int) -> list[Strokes]:
    """``n`` drawings of one of ``KINDS``: the strokes of each, (2, points) float64, y downward.

    A drawing is about 1 high. Raises ``ValueError`` for another kind.
    """
    random = np.random.default_rng([seed, KINDS.index(kind)])
    if kind in SCRIBBLES:
        return [SCRIBBLES[kind](random) for _ in range(n)]
    variant = parse({**LETTERS, **SIGNS}[kind])
    return [vary(variant, random) for _ in range(n)]


def render_inputs(drawings: list[Strokes], seed: int) -> np.ndarray:
    """What models see of drawings, each with a random pen: (n, 28, 28) uint8."""
    pens = np.random.default_rng(seed).uniform(*PEN_WIDTHS, len(drawings))
    images = [
        normalize(rasterize(place(strokes, DIGIT_SIDE, CANVAS_SIDE), CANVAS_SIDE, CANVAS_SIDE, pen))
        for strokes, pen in zip(drawings, pens, strict=True)
    ]
    return np.array(images, np.uint8).reshape(-1, 28, 28)
