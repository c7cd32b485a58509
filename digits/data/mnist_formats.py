"""Parses and checks the bytes of MNIST's files; knows nothing of where files lie.

A file is identified by its content, not by its name. An invalid file is a ``ValueError`` whose
sentence continues after the file's name: "holds …", "is cut short …".
"""

import gzip
import hashlib
import io
import struct
import zipfile
from dataclasses import dataclass
from itertools import chain
from typing import IO

import numpy as np

TRAIN_CSV = "mnist_train_small.csv"  # the names that Google Colab gives them in sample_data
TEST_CSV = "mnist_test.csv"
CSV_ROWS = {TRAIN_CSV: 20_000, TEST_CSV: 10_000}
LARGEST = 128 * 2**20  # bytes; more than any of these files unpacked, less than a zip bomb


@dataclass(frozen=True)
class Part:
    """One of MNIST's four arrays of uint8: its shape, and the IDX file that it was published in."""

    stem: str
    shape: tuple[int, ...]
    md5: str  # of the unpacked IDX file

    @property
    def header(self) -> bytes:
        """How the IDX file begins: type uint8, number of axes, their lengths, big-endian."""
        return struct.pack(f">4B{len(self.shape)}I", 0, 0, 8, len(self.shape), *self.shape)

    @property
    def idx(self) -> str:
        """The IDX file's usual name."""
        return f"{self.stem}-idx{len(self.shape)}-ubyte"

    @property
    def names(self) -> list[str]:
        """The names that the IDX file goes by, plain and compressed."""
        plain = self.idx, self.idx.replace("-idx", ".idx")
        return [name + ending for ending in ("", ".gz") for name in plain]


PARTS = {
    "x_train": Part("train-images", (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
    "y_train": Part("train-labels", (60_000,), "a25bea736e30d166cdddb491f175f624"),
    "x_test": Part("t10k-images", (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
    "y_test": Part("t10k-labels", (10_000,), "27ae3e4e09519cfbb04c329615203637"),
}


def gunzip(file: IO[bytes]) -> bytes:
    """What a .gz file holds; ``ValueError`` when it is damaged or far too large."""
    file.seek(0)
    try:
        raw = gzip.GzipFile(fileobj=file).read(LARGEST + 1)
    except Exception as error:  # whatever gzip and zlib make of a damaged file
        raise ValueError(f"is a damaged .gz file ({error}).") from error
    if len(raw) > LARGEST:
        raise ValueError("unpacks to far more than MNIST.")
    return raw


def recognize(file: IO[bytes]) -> str:
    """The name to store an upload under; ``ValueError`` for an unknown format."""
    start = file.read(16)
    file.seek(0)
    if start.startswith(b"PK"):
        parse_all(file)
        return "mnist.npz"
    for key, part in PARTS.items():
        if start.startswith(part.header):
            parse(file, key)
            return part.idx
    if start.startswith(b"\0\0"):
        raise ValueError("is an IDX file, but not one of MNIST's four.")
    if b"\0" in start or not start:
        raise ValueError("is neither an .npz file, an IDX file nor a CSV of digits.")
    _, y = parse_csv(file)
    name = TEST_CSV if len(y) == CSV_ROWS[TEST_CSV] else TRAIN_CSV
    check_rows(y, name)
    return name


def parse_all(file: IO[bytes]) -> None:
    """Check that an open .npz file holds MNIST; ``ValueError`` as from ``parse``."""
    for key in PARTS:
        file.seek(0)
        parse(file, key)


def parse(file: IO[bytes], key: str, *, checked: bool = False) -> np.ndarray:
    """One array of ``PARTS`` from an open .npz or IDX file.

    It must have the published MD5, which is not computed again when already ``checked``.
    """
    part = PARTS[key]
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(b"PK"):
        array = _parse_npz(file, key)
    elif magic.startswith((b"\x1f\x8b", b"\0\0")):
        array = _parse_idx(file, part)
    else:
        raise ValueError("is neither an .npz file nor an IDX file.")
    if not checked:
        md5 = hashlib.md5(part.header, usedforsecurity=False)
        md5.update(np.ascontiguousarray(array).data)
        if md5.hexdigest() != part.md5:
            raise ValueError(
                f"has the shape of MNIST but other content in {key} (MD5 {md5.hexdigest()} in IDX "
                f"form, not {part.md5}); Fashion-MNIST and others come under the same names."
            )
    return array


def _parse_npz(file: IO[bytes], key: str) -> np.ndarray:
    part = PARTS[key]
    try:
        with zipfile.ZipFile(file) as archive:
            member = archive.getinfo(f"{key}.npy")
            # A zip bomb, or numbers wider than a byte, show here before anything is unpacked.
            if member.file_size > np.prod(part.shape) + 4096:
                raise ValueError(f"{key} is larger than {part.shape} of uint8")
            with archive.open(member) as data:
                array = np.lib.format.read_array(data, allow_pickle=False)
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for a damaged file
        reason = f"no {key} in it" if isinstance(error, KeyError) else error
        raise ValueError(f"cannot be read as MNIST's .npz ({reason}).") from error
    if array.shape != part.shape or array.dtype != np.uint8:
        raise ValueError(
            f"holds {key} of shape {array.shape} and type {array.dtype}, not {part.shape} of uint8."
        )
    return array


def _parse_idx(file: IO[bytes], part: Part) -> np.ndarray:
    size = len(part.header) + int(np.prod(part.shape))
    compressed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    try:
        raw = (gzip.GzipFile(fileobj=file) if compressed else file).read(size + 1)
    except Exception as error:  # whatever gzip and zlib make of a damaged file
        raise ValueError(f"is a damaged .gz file ({error}).") from error
    if not raw.startswith(part.header):
        raise ValueError(f"is not MNIST's {part.idx}: it begins differently.")
    if len(raw) != size:
        state = "cut short" if len(raw) < size else "too long"
        raise ValueError(f"is {state}: {part.idx} has {size:,} bytes.")
    return np.frombuffer(raw, np.uint8, offset=len(part.header)).reshape(part.shape)


def parse_csv(file: IO[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 28, 28) and labels (n,), uint8, of rows of a label and 784 pixels.

    A first line that begins with no number is taken for a header.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace")
    try:
        first = text.readline()
        if header := not first.split(",")[0].strip().isdecimal():
            first = text.readline()
        if not first:
            raise ValueError("is neither an .npz file, an IDX file nor a CSV of digits.")
        try:
            rows = chain([first], text)
            table = np.loadtxt(rows, np.uint8, comments=None, delimiter=",", ndmin=2)
            if table.shape[1] != 785:
                raise ValueError
        except ValueError:
            text.seek(0)
            raise ValueError(_first_fault(text, header)) from None
    finally:
        text.detach()  # or the file would be closed with it
    y = table[:, 0].copy()
    if y.max() > 9:
        row = int((y > 9).argmax()) + 1 + header
        raise ValueError(f"has the label {y[y > 9][0]} in row {row:,}; labels are 0 to 9.")
    return table[:, 1:].reshape(-1, 28, 28), y


def _first_fault(text: IO[str], header: bool) -> str:
    """What is wrong with the first bad row: NumPy stops there too, but says it less plainly."""
    for row, line in enumerate(text, 1):
        cells = line.split(",")
        if (header and row == 1) or not line.strip():
            continue
        if len(cells) != 785:
            return f"has {len(cells)} values in row {row:,}, not 785 (label, then 784 pixels)."
        for cell in map(str.strip, cells):
            if not (cell.isdecimal() and len(cell) < 9 and int(cell) < 256):
                return f"has “{cell[:20]}” in row {row:,}; pixels are whole numbers from 0 to 255."
    return "cannot be read as a CSV of digits."


def check_rows(y: np.ndarray, name: str) -> None:
    """Raise ``ValueError`` when these labels are too few or too many for Colab's CSV file."""
    if len(y) != CSV_ROWS[name]:
        raise ValueError(
            f"has {len(y):,} rows; Colab's {TRAIN_CSV} has {CSV_ROWS[TRAIN_CSV]:,} and its "
            f"{TEST_CSV} {CSV_ROWS[TEST_CSV]:,}, so this is another file or cut short."
        )
    few = np.flatnonzero(np.bincount(y, minlength=10) < 10)
    if len(few):
        raise ValueError(f"has fewer than ten images of the digit {few[0]}.")
