"""The collection of labeled drawings: a JSON file each, in a folder beside the runs.

``drawings/<id>.json`` holds ``label``, ``strokes`` as in a file of pen digits, ``picture`` (the ink
as PNG, base64) and ``pinned``. The id is the time of the drawing; nothing identifies the author.
"""

import base64
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
from digits.ink.pen_digits import BOX, FORMAT, PenDigit, check_drawing, parse_digit
from digits.ink.preprocessing import normalize, pen_width

ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
LONGER_SIDE = 1000  # of saved strokes, so that the same drawing has the same key
MAX_SIDE = 2000  # of a picture, in pixels


@dataclass(frozen=True, eq=False)
class Drawing:
    """One labeled drawing of a digit.

    ``strokes`` are (2, points) float64, whole numbers with the longer side at 1,000; ``picture``
    is the ink as PNG, of which thousands fit into the memory.
    """

    id: str
    label: int
    strokes: list[np.ndarray]
    picture: bytes
    pinned: bool = False

    @property
    def ink(self) -> np.ndarray:
        """(height, width) uint8, 0 for paper and 255 for full ink."""
        return np.asarray(Image.open(io.BytesIO(self.picture), formats=["PNG"]).convert("L"))

    @property
    def created(self) -> datetime:
        return datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    @cached_property
    def key(self) -> str:
        """The same for the same strokes, whatever their id and label."""
        return hashlib.sha256(json.dumps(_lists(self.strokes)).encode()).hexdigest()

    @cached_property
    def image(self) -> np.ndarray:
        """The preprocessed drawing: (28, 28) uint8."""
        return normalize(render(self.strokes, brush=pen_width(BOX), box=BOX))


def root() -> Path:
    """The folder of all drawings: ``$DIGITS_DRAWINGS``, else ``drawings`` beside the app."""
    return Path(os.environ.get("DIGITS_DRAWINGS", "drawings")).resolve()


def add(label: int, strokes: list[np.ndarray], ink: np.ndarray | None = None) -> Drawing:
    """Save a drawing; its strokes are (2, points) each, in any unit, y downward.

    ``ink`` is (height, width) uint8; without it the strokes are rasterized.
    Raises ``ValueError`` when there is no ink or far too much, and ``OSError`` when it cannot be
    saved.
    """
    if not strokes or (ink is not None and not ink.any()):
        raise ValueError("The drawing is blank: draw a digit first.")
    check_drawing(strokes)
    strokes = _scaled(strokes)
    drawing = Drawing(_new_id(), label, strokes, _png(render(strokes) if ink is None else ink))
    _write(drawing)
    return drawing


def add_new(digits: Iterable[PenDigit], saved: Iterable[Drawing]) -> Iterator[Drawing | None]:
    """Save pen digits one by one: ``None`` for each that is among the ``saved`` already.

    Raises as ``add`` does.
    """
    keys = {drawing.key for drawing in saved}
    for digit in digits:
        key = Drawing("", digit.label, _scaled(digit.strokes), b"").key
        yield None if key in keys else add(digit.label, digit.strokes)
        keys.add(key)


def open(id: str) -> Drawing:
    """The drawing of that id.

    Raises ``ValueError`` for what is no id and for a damaged file, ``LookupError`` if none is.
    """
    path = _path(id)
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise LookupError("This drawing has been deleted.") from error
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
    """A cache key: it changes when a drawing is added, deleted or changed."""
    return hashlib.sha256(repr(_listing()).encode()).hexdigest()[:16]


def relabel(id: str, label: int) -> None:
    """Change a drawing's label. Raises as ``open`` does."""
    _change(id, label=label)


def replace_strokes(id: str, strokes: list[np.ndarray], ink: np.ndarray) -> None:
    """Replace a drawing's strokes and ink. Raises as ``add`` and ``open`` do."""
    check_drawing(strokes)
    _change(id, strokes=_scaled(strokes), picture=_png(ink))


def pin(id: str, pinned: bool) -> None:
    """Pin a drawing, or unpin it. Raises as ``open`` does."""
    _change(id, pinned=pinned)


def delete(id: str) -> None:
    """Remove a drawing, also a damaged one. Raises ``ValueError`` for what is no id."""
    _path(id).unlink(missing_ok=True)


def export(drawings: Iterable[Drawing]) -> str:
    """The drawings as a file of pen digits, which ``pen_digits.read_pen_digits`` reads."""
    digits = [
        {"label": drawing.label, "source": "drawings", "strokes": _lists(drawing.strokes)}
        for drawing in drawings
    ]
    note = "strokes: [[x …], [y …]] in writing order, y downward, longer side 1000"
    return json.dumps({"format": FORMAT, "note": note, "digits": digits})


def images(drawings: list[Drawing]) -> tuple[np.ndarray, np.ndarray]:
    """The preprocessed drawings, (n, 28, 28), and their labels, (n,), both uint8."""
    x = np.array([drawing.image for drawing in drawings], np.uint8).reshape(-1, 28, 28)
    return x, np.array([drawing.label for drawing in drawings], np.uint8)


def _listing() -> list[tuple[str, int, int]]:
    """Id, time of the last change and size of every file, oldest id first."""
    try:
        with os.scandir(root()) as entries:
            listing = [
                (entry.name[:-5], entry.stat().st_mtime_ns, entry.stat().st_size)
                for entry in entries
                if entry.name.endswith(".json") and ID.fullmatch(entry.name[:-5])
            ]
    except FileNotFoundError:
        return []
    return sorted(listing)


def _path(id: str) -> Path:
    if not ID.fullmatch(id):
        raise ValueError("This is not the id of a drawing; one looks like 20260131-093000-4f2a1c.")
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
    except FileNotFoundError as error:
        raise LookupError("This drawing has been deleted.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{where} is damaged: it is not JSON.") from error
    digit = parse_digit(where, content)
    try:
        picture = base64.b64decode(content["picture"])
        opened = Image.open(io.BytesIO(picture), formats=["PNG"])
        blank = max(opened.size) <= MAX_SIDE and opened.convert("L").getbbox() is None
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise ValueError(f"{where} is damaged: its picture cannot be read.") from error
    if max(opened.size) > MAX_SIDE:
        raise ValueError(f"{where}: its picture is larger than {MAX_SIDE:,} pixels.")
    if blank:
        raise ValueError(f"{where}: its picture is blank.")
    return Drawing(path.stem, digit.label, digit.strokes, picture, bool(content.get("pinned")))


def _change(id: str, **fields: Any) -> None:
    _write(replace(open(id), **fields))


def _write(drawing: Drawing) -> None:
    """Replace the file at once, so that no reader ever sees half of it."""
    content = {
        "label": drawing.label,
        "strokes": _lists(drawing.strokes),
        "picture": base64.b64encode(drawing.picture).decode(),
        "pinned": drawing.pinned,
    }
    path = _path(drawing.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    part.write_text(json.dumps(content))
    os.replace(part, path)


def _png(ink: np.ndarray) -> bytes:
    png = io.BytesIO()
    Image.fromarray(ink).save(png, "PNG", optimize=True)
    return png.getvalue()


def _scaled(strokes: list[np.ndarray]) -> list[np.ndarray]:
    """Whole numbers from 0 with the longer side at 1,000; scaling twice changes nothing."""
    points = np.concatenate(strokes, axis=1)
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    scale = LONGER_SIDE / max(float((high - low).max()), 1e-9)
    return [np.rint((stroke - low) * scale) for stroke in strokes]


def _lists(strokes: list[np.ndarray]) -> list[list[list[int]]]:
    return [stroke.astype(int).tolist() for stroke in strokes]
