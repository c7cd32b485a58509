"""From a drawing to the 28×28 image that the network sees, and the stages on the way."""

from dataclasses import dataclass, fields, replace

import numpy as np
from PIL import Image

from digits.ink.canvas import rasterize

IMAGE_SIDE = 28  # side of an MNIST image
DIGIT_SIDE = 20  # side of the box that the digit fills inside it
INK_THRESHOLD = 128  # ink at or above this is a stroke, below it the soft edge of one
PEN_WIDTH = (
    2.4  # pixels of the 20×20 that hold a digit: so drawn, digits have as much ink as MNIST's
)


@dataclass(frozen=True)
class Preprocessing:
    """The steps from a drawing to what the network sees; any of them can be left out.

    ``crop`` cuts the sheet down to the box around the ink; ``fit`` scales it into 20×20 pixels,
    without it into all of 28×28; ``centre`` puts the centre of mass in the middle, without it the
    middle of the box; ``pen`` draws strokes anew, where they are known, with a line as thick for
    their size as MNIST's are.
    """

    crop: bool = True
    fit: bool = True
    centre: bool = True
    pen: bool = True


FULL = Preprocessing()
NAIVE = Preprocessing(crop=False, fit=False, centre=False, pen=False)  # the whole sheet, shrunk
WHOLE = "sheet"  # what there is before the first step: the whole sheet, shrunk
STAGES = tuple(
    field.name for field in fields(Preprocessing)
)  # in the order in which they are taken


@dataclass(frozen=True, eq=False)
class Stage:
    """A step by its name, the preparation up to it, and its (28, 28) float32 image in [0, 1].

    The image is all 0 where nothing is left of the drawing.
    """

    name: str
    how: Preprocessing
    image: np.ndarray


def crop(ink: np.ndarray) -> np.ndarray:
    """Cut a drawing down to the box around its ink.

    ``ink`` is (height, width) uint8, 0 for paper; the result is a view of it.
    Raises ``ValueError`` when the drawing is blank.
    """
    rows = np.flatnonzero(ink.any(axis=1))
    columns = np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        raise ValueError("The drawing is blank: draw a digit first.")
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: np.ndarray, side: int = DIGIT_SIDE) -> np.ndarray:
    """Scale a drawing so that its longer side is ``side`` pixels, with soft edges.

    ``ink`` is (height, width) uint8; the result has the same aspect ratio.
    """
    height, width = ink.shape
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX))


def center(digit: np.ndarray, by_mass: bool = True) -> np.ndarray:
    """Put a digit on the 28×28 field with its centre of mass, or else its middle, on (14, 14).

    ``digit`` is (height, width) uint8, at most 28×28. It is moved by whole pixels, and less far
    where part of it would leave the field. Returns (28, 28) uint8.
    """
    height, width = digit.shape
    row, column = height / 2, width / 2
    if by_mass:
        mass = digit.sum(dtype=float)
        row = (digit.sum(axis=1) @ np.arange(height)) / mass
        column = (digit.sum(axis=0) @ np.arange(width)) / mass
    top = min(max(round(IMAGE_SIDE / 2 - row), 0), IMAGE_SIDE - height)
    left = min(max(round(IMAGE_SIDE / 2 - column), 0), IMAGE_SIDE - width)
    field = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    field[top : top + height, left : left + width] = digit
    return field


def normalize(ink: np.ndarray, how: Preprocessing = FULL) -> np.ndarray:
    """Scale and centre a drawing as MNIST's makers did theirs, or leave out some of that.

    ``ink`` is (height, width) uint8, 0 for paper and 255 for full ink, any size.
    Returns (28, 28) float32 in [0, 1]. Raises ``ValueError`` when the drawing is blank.
    Source: LeCun et al. 1998, section III-A.
    """
    cut = crop(ink)  # whatever is done with it: a blank drawing has none
    digit = fit(cut if how.crop else ink, DIGIT_SIDE if how.fit else IMAGE_SIDE)
    if not digit.any():
        raise ValueError("Too little is left of the drawing: draw larger.")
    return center(digit, how.centre).astype(np.float32) / 255


def pen_width(side: float) -> float:
    """Width of the line with which strokes ``side`` large are as thick as MNIST's, in its unit."""
    return side * PEN_WIDTH / (DIGIT_SIDE - PEN_WIDTH)


def preprocess(ink: np.ndarray, strokes: list[np.ndarray], how: Preprocessing = FULL) -> np.ndarray:
    """What the network sees of a drawing of which the strokes are known: (28, 28) float32.

    ``ink`` is (height, width) uint8, ``strokes`` the (2, points) each that left it, in its pixels;
    without any, or where all of them would fit into a digit's 20 pixels, the ink is taken as it
    is. Raises as ``normalize`` does.
    """
    if how.pen and ink.any() and strokes:
        points = np.concatenate(strokes, axis=1)
        side = float(np.ptp(points, axis=1).max())
        if side > DIGIT_SIDE:
            height, width = ink.shape
            ink = rasterize(strokes, width, height, pen_width(side))
    return normalize(ink, how)


def preprocessing_stages(
    ink: np.ndarray, strokes: list[np.ndarray], how: Preprocessing = FULL
) -> list[Stage]:
    """The shrunk sheet and, after it, each step of ``how``; the last is what the network sees.

    ``ink`` is (height, width) uint8, ``strokes`` the (2, points) each that left it. Raises as
    ``prepare`` does when nothing is left in the end.
    """
    seen = preprocess(ink, strokes, how)
    found = []
    part = NAIVE
    for name in (WHOLE, *(step for step in STAGES if getattr(how, step))):
        if name != WHOLE:
            part = replace(part, **{name: True})
        try:
            image = seen if part == how else preprocess(ink, strokes, part)
        except ValueError:
            image = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32)
        found.append(Stage(name, part, image))
    return found


def to_float(images: np.ndarray) -> np.ndarray:
    """Images, uint8 or float32 in [0, 1], as float32 in [0, 1] of the same shape."""
    return images.astype(np.float32) / np.float32(255 if images.dtype == np.uint8 else 1)


def describe_problem(ink: np.ndarray) -> str | None:
    """Say what is odd about a drawing, in a sentence for the person who draws, or None.

    ``ink`` is (height, width) uint8, 0 for paper and 255 for full ink.
    """
    if not ink.any():
        return "Draw a digit from 0 to 9."
    if max(crop(ink).shape) < min(ink.shape) / 6:  # the broadest brush dots a seventh
        return "That is little more than a dot: draw larger, so that the shape can be seen."
    if (ink >= INK_THRESHOLD).mean() > 0.4:
        return "There is a lot of ink here: clear the canvas and draw one digit with plain lines."
    edges = ink[0], ink[-1], ink[:, 0], ink[:, -1]
    if any((edge >= INK_THRESHOLD).any() for edge in edges):
        return "The ink touches the edge, so part of the digit may be cut off."
    return None
