"""Files of pen digits: isolated digits as people wrote them, stroke by stroke."""

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

FORMAT = "pen_digits/1"
MAX_BYTES = 64 * 2**20  # of JSON, unpacked
MAX_POINTS = 10_000  # of one digit; a pen gives some 50


@dataclass(frozen=True)
class PenDigit:
    """One handwritten digit; ``suspect`` where the recording is not a whole digit."""

    label: int
    strokes: list[np.ndarray]  # each (2, points) float64, x then y, y downward
    suspect: bool = False
    writer: int | None = None  # an anonymous number


def read_pen_digits(file: str | Path) -> list[PenDigit]:
    """Read a file of pen digits, JSON or gzipped JSON.

    Its ``digits`` each have a ``label`` from 0 to 9 and ``strokes``, a list of ``[[x …], [y …]]``.
    Raises ``OSError`` when there is no such file and ``ValueError``, which names the digit,
    when the file is damaged.
    """
    with Path(file).open("rb") as packed:
        return parse_pen_digits(Path(file).name, packed)


def parse_pen_digits(name: str, packed: BinaryIO) -> list[PenDigit]:
    """Read an open file called ``name``; raises as ``read_pen_digits`` does."""
    zipped = packed.read(2) == b"\x1f\x8b"
    packed.seek(0)
    try:
        content = (gzip.GzipFile(fileobj=packed) if zipped else packed).read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{name} is damaged: it cannot be unpacked.") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} holds more than {MAX_BYTES // 2**20} MiB; split it.")
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
    points = sum(stroke.shape[1] for stroke in strokes)
    if points > MAX_POINTS:
        raise ValueError(f"{where}: {points:,} points are more than the {MAX_POINTS:,} allowed.")
    writer = digit.get("writer")
    return PenDigit(
        label, strokes, bool(digit.get("suspect", False)), writer if type(writer) is int else None
    )
