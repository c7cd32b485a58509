"""Picture files: opened with care, and read as ink."""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

MAX_PIXELS = 24_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
MAX_SIDE = 1000  # larger pictures are shrunk to this before anything else looks at them
NOISE_FLOOR = (
    0.25  # share of a picture's contrast that passes for paper grain and compression noise
)


def open_image(content: BinaryIO, name: str, side: int) -> Image.Image:
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
        picture = open_image(content, Path(file).name, MAX_SIDE)
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
    ink = (contrast / full - NOISE_FLOOR) / (1 - NOISE_FLOOR)
    return np.rint(ink.clip(0, 1) * 255).astype(np.uint8)
