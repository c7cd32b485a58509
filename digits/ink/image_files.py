"""Picture files: opened with care, and read as ink."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

MAX_BYTES = 25 * 2**20
MAX_PIXELS = 24_000_000
MAX_SCANS = 100  # of a progressive JPEG, which has some ten; each goes through all pixels
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
SCALED_WELL = ("L", "LA", "RGB", "RGBA")  # before they are copied to RGBA
MAX_SIDE = 1000  # larger pictures are shrunk to this before anything else looks at them
NOISE_FLOOR = (
    0.25  # share of a picture's contrast that passes for paper grain and compression noise
)


def check_bytes(content: bytes, name: str) -> None:
    """Raise ``ValueError`` for a file of more than 25 MiB."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} is larger than {MAX_BYTES >> 20} MiB; make it smaller.")


def open_image(content: bytes, name: str, side: int) -> Image.Image:
    """A still picture from the content of a file called ``name``: upright, RGBA, at most ``side``.

    Large JPEG pictures are decoded small, which takes a fraction of the time and memory.
    Raises ``ValueError`` when it is no still picture in a known format of at most 24 million
    pixels and 25 MiB.
    """
    check_bytes(content, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is lower
        try:
            opened = Image.open(io.BytesIO(content), formats=FORMATS)
            pixels = opened.width * opened.height
            animated = pixels <= MAX_PIXELS and getattr(opened, "is_animated", False)
        except Image.DecompressionBombError as error:
            raise ValueError(_too_large(name, "far too many")) from error
        except Exception as error:  # Pillow raises many kinds for a damaged file
            raise ValueError(_unreadable(name)) from error
    if pixels > MAX_PIXELS:
        raise ValueError(_too_large(name, f"{opened.width:,} × {opened.height:,}"))
    if animated:
        raise ValueError(f"{name} is animated or has several pages; give a still picture.")
    if opened.format == "JPEG" and content.count(b"\xff\xda") > MAX_SCANS:
        raise ValueError(_unreadable(name))
    try:
        opened.draft(None, (side, side))
        picture = opened if opened.mode in SCALED_WELL else opened.convert("RGBA")
        orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
        picture.thumbnail((side, side), reducing_gap=2)
        picture.getexif()[ExifTags.Base.Orientation] = orientation
        return ImageOps.exif_transpose(picture).convert("RGBA")
    except Exception as error:
        raise ValueError(_unreadable(name)) from error


def _too_large(name: str, pixels: str) -> str:
    most = f"{MAX_PIXELS // 1_000_000} million"
    return f"{name} has {pixels} pixels; make it smaller than {most} pixels."


def _unreadable(name: str) -> str:
    return f"{name} is not a picture that can be read here; save it as PNG or JPEG."


def read_image(file: str | Path) -> np.ndarray:
    """Read a picture of one digit, dark on light or light on dark, as ink.

    The median along the picture's border is taken for the paper; what stands out from it is ink.
    Transparent parts count as white paper, or black where all that is opaque is light.
    Returns (height, width) uint8, 0 for paper and 255 for full ink, all 0 when nothing stands out.
    Raises ``OSError`` when there is no such file, and ``ValueError`` when it is no still picture
    in a known format of at most 24 million pixels and 25 MiB.
    """
    with Path(file).open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
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
