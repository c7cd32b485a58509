"""From a drawing to the 28×28 image that the network sees, and the stages on the way."""

from dataclasses import dataclass, fields, replace

import numpy as np
from PIL import Image

from digits.ink.canvas import rasterize

IMAGE_SIDE = 28  # of an MNIST image, in pixels
DIGIT_SIDE = 20  # of the box inside it that the digit fills
INK_THRESHOLD = 128  # ink at or above this is a stroke, below it the soft edge of one
PEN_WIDTH = 2.4  # pixels of the 20×20 box; at this width digits have as much ink as MNIST's


@dataclass(frozen=True)
class Preprocessing:
    """The preprocessing stages in the order they are applied; each can be disabled.

    ``redraw`` draws the strokes again, where they are known, with a pen as wide, for their size,
    as MNIST's; ``crop`` cuts the sheet down to the bounding box of the ink; ``fit`` scales that
    into 20×20 pixels, without it into all of 28×28; ``center`` puts the center of mass in the
    middle, without it the middle of the box.
    """

    redraw: bool = True
    crop: bool = True
    fit: bool = True
    center: bool = True


ALL_STAGES = Preprocessing()
NO_STAGES = Preprocessing(redraw=False, crop=False, fit=False, center=False)
RESIZED = "resized"  # the stage before all others: the whole sheet at 28×28
STAGES = tuple(field.name for field in fields(Preprocessing))


@dataclass(frozen=True, eq=False)
class Stage:
    """A drawing after one stage: the stage's name, all stages so far, the (28, 28) uint8 image.

    The image is all 0 where nothing is left of the drawing.
    """

    name: str
    options: Preprocessing
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


def center(digit: np.ndarray, *, by_mass: bool = True) -> np.ndarray:
    """Put a digit on the 28×28 image with its center of mass, or else its middle, at (14, 14).

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
    image = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    image[top : top + height, left : left + width] = digit
    return image


def normalize(ink: np.ndarray, options: Preprocessing = ALL_STAGES) -> np.ndarray:
    """Scale and center a drawing as MNIST's makers did theirs, but for disabled stages.

    ``ink`` is (height, width) uint8, 0 for paper and 255 for full ink, any size.
    Returns (28, 28) uint8. Raises ``ValueError`` when the drawing is blank.
    Source: LeCun et al. 1998, section III-A.
    """
    box = crop(ink)  # also checks that the drawing is not blank
    digit = fit(box if options.crop else ink, DIGIT_SIDE if options.fit else IMAGE_SIDE)
    if not digit.any():
        raise ValueError("Too little is left of the drawing: draw larger.")
    return center(digit, by_mass=options.center)


def pen_width(side: float) -> float:
    """Pen width at which strokes ``side`` large are as thick as MNIST's, in the same unit."""
    return side * PEN_WIDTH / (DIGIT_SIDE - PEN_WIDTH)


def redraw(ink: np.ndarray, strokes: list[np.ndarray]) -> np.ndarray:
    """The drawing with a pen as wide, for its size, as MNIST's: uint8, as large as ``ink``.

    ``ink`` is (height, width) uint8, ``strokes`` the (2, points) arrays that left it, in its
    pixels. Without any, or where all of them fit into a digit's 20 pixels, it stays as it is.
    """
    if not (ink.any() and strokes):
        return ink
    side = float(np.ptp(np.concatenate(strokes, axis=1), axis=1).max())
    height, width = ink.shape
    return rasterize(strokes, width, height, pen_width(side)) if side > DIGIT_SIDE else ink


def preprocess(
    ink: np.ndarray, strokes: list[np.ndarray], options: Preprocessing = ALL_STAGES
) -> np.ndarray:
    """What models see of a drawing: (28, 28) uint8; ``ink`` and ``strokes`` as in ``redraw``.

    Raises as ``normalize`` does.
    """
    return normalize(redraw(ink, strokes) if options.redraw else ink, options)


def preprocessing_stages(
    ink: np.ndarray, strokes: list[np.ndarray], options: Preprocessing = ALL_STAGES
) -> list[Stage]:
    """The resized sheet, then the drawing after each enabled stage; the last is what models see.

    ``ink`` and ``strokes`` are as in ``redraw``. Raises as ``preprocess`` does when nothing is left
    in the end.
    """
    redrawn = redraw(ink, strokes) if options.redraw else ink
    stages = []
    enabled = NO_STAGES
    for name in (RESIZED, *(stage for stage in STAGES if getattr(options, stage))):
        if name != RESIZED:
            enabled = replace(enabled, **{name: True})
        try:
            image = normalize(redrawn if enabled.redraw else ink, enabled)
        except ValueError:
            if enabled == options:
                raise
            image = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
        stages.append(Stage(name, enabled, image))
    return stages


def describe_problem(ink: np.ndarray) -> str | None:
    """A sentence for the visitor on what is odd about a drawing, or ``None``.

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
