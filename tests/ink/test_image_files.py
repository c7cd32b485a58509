"""Picture files that cost more than they show are refused before they are decoded."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from benchmarks import bombs
from digits.ink import image_files


def picture(kind: str, size: tuple[int, int] = (30, 20), **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "white").save(file, kind, **options)
    return file.getvalue()


def scanned(times: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    jpeg = picture("JPEG", progressive=True)
    return jpeg[:-2] + jpeg[jpeg.rindex(b"\xff\xda") : -2] * times + jpeg[-2:]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_picture_is_turned_upright(kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    assert image_files.open_image(picture(kind, exif=exif), "photo", 100).size == (20, 30)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_is_read(mode: str) -> None:
    pixels = np.zeros((20, 30), np.uint8)
    pixels[:, 15:] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "TIFF" if mode == "CMYK" else "PNG")
    opened = image_files.open_image(file.getvalue(), "photo", 100)
    assert opened.mode == "RGBA"
    if mode != "I;16":  # 255 of 65,535 is black
        assert (np.asarray(opened.convert("L")) == pixels).all()


def test_a_jpeg_has_so_many_scans_and_no_more() -> None:
    assert image_files.open_image(scanned(20), "photo.jpg", 100).size == (30, 20)
    with pytest.raises(ValueError, match=r"photo\.jpg is not a picture that can be read here"):
        image_files.open_image(scanned(image_files.MAX_SCANS), "photo.jpg", 100)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (picture("PNG", (6_000, 4_001)), "6,000 × 4,001 pixels"),
        (picture("PNG", (20_000, 10_000)), "far too many pixels"),
        (bytes(image_files.MAX_BYTES + 1), "larger than 25 MiB"),
        (bombs.BOMBS["a packed color profile"].make(), "not a picture that can be read here"),
        (bombs.BOMBS["packed text"].make(), "not a picture that can be read here"),
    ],
    ids=["pixels", "far more pixels", "bytes", "profile", "text"],
)
def test_a_picture_too_large_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"photo.png .*{sentence}"):
        image_files.open_image(content, "photo.png", 100)
