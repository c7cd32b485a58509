"""Reads a visitor's own labeled digits: from the bytes of a file to checked arrays."""

import io

import numpy as np

from digits.data.mnist_formats import open_archive, parse_csv, read_array

MAX_IMAGES = 100_000
MAX_PIXELS = 96 * 2**20  # bytes of images, unpacked; pixels as uint8 take the least
MAX_LABELS = 8 * MAX_IMAGES  # bytes of labels, unpacked
BLOCK = 1_000  # images converted at once
ARRAY_NAMES = ("x", "y"), ("x_test", "y_test")


def read_labeled_digits(filename: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 28, 28), 0 for paper and 255 for full ink, and labels (n,), both uint8.

    Takes an .npz file with arrays x and y, or x_test and y_test, of pixels that are whole numbers
    from 0 to 255 or fractions from 0 to 1; or a CSV file with a label and 784 pixels in a row.
    Raises ``ValueError`` that names the file and what is wrong with it. Nothing is unpickled.
    """
    shown = filename.replace("\\", "/").rsplit("/")[-1][:80] or "The file"
    try:
        if content.startswith(b"PK"):
            x, y = _read_npz(content)
        elif shown.lower().endswith(".npz"):
            raise ValueError("is not an .npz file, whatever its name: save it with numpy.savez.")
        elif b"\0" in content or content.count(b",") < 784:
            raise ValueError(
                "is neither an .npz file nor a CSV of digits, which has a label and 784 pixels in "
                "each row, with commas between them."
            )
        else:
            x, y = parse_csv(io.BytesIO(content))
        _check(x, y)
    except ValueError as error:
        raise ValueError(f"{shown} {error}") from error
    return _to_bytes(x), y.astype(np.uint8)


def _read_npz(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    try:
        with open_archive(io.BytesIO(content)) as archive:
            held = [name.removesuffix(".npy") for name in archive.namelist()]
            for x, y in ARRAY_NAMES:
                if x in held and y in held:
                    return read_array(archive, x, MAX_PIXELS), read_array(archive, y, MAX_LABELS)
            raise ValueError(
                f"it holds {', '.join(held)[:80] or 'nothing'}; needed are x and y, or x_test and "
                "y_test"
            )
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for a damaged file
        raise ValueError(f"cannot be used ({' '.join(str(error).split())}).") from error


def _to_bytes(x: np.ndarray) -> np.ndarray:
    """Images as uint8, block by block: at once they would take several times their memory."""
    if x.dtype == np.uint8:
        return x
    pixels = np.empty(x.shape, np.uint8)
    for start in range(0, len(x), BLOCK):
        block = x[start : start + BLOCK]
        pixels[start : start + BLOCK] = np.rint(block * 255) if x.dtype.kind == "f" else block
    return pixels


def _check(x: np.ndarray, y: np.ndarray) -> None:
    """Raise ``ValueError`` unless these are images of digits and their labels."""
    if x.ndim != 3 or x.shape[1:] != (28, 28):
        raise ValueError(f"has images of shape {x.shape}, not (images, 28, 28).")
    if y.ndim != 1:
        raise ValueError(f"has labels of shape {y.shape}, not one whole number for each image.")
    if len(x) != len(y):
        raise ValueError(f"has {len(x):,} images but {len(y):,} labels.")
    if len(x) == 0:
        raise ValueError("has no images.")
    if len(x) > MAX_IMAGES:
        raise ValueError(f"has {len(x):,} images; split it into files of at most {MAX_IMAGES:,}.")
    if y.dtype.kind not in "iu":
        raise ValueError(f"has labels of type {y.dtype}; they must be whole numbers from 0 to 9.")
    if y.min() < 0 or y.max() > 9:
        odd = y[(y < 0) | (y > 9)][0]
        raise ValueError(f"has the label {odd}; labels are 0 to 9.")
    if x.dtype.kind not in "iuf":
        raise ValueError(f"has pixels of type {x.dtype}; they must be whole numbers or fractions.")
    full = 1 if x.dtype.kind == "f" else 255
    if not (x.min() >= 0 and x.max() <= full):  # so that not-a-number is refused, too
        raise ValueError(
            f"has pixels from {x.min():g} to {x.max():g}; whole numbers must lie between 0 and "
            "255, fractions between 0 and 1."
        )
