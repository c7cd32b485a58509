"""From a drawing or a picture of a digit to the 28×28 image that the network was trained on."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

FIELD = 28  # side of an MNIST image
BOX = 20  # side of the box that the digit fills inside it
SOLID = 128  # ink at or above this is a stroke, below it the soft edge of one

MAX_PIXELS = 24_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
PICTURE_SIDE = 1000  # larger pictures are shrunk to this before anything else looks at them
FAINT = 0.25  # share of a picture's contrast that passes for paper grain and compression noise


@dataclass(frozen=True)
class Preparation:
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


FULL = Preparation()
NAIVE = Preparation(crop=False, fit=False, centre=False, pen=False)  # the whole sheet, shrunk


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


def fit(ink: np.ndarray, side: int = BOX) -> np.ndarray:
    """Scale a drawing so that its longer side is ``side`` pixels, with soft edges.

    ``ink`` is (height, width) uint8; the result has the same aspect ratio.
    """
    height, width = ink.shape
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX))


def centre(digit: np.ndarray, by_mass: bool = True) -> np.ndarray:
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
    top = min(max(round(FIELD / 2 - row), 0), FIELD - height)
    left = min(max(round(FIELD / 2 - column), 0), FIELD - width)
    field = np.zeros((FIELD, FIELD), np.uint8)
    field[top : top + height, left : left + width] = digit
    return field


def normalize(ink: np.ndarray, how: Preparation = FULL) -> np.ndarray:
    """Scale and centre a drawing as MNIST's makers did theirs, or leave out some of that.

    ``ink`` is (height, width) uint8, 0 for paper and 255 for full ink, any size.
    Returns (28, 28) float32 in [0, 1]. Raises ``ValueError`` when the drawing is blank.
    Source: LeCun et al. 1998, section III-A.
    """
    cut = crop(ink)  # whatever is done with it: a blank drawing has none
    digit = fit(cut if how.crop else ink, BOX if how.fit else FIELD)
    if not digit.any():
        raise ValueError("Too little is left of the drawing: draw larger.")
    return centre(digit, how.centre).astype(np.float32) / 255


def unit(images: np.ndarray) -> np.ndarray:
    """Images, uint8 or float32 in [0, 1], as float32 in [0, 1] of the same shape."""
    return images.astype(np.float32) / np.float32(255 if images.dtype == np.uint8 else 1)


def remark(ink: np.ndarray) -> str | None:
    """Say what is odd about a drawing, in a sentence for the person who draws, or None.

    ``ink`` is (height, width) uint8, 0 for paper and 255 for full ink.
    """
    if not ink.any():
        return "Draw a digit from 0 to 9."
    if max(crop(ink).shape) < min(ink.shape) / 6:  # the broadest brush dots a seventh
        return "That is little more than a dot: draw larger, so that the shape can be seen."
    if (ink >= SOLID).mean() > 0.4:
        return "There is a lot of ink here: clear the canvas and draw one digit with plain lines."
    edges = ink[0], ink[-1], ink[:, 0], ink[:, -1]
    if any((edge >= SOLID).any() for edge in edges):
        return "The ink touches the edge, so part of the digit may be cut off."
    return None


def open_picture(content: BinaryIO, name: str, side: int) -> Image.Image:
    """A still picture from an open file that is called ``name``: upright, RGBA, at most ``side``.

    Large JPEG pictures are decoded small, which takes a fraction of the time and memory.
    Raises ``ValueError`` when it is no still picture in a known format of at most 24 million
    pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is lower
        try:
            opened = Image.open(content, formats=FORMATS)
            if opened.width * opened.height > MAX_PIXELS:
                raise ValueError(
                    f"{name} has {opened.width:,} × {opened.height:,} pixels; make it smaller "
                    f"than {MAX_PIXELS // 1_000_000} million pixels."
                )
            if getattr(opened, "n_frames", 1) > 1:
                raise ValueError(f"{name} is animated or has several pages; give a still picture.")
            opened.draft(None, (side, side))
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
        except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            raise ValueError(
                f"{name} is not a picture that can be read here; save it as PNG or JPEG."
            ) from error
    picture.thumbnail((side, side), reducing_gap=2)
    return picture


def read_image(file: str | Path) -> np.ndarray:
    """Read a picture of one digit, dark on light or light on dark, as ink.

    The median along the picture's border is taken for the paper; what stands out from it is ink.
    Transparent parts count as white paper, or black where all that is opaque is light.
    Returns (height, width) uint8, 0 for paper and 255 for full ink, all 0 when nothing stands out.
    Raises ``OSError`` when there is no such file, and ``ValueError`` when it is no still picture
    in a known format of at most 24 million pixels.
    """
    with Path(file).open("rb") as content:
        picture = open_picture(content, Path(file).name, PICTURE_SIDE)
    grey = np.asarray(picture.convert("L"), dtype=float)  # (height, width), 0 to 255
    opaque = np.asarray(picture.getchannel("A"), dtype=float) / 255
    backdrop = 255.0
    if (opaque < 0.5).any() and (opaque >= 0.5).any() and np.median(grey[opaque >= 0.5]) > 128:
        backdrop = 0.0
    grey = grey * opaque + backdrop * (1 - opaque)

    paper = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    contrast = grey - paper if paper < 128 else paper - grey
    # A thin line may be less than one pixel in 200, a speck is not to set the scale.
    full = max(float(np.percentile(contrast, 99.5)), float(contrast.max()) / 2)
    if full < 24:
        return np.zeros(grey.shape, np.uint8)
    ink = (contrast / full - FAINT) / (1 - FAINT)
    return np.rint(ink.clip(0, 1) * 255).astype(np.uint8)
