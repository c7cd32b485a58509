"""Reads UCI's handwritten digits, which come with scikit-learn, laid out as MNIST's."""

import gzip
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from digits.ink import preprocessing

LARGE = 80  # pixels along each side of an enlarged digit
HALO = 40  # ink below this around an enlarged digit is bicubic blur


def check() -> None:
    """Raise ``FileNotFoundError`` when the digits are not on this machine."""
    if not _file().is_file():
        raise FileNotFoundError(f"UCI's digits are missing: scikit-learn comes without {_file()}.")


@lru_cache(maxsize=1)
def read() -> tuple[np.ndarray, np.ndarray]:
    """All digits: images (1797, 28, 28) and labels (1797,), uint8. Raises as ``check`` does.

    Source: Alpaydin and Kaynak 1998, doi 10.24432/C50P49; 8×8 cells of 0 to 16 in the file.
    """
    with gzip.open(_file(), "rt") as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    cells, y = table[:, :64].reshape(-1, 8, 8), table[:, 64]
    x = np.stack([preprocessing.normalize(digit) for digit in _enlarge(cells)])
    return x, y


def _file() -> Path:
    # Looked up, not imported: scikit-learn would cost every process 225 MiB.
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "UCI's digits come with scikit-learn, which is not installed: "
            "pip install -r requirements.txt"
        )
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"


def _enlarge(cells: np.ndarray) -> np.ndarray:
    """Digits, (n, 8, 8) of 0 to 16, with crisp strokes: (n, 80, 80) uint8."""
    images = np.pad(cells * np.uint8(15), ((0, 0), (1, 1), (1, 1)))
    for _ in range(2):  # the rows of all digits as one picture, then their columns
        n, height, width = images.shape
        rows = Image.fromarray(images.reshape(n * height, width))
        wide = np.asarray(rows.resize((LARGE, n * height), Image.Resampling.BICUBIC))
        images = wide.reshape(n, height, LARGE).transpose(0, 2, 1)
    ink = (images.astype(np.float32) - HALO) * (255 / (240 - 2 * HALO))
    return ink.clip(0, 255).astype(np.uint8)
