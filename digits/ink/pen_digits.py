"""Files of pen digits: isolated digits as people wrote them, stroke by stroke."""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from digits.ink.canvas import check_size, place

FORMAT = "pen_digits/1"
MAX_BYTES = 16 * 2**20  # of JSON, unpacked
MAX_VALUES = 1_500_000  # in it; a digit has some 120, and each takes up to 100 bytes of memory
BOX = 200  # pixels that the longer side of a digit is drawn at
MAX_LENGTH = 50 * BOX  # pixels of line; digits have up to 6 times their side
HALVES = "selection", "report"  # of the writers: one to choose by, one to report on


@dataclass(frozen=True)
class PenDigit:
    """One handwritten digit; ``suspect`` where the recording is not a whole digit."""

    label: int
    strokes: list[np.ndarray]  # each (2, points) float64, x then y, y downward
    suspect: bool = False
    writer: int | None = None  # an anonymous number


def half(writer: int | None) -> str | None:
    """The half, of ``HALVES``, that a writer belongs to, the same in every file."""
    return None if writer is None else HALVES[zlib.crc32(str(writer).encode()) % 2]


def read_pen_digits(file: str | Path, writers: str | None = None) -> list[PenDigit]:
    """Read a file of pen digits, JSON or gzipped JSON.

    Its ``digits`` each have a ``label`` from 0 to 9 and ``strokes``, a list of ``[[x …], [y …]]``.
    With ``writers``, one of ``HALVES``, those of the other half are left out.
    Raises ``OSError`` when there is no such file and ``ValueError``, which names the digit,
    when the file is damaged.
    """
    with Path(file).open("rb") as packed:
        digits = parse_pen_digits(Path(file).name, packed)
    return [digit for digit in digits if not writers or half(digit.writer) == writers]


def parse_pen_digits(name: str, packed: BinaryIO) -> list[PenDigit]:
    """Read an open file called ``name``; raises as ``read_pen_digits`` does."""
    content = packed.read(MAX_BYTES + 1)
    if content.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(wbits=31)  # of gzip's format, and only its first member
        try:
            content = unpacker.decompress(content, MAX_BYTES + 1)
        except zlib.error as error:
            raise ValueError(f"{name} is damaged: it cannot be unpacked.") from error
        if not unpacker.eof and len(content) <= MAX_BYTES:
            raise ValueError(f"{name} is damaged: it is cut short.")
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} holds more than {MAX_BYTES // 2**20} MiB; split it.")
    if sum(content.count(mark) for mark in (b",", b":", b"[", b"{")) > MAX_VALUES:
        raise ValueError(f"{name} holds more than {MAX_VALUES:,} numbers; split it.")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not a file of pen digits: it is not JSON.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"{name} is not a file of pen digits: its format is not “{FORMAT}”.")
    digits = document.get("digits")
    if not isinstance(digits, list) or not digits:
        raise ValueError(f"{name} holds no digits.")
    return [parse_digit(f"{name}, digit {number}", digit) for number, digit in enumerate(digits)]


def parse_digit(where: str, digit: Any) -> PenDigit:
    """Check one digit of a file; what it raises begins with ``where``."""
    if not isinstance(digit, dict):
        raise ValueError(f"{where}: expected an object with label and strokes.")
    label = digit.get("label")
    if type(label) is not int or not 0 <= label <= 9:
        raise ValueError(f"{where}: the label is missing or is not a whole number from 0 to 9.")
    if not isinstance(digit.get("strokes"), list) or not digit["strokes"]:
        raise ValueError(f"{where}: there are no strokes.")
    strokes = []
    for raw in digit["strokes"]:
        try:
            stroke = np.array(raw, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{where}: a stroke is not two equal lists of numbers.") from error
        if stroke.ndim != 2 or stroke.shape[0] != 2 or not stroke.shape[1]:
            raise ValueError(f"{where}: a stroke is not two equal lists of numbers.")
        if not (np.abs(stroke) < 1e6).all():  # also refuses NaN
            raise ValueError(f"{where}: a coordinate is not a number below a million.")
        strokes.append(stroke)
    try:
        check_drawing(strokes)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    writer = digit.get("writer")
    return PenDigit(
        label, strokes, bool(digit.get("suspect", False)), writer if type(writer) is int else None
    )


def check_drawing(strokes: list[np.ndarray]) -> None:
    """Raise ``ValueError`` for a digit, (2, points) each, that would take too long to draw."""
    check_size(place(strokes, BOX), MAX_LENGTH)
