"""Parses and checks the bytes of MNIST's files; knows nothing of where files lie.

A file is identified by its content, not by its name. An invalid file is a ``ValueError`` whose
sentence continues after the file's name: "holds …", "is cut short …".
"""

import gzip
import hashlib
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, starmap
from typing import IO

import numpy as np

TRAIN_CSV = "mnist_train_small.csv"  # the names that Google Colab gives them in sample_data
TEST_CSV = "mnist_test.csv"
CSV_ROWS = {TRAIN_CSV: 20_000, TEST_CSV: 10_000}
UNREADABLE = "cannot be read as a CSV of digits."
LARGEST = 128 * 2**20  # bytes; more than any of these files unpacked, less than a zip bomb
CHUNK = 2**18  # bytes read at once
MAX_MEMBERS = 100  # of a zip file
MAX_ROWS = 100_000  # of a CSV file
MAX_LINE = 2**14  # characters of a row, of which 785 values of three digits take 3,140
BLOCK = 500  # rows parsed at once: some 10 ms, in which no other visitor is served


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


def unpack(file: IO[bytes], target: IO[bytes]) -> None:
    """Copy a file, unpacked if it is a .gz file; ``ValueError`` if that is damaged or too large."""
    file.seek(0)
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    source = gzip.GzipFile(fileobj=file) if packed else file
    while chunk := _read(source, CHUNK):
        target.write(chunk)
        if target.tell() > LARGEST:
            raise ValueError("unpacks to far more than MNIST.")
    target.seek(0)


def _read(source: IO[bytes] | gzip.GzipFile, size: int) -> bytes:
    """Up to ``size`` bytes of a file that may be a .gz file, and a damaged one."""
    try:
        return source.read(size)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"is a damaged .gz file ({error}).") from error


def open_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """An .npz file, but not one of very many members: each takes a kilobyte of memory."""
    file.seek(0)
    members = sum(chunk.count(b"PK\1\2") for chunk in iter(lambda: file.read(CHUNK), b""))
    if members > MAX_MEMBERS:
        raise ValueError(f"it holds {members:,} files, more than {MAX_MEMBERS}")
    return zipfile.ZipFile(file)


def read_array(archive: zipfile.ZipFile, name: str, largest: int) -> np.ndarray:
    """The array of that name; ``ValueError`` before more than ``largest`` bytes are unpacked.

    Raises whatever zipfile, zlib and NumPy do for a damaged file. Nothing is unpickled.
    """
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > largest + 4096:  # of the array's header
        size = member.file_size / 2**20
        raise ValueError(f"{name} unpacks to {size:,.1f} MiB, more than {largest / 2**20:,.1f}")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed in another way than NumPy does")  # and without bounds
    with archive.open(member) as data:
        return np.lib.format.read_array(data, allow_pickle=False)


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
        with open_archive(file) as archive:  # numbers wider than a byte show by their size
            array = read_array(archive, key, math.prod(part.shape))
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for a damaged file
        reason = f"no {key} in it" if isinstance(error, KeyError) else " ".join(str(error).split())
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
    raw = _read(gzip.GzipFile(fileobj=file) if compressed else file, size + 1)
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
        rows = _rows(text)
        first = next(rows, (0, ""))
        if first[1].split(",")[0].strip().isdecimal():
            rows = chain([first], rows)
        blocks = []
        while block := list(islice(rows, BLOCK)):
            blocks.append(_parse_rows(block))
    finally:
        text.detach()  # or the file would be closed with it
    if not blocks:
        raise ValueError("is neither an .npz file, an IDX file nor a CSV of digits.")
    x, y = zip(*blocks, strict=True)
    return np.concatenate(x), np.concatenate(y)


def _rows(text: IO[str]) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers from 1."""
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise ValueError(f"has more than {MAX_LINE:,} characters in row {number:,}.")
        if line.strip():
            yield number, line
        if number > MAX_ROWS:
            raise ValueError(f"has more than {MAX_ROWS:,} rows.")


def _parse_rows(rows: list[tuple[int, str]]) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of numbered rows; ``ValueError`` names the first that is at fault."""
    try:
        lines = [line for _, line in rows]
        table = np.loadtxt(lines, np.uint8, comments=None, delimiter=",", ndmin=2)
        if table.shape != (len(rows), 785):
            raise ValueError
    except ValueError:
        raise ValueError(next(filter(None, starmap(_fault, rows)), UNREADABLE)) from None
    x, labels = table[:, 1:].reshape(-1, 28, 28), table[:, 0]  # a copy of the images
    if (wrong := np.flatnonzero(labels > 9)).size:
        number, _ = rows[wrong[0]]
        raise ValueError(f"has the label {labels[wrong[0]]} in row {number:,}; labels are 0 to 9.")
    return x, labels


def _fault(number: int, line: str) -> str:
    """What is wrong with a row, if anything: NumPy says it less plainly."""
    cells = line.split(",")
    if len(cells) != 785:
        return f"has {len(cells)} values in row {number:,}, not 785 (label, then 784 pixels)."
    for cell in map(str.strip, cells):
        if not (cell.isdecimal() and len(cell) < 9 and int(cell) < 256):
            return f"has “{cell[:20]}” in row {number:,}; pixels are whole numbers from 0 to 255."
    return ""


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
