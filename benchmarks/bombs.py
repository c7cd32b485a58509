"""Small files that unpack to much, and what the parser behind each door makes of them:
``python -m benchmarks.bombs [bomb …]``.

Each is parsed in a process of its own, in a thread: what it adds to the resident memory, and how
long the process serves nobody else meanwhile. Nothing here is stored; all is made when needed.
"""

import argparse
import base64
import bz2
import gzip
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digits.data import mnist_files, uploads
from digits.data.mnist_formats import PARTS
from digits.ink import canvas, collection, pen_digits
from digits.multidigit import photo
from digits.multidigit.recognize import recognize

MOST_MEMORY = {"photo": 250}  # MiB, on a worker
MOST_MEMORY_OF_SERVER = 200  # MiB, behind the other doors
MOST_WAIT = 1.0  # seconds in which no other visitor is served
UNANNOUNCED = "unannounced"  # begins what is said of an exception of another kind
TICK = 0.005  # seconds between two looks of the other visitor


@dataclass(frozen=True)
class Bomb:
    """A file for one of the ``DOORS``; ``make`` takes seconds and gives up to 64 MiB."""

    door: str
    filename: str
    make: Callable[[], bytes]


def _digits(content: bytes) -> bytes:
    """A zipped file of pen digits."""
    return gzip.compress(b'{"format": "pen_digits/1", "digits": [' + content + b"]}", 6)


def _digit(strokes: list[list[list[int]]]) -> bytes:
    return json.dumps({"label": 8, "strokes": strokes}).encode()


def _zigzag(points: int, width: int) -> list[list[int]]:
    return [[number % 2 * width for number in range(points)], list(range(points))]


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _npy(shape: str) -> bytes:
    """An array's header without the array."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def _zipped(x: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("x.npy", x)
        archive.writestr("y.npy", _npy("(1,)") + b"\0")
    return file.getvalue()


def _bzip2() -> bytes:
    """An archive that says of its member that it is small, in a packing that unpacks all of it."""
    zeros = bz2.compress(bytes(300 * 2**20))
    archive = bytearray(_zipped(_npy("(1000, 28, 28)") + bytes(len(zeros)), zipfile.ZIP_STORED))
    start = archive.index(_npy("(1000, 28, 28)"))
    archive[start : start + len(zeros)] = zeros
    for mark, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        place = archive.index(mark)
        struct.pack_into("<H", archive, place + offset, zipfile.ZIP_BZIP2)
    return bytes(archive)


def members(count: int = 1_000_000) -> bytes:
    """An archive that lists one member a million times."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, *[0] * 7, 1, *[0] * 6) + b"x"
    directory = entry * count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    return directory + end


def _csv(rows: int, pixel: bytes) -> bytes:
    """A file as Colab's, with all digits in turn."""
    pixels = (b"," + pixel) * 784 + b"\n"
    return b"".join(b"%d" % (row % 10) + pixels for row in range(rows))


def _picture(kind: str, mode: str, width: int, height: int, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), "white").save(file, kind, **options)
    return file.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">L", len(content)) + body + struct.pack(">L", zlib.crc32(body))


def _png_with(*chunks: bytes) -> bytes:
    png = _picture("PNG", "L", 60, 60)
    return png[:33] + b"".join(chunks) + png[33:]


def _scans() -> bytes:
    """A JPEG of 24 million pixels that goes through all of them ten thousand times."""
    jpeg = _picture("JPEG", "L", 6000, 4000, progressive=True)
    starts = [place for place in range(len(jpeg)) if jpeg.startswith(b"\xff\xda", place)]
    scan = jpeg[starts[-1] : -2]
    return jpeg[:-2] + scan * 10_000 + jpeg[-2:]


def _frames() -> bytes:
    """A GIF of a hundred thousand frames of one pixel."""
    gif = _picture("GIF", "P", 1, 1)
    start = gif.index(b",", 13)
    return gif[:start] + gif[start:-1] * 100_000 + gif[-1:]


def _drawn(*paths: dict[str, Any], png: bytes | None = None) -> bytes:
    """What a browser sends of the canvas."""
    png = png or _picture("PNG", "RGBA", canvas.CANVAS_SIDE, canvas.CANVAS_SIDE)
    data = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return json.dumps({"raw": {"objects": paths}, "data": data}).encode()


def _path(points: list[tuple[float, float]]) -> dict[str, Any]:
    curves = [["Q", x, y, x, y] for x, y in points]
    path = [["M", *points[0]], *curves, ["L", *points[-1]]]
    return {"type": "Path", "left": 140, "top": 140, "path": path}


BOMBS = {
    "empty lists": Bomb("drawings", "lists.json.gz", lambda: _digits(b"[]," * 21_000_000)),
    "as many objects as are allowed": Bomb(
        "drawings", "objects.json.gz", lambda: _digits(b'{"a":0},' * 499_000 + b"0")
    ),
    "nested lists": Bomb("drawings", "nested.json.gz", lambda: _digits(b"[" * 15_000_000)),
    "one stroke": Bomb("drawings", "stroke.json.gz", lambda: _digits(b"0," * 8_000_000)),
    "wide text": Bomb(
        "drawings", "text.json", lambda: b'{"a": "' + b"a" * 15_000_000 + '😀"}'.encode()
    ),
    "zigzags": Bomb(
        "drawings",
        "zigzags.json",
        lambda: gzip.decompress(_digits(b",".join([_digit([_zigzag(10_000, 9_999)])] * 8))),
    ),
    "scribbles": Bomb(
        "drawings",
        "scribbles.json.gz",
        lambda: _digits(b",".join(_digit([_zigzag(45, width)]) for width in range(100, 600))),
    ),
    "gzip members": Bomb("drawings", "members.json.gz", lambda: gzip.compress(b"") * 800_000),
    "an archive of a million members": Bomb("labels", "members.npz", members),
    "bzip2": Bomb("labels", "bzip2.npz", _bzip2),
    "petabytes": Bomb("labels", "petabytes.npz", lambda: _zipped(_npy("(1000000000000, 28, 28)"))),
    "wide pixels": Bomb(
        "labels",
        "pixels.npz",
        lambda: _npz(x=np.zeros((16_000, 28, 28)), y=np.zeros(16_000, np.int64)),
    ),
    "as many images as are allowed": Bomb(
        "labels",
        "images.npz",
        lambda: _npz(x=np.zeros((100_000, 28, 28), np.uint8), y=np.zeros(100_000, np.uint8)),
    ),
    "a million bad labels": Bomb(
        "labels",
        "labels.npz",
        lambda: _npz(x=np.zeros((1, 28, 28), np.uint8), y=np.zeros(12_000_000)),
    ),
    "a line of 60 MB": Bomb("labels", "line.csv", lambda: b"0," * 30_000_000),
    "40,000 rows": Bomb("labels", "rows.csv", lambda: _csv(40_000, b"5")),
    "a packed line": Bomb("mnist", "line.csv.gz", lambda: gzip.compress(b"0," * 60_000_000)),
    "packed zeros": Bomb("mnist", "zeros.gz", lambda: gzip.compress(bytes(300 * 2**20))),
    "packed images": Bomb(
        "mnist", "images.gz", lambda: gzip.compress(PARTS["x_train"].header + bytes(300 * 2**20))
    ),
    "an archive of members": Bomb("mnist", "members.npz", members),
    "20,000 rows": Bomb("mnist", "rows.csv", lambda: _csv(20_000, b"255")),
    "24 million pixels": Bomb("photo", "large.png", lambda: _picture("PNG", "RGBA", 6000, 4000)),
    "500 million pixels": Bomb("photo", "larger.png", lambda: _picture("PNG", "1", 25_000, 20_000)),
    "a WebP of 16,383²": Bomb(
        "photo", "large.webp", lambda: _picture("WEBP", "RGB", 16_383, 16_383, quality=0)
    ),
    "a packed TIFF": Bomb(
        "photo",
        "large.tiff",
        lambda: _picture("TIFF", "RGBA", 6000, 4000, compression="tiff_adobe_deflate"),
    ),
    "ten thousand scans": Bomb("photo", "scans.jpg", _scans),
    "a hundred thousand frames": Bomb("photo", "frames.gif", _frames),
    "packed text": Bomb(
        "photo",
        "text.png",
        lambda: _png_with(
            *[_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes([97]) * 2**20))] * 1_000
        ),
    ),
    "a packed color profile": Bomb(
        "photo",
        "profile.png",
        lambda: _png_with(_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(300 * 2**20)))),
    ),
    "a picture of 2 GiB": Bomb(
        "canvas", "large.json", lambda: _drawn(png=_picture("PNG", "RGBA", 23_000, 23_000))
    ),
    "as many lists as are allowed": Bomb(
        "canvas", "lists.json", lambda: _drawn()[:-1] + b', "more": [' + b"[]," * 320_000 + b"0]}"
    ),
    "a line to the moon": Bomb(
        "canvas", "far.json", lambda: _drawn(_path([(0, 0), (1e9, 0), (0, 9), (1e9, 9)]))
    ),
    "a canvas of zigzags": Bomb(
        "canvas",
        "zigzag.json",
        lambda: _drawn(_path([(number % 2 * 279, 140) for number in range(9_000)])),
    ),
    "as much line as is allowed": Bomb(
        "canvas",
        "scribble.json",
        lambda: _drawn(_path([(number % 2 * 279, number % 279) for number in range(140)])),
    ),
}


def _drawings(content: bytes, name: str) -> str:
    digits = pen_digits.parse_pen_digits(name, io.BytesIO(content))
    return f"{len(list(collection.add_new(digits, [])))} drawings"


def _labels(content: bytes, name: str) -> str:
    x, _ = uploads.read_labeled_digits(name, content)
    return f"{len(x):,} digits"


def _mnist(content: bytes, name: str) -> str:
    return mnist_files.add(name, content)


def _photo(content: bytes, name: str) -> str:
    _, numbers = photo.recognize_photo(content, name, _sevens)
    return f"{len(numbers)} numbers"


def _canvas(content: bytes, name: str) -> str:
    sent = json.loads(content)
    png = base64.b64decode(sent["data"].partition(",")[2])
    ink = canvas.from_png(png, canvas.CANVAS_SIDE, canvas.CANVAS_SIDE)
    strokes = canvas.from_fabric(sent["raw"])
    return f"{len(recognize(ink, strokes, _sevens).stages)} stages"


def _sevens(x: np.ndarray) -> np.ndarray:
    return np.tile(np.eye(10)[7], (len(x), 1))


DOORS = {
    "drawings": _drawings,
    "labels": _labels,
    "mnist": _mnist,
    "photo": _photo,
    "canvas": _canvas,
}


def main() -> None:
    """Measure the bombs that are asked for, all of them by default; fail beyond the limits."""
    parser = argparse.ArgumentParser("python -m benchmarks.bombs", description=__doc__)
    parser.add_argument("bombs", nargs="*", choices=[[], *BOMBS], metavar="bomb")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(_measure_here(arguments.bombs[0])))
        return
    missed = []
    for name in arguments.bombs or BOMBS:
        outcome = measure(name)
        print(
            f"{BOMBS[name].door:>8} {name:<34} {outcome['packed']:5.1f} MiB: "
            f"+{outcome['memory']:4.0f} MiB, others wait {outcome['wait']:5.2f} s of "
            f"{outcome['seconds']:5.1f}: {outcome['answer']}",
            flush=True,
        )
        if not outcome["met"]:
            missed.append(name)
    if missed:
        sys.exit(f"too much memory or too long a wait: {', '.join(missed)}")


def measure(name: str) -> dict[str, Any]:
    """Parse one bomb in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"DIGITS_DRAWINGS": f"{folder}/drawings", "DIGITS_DATA": f"{folder}/data"}
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.bombs", name, "--here"],
            env={**os.environ, **environment, "KERAS_HOME": folder},
            stdout=subprocess.PIPE,
            timeout=600,
            check=True,
        )
    return json.loads(child.stdout)


def _measure_here(name: str) -> dict[str, Any]:
    bomb = BOMBS[name]
    content = bomb.make()
    outcome: dict[str, Any] = {"packed": len(content) / 2**20}

    def parse() -> None:
        start = time.perf_counter()
        try:
            outcome["answer"] = DOORS[bomb.door](content, bomb.filename)
        except (ValueError, OSError) as error:
            outcome["answer"] = f"{error}"
        except Exception as error:
            outcome["answer"] = f"{UNANNOUNCED} {type(error).__name__}: {error}"
        outcome["seconds"] = time.perf_counter() - start

    _forget_peak()
    before, wait = _memory("VmRSS"), 0.0
    thread = threading.Thread(target=parse)
    thread.start()
    while thread.is_alive():
        start = time.process_time()  # which a busy machine does not lengthen
        time.sleep(TICK)
        wait = max(wait, time.process_time() - start - TICK)
    memory = _memory("VmHWM") - before
    most = MOST_MEMORY.get(bomb.door, MOST_MEMORY_OF_SERVER)
    met = memory <= most and wait <= MOST_WAIT and not outcome["answer"].startswith(UNANNOUNCED)
    return outcome | {"memory": memory, "wait": wait, "met": met}


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(key: str) -> float:
    """A figure of this process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


if __name__ == "__main__":
    main()
