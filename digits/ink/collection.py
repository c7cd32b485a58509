"""Digits that people drew and said what they meant: a JSON file each, in a folder beside the runs.

``drawings/<id>.json`` holds ``label``, ``strokes`` as in a file of pen digits, ``picture`` (the ink
as PNG, base64) and ``pinned``; the id tells when it was drawn, and nothing tells by whom.
"""

import base64
import binascii
import hashlib
import io
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digits.ink.canvas import render
from digits.ink.pen_digits import FORMAT, MAX_POINTS, PenDigit, parse_digit
from digits.ink.preprocessing import normalize, pen_width

ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
LONGER_SIDE = 1000  # of the strokes as they are kept, so that the same drawing is known again
LARGEST = 2000  # pixels of a picture's side


@dataclass(frozen=True, eq=False)
class Drawing:
    """One digit that somebody drew.

    ``strokes`` are (2, points) float64, whole numbers with the longer side at 1,000; ``ink`` is
    (height, width) uint8, 0 for paper and 255 for full ink.
    """

    id: str
    label: int
    strokes: list[np.ndarray]
    ink: np.ndarray
    pinned: bool = False

    @property
    def created(self) -> datetime:
        return datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    @cached_property
    def key(self) -> str:
        """The same for the same strokes, whatever their id and label."""
        return hashlib.sha256(json.dumps(_lists(self.strokes)).encode()).hexdigest()

    @cached_property
    def image(self) -> np.ndarray:
        """What a network sees of it: (28, 28) uint8."""
        return normalize(render(self.strokes, brush=pen_width(200)))


def root() -> Path:
    """The folder of all drawings: ``$DIGITS_DRAWINGS``, else ``drawings`` as the runs' is."""
    return Path(os.environ.get("DIGITS_DRAWINGS", "drawings")).resolve()


def add(label: int, strokes: list[np.ndarray], ink: np.ndarray | None = None) -> Drawing:
    """Keep a drawing; its strokes are (2, points) each, in any unit, y downward.

    ``ink`` is (height, width) uint8, what the Draw page's brush would leave where it is not given.
    Raises ``ValueError`` when there is no ink or far too much, and ``OSError`` when it cannot be
    kept.
    """
    if not strokes or (ink is not None and not ink.any()):
        raise ValueError("The drawing is blank: draw a digit first.")
    if (points := sum(stroke.shape[1] for stroke in strokes)) > MAX_POINTS:
        raise ValueError(f"This drawing has {points:,} points; a digit has {MAX_POINTS:,} at most.")
    strokes = _scaled(strokes)
    made = Drawing(_new_id(), label, strokes, render(strokes) if ink is None else ink)
    _write(made)
    return made


def add_new(digits: Iterable[PenDigit], kept: Iterable[Drawing]) -> Iterator[Drawing | None]:
    """Keep what a file of pen digits holds, one by one: ``None`` for one that is ``kept`` already.

    Raises as ``add`` does.
    """
    known = {one.key for one in kept}
    for digit in digits:
        key = Drawing("", digit.label, _scaled(digit.strokes), np.empty(0)).key
        yield None if key in known else add(digit.label, digit.strokes)
        known.add(key)


def open(id: str) -> Drawing:
    """The drawing of that id.

    Raises ``ValueError`` for what is no id and for a damaged file, ``LookupError`` if none is.
    """
    path = _path(id)
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise LookupError("This drawing is no longer here; somebody deleted it.") from error
    return _read(path, stat.st_mtime_ns, stat.st_size)


def all() -> list[Drawing]:
    """Every drawing that can be read, newest first."""
    return read_all()[0]


def read_all() -> tuple[list[Drawing], list[str]]:
    """Every drawing, newest first, and a sentence for each file that cannot be read."""
    drawings, problems = [], []
    for id, changed, size in reversed(_listing()):
        try:
            drawings.append(_read(_path(id), changed, size))
        except LookupError:
            continue  # deleted this moment
        except ValueError as error:
            problems.append(str(error))
    return drawings, problems


def ids() -> list[str]:
    """The id of every drawing, damaged ones included, oldest first."""
    return [id for id, *_ in _listing()]


def fingerprint() -> str:
    """A mark that is the same for as long as no drawing comes, goes or changes."""
    return hashlib.sha256(repr(_listing()).encode()).hexdigest()[:16]


def relabel(id: str, label: int) -> None:
    """Say that it is another digit. Raises as ``open`` does."""
    _change(id, label=label)


def replace_strokes(id: str, strokes: list[np.ndarray], ink: np.ndarray) -> None:
    """Put other strokes and ink, as in ``add``, in the place of a drawing's. Raises as ``open``."""
    _change(id, strokes=_scaled(strokes), ink=ink)


def pin(id: str, pinned: bool) -> None:
    """Keep an eye on it, or no longer. Raises as ``open`` does."""
    _change(id, pinned=pinned)


def delete(id: str) -> None:
    """Remove a drawing, also a damaged one. Raises ``ValueError`` for what is no id."""
    _path(id).unlink(missing_ok=True)


def export(drawings: Iterable[Drawing]) -> str:
    """The drawings as a file of pen digits, which ``strokes.read_strokes`` reads."""
    digits = [
        {"label": one.label, "source": "drawings", "strokes": _lists(one.strokes)}
        for one in drawings
    ]
    note = "strokes: [[x …], [y …]] in writing order, y downward, longer side 1000"
    return json.dumps({"format": FORMAT, "note": note, "digits": digits})


def images(drawings: list[Drawing]) -> tuple[np.ndarray, np.ndarray]:
    """What a network sees of them, (n, 28, 28), and their labels, (n,), both uint8."""
    x = np.array([one.image for one in drawings], np.uint8).reshape(-1, 28, 28)
    return x, np.array([one.label for one in drawings], np.uint8)


def _listing() -> list[tuple[str, int, int]]:
    """Id, time of the last change and size of every file, oldest id first."""
    try:
        with os.scandir(root()) as entries:
            found = [
                (entry.name[:-5], entry.stat().st_mtime_ns, entry.stat().st_size)
                for entry in entries
                if entry.name.endswith(".json") and ID.fullmatch(entry.name[:-5])
            ]
    except FileNotFoundError:
        return []
    return sorted(found)


def _path(id: str) -> Path:
    if not ID.fullmatch(id):
        raise ValueError("That names no drawing: its id looks like 20260131-093000-4f2a1c.")
    return root() / f"{id}.json"


def _new_id() -> str:
    while True:
        id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        if not _path(id).exists():
            return id


@lru_cache(maxsize=10_000)
def _read(path: Path, changed: int, size: int) -> Drawing:
    where = f"Drawing {path.stem}"
    try:
        content = json.loads(path.read_bytes())
        digit = parse_digit(where, content)
        picture = Image.open(io.BytesIO(base64.b64decode(content["picture"])), formats=["PNG"])
        if max(picture.size) > LARGEST:
            raise ValueError(f"{where}: its picture is larger than {LARGEST:,} pixels.")
        ink = np.asarray(picture.convert("L"))
        if not ink.any():
            raise ValueError(f"{where}: its picture is blank.")
    except FileNotFoundError as error:
        raise LookupError("This drawing is no longer here; somebody deleted it.") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{where} is damaged: it is not JSON.") from error
    except (
        KeyError,
        TypeError,
        binascii.Error,
        OSError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        raise ValueError(f"{where} is damaged: its picture cannot be read.") from error
    return Drawing(path.stem, digit.label, digit.strokes, ink, bool(content.get("pinned")))


def _change(id: str, **fields: Any) -> None:
    _write(replace(open(id), **fields))


def _write(one: Drawing) -> None:
    """Put the file in its place in one piece, so that no reader ever sees half of it."""
    png = io.BytesIO()
    Image.fromarray(one.ink).save(png, "PNG", optimize=True)
    content = {
        "label": one.label,
        "strokes": _lists(one.strokes),
        "picture": base64.b64encode(png.getvalue()).decode(),
        "pinned": one.pinned,
    }
    path = _path(one.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    part.write_text(json.dumps(content))
    os.replace(part, path)


def _scaled(strokes: list[np.ndarray]) -> list[np.ndarray]:
    """In whole numbers from 0, the longer side at 1,000; what is so already stays as it is."""
    points = np.concatenate(strokes, axis=1)
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    scale = LONGER_SIDE / max(float((high - low).max()), 1e-9)
    return [np.rint((stroke - low) * scale) for stroke in strokes]


def _lists(strokes: list[np.ndarray]) -> list[list[list[int]]]:
    return [stroke.astype(int).tolist() for stroke in strokes]
