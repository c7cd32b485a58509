"""Every parser of what comes from outside, with mutated files: it takes them or says in a sentence
what is wrong: ``python -m benchmarks.fuzz [target …] [--inputs 100000]``.

An input is a valid file of which bytes, or values where it is JSON, were changed; it follows from
its number, so that ``--start`` repeats one. The command fails at what a parser does not announce.
"""

import argparse
import base64
import gzip
import io
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from digits.data import mnist_formats, uploads
from digits.data.mnist_formats import PARTS
from digits.ink import canvas, collection, image_files, pen_digits, preprocessing
from digits.multidigit import photo
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Recipe, parse_conv, parse_dense

VALUES = [  # of JSON
    *("null", "true", "false", "0", "-1", "0.5", "10", "1e6", "1e308", "NaN", "Infinity"),
    *("1" + "0" * 400, '""', '"Q"', '"1"', '"\\u0000"', '"٣"', "[]", "{}", "[[]]", "[null]"),
    *("[1, 2]", "[1, 2, 3, 4]", '{"path": 1}', '["Q", 1, 2, 3, 4]', '[["Q"]]', "[[1], [2]]"),
    *("[[0, 1], [0, NaN]]", "[[[[]]]]", '[["M", 1, 2], ["L", 1e9, 3]]', '"' + "é" * 99 + '"'),
]
PIECES = [b"", b"\0", b"\xff", b"\xff" * 4, b"\0" * 8, b"\x7f\xff\xff\xff", b"-1", b"1e999"]
PIECES += [b"[" * 2_000, b"9" * 5_000, b",", b"\n", b'"', b"'", b"(", b"PK\1\2", b"\x1f\x8b"]


@dataclass(frozen=True)
class Target:
    """A parser, and valid inputs to start from."""

    parse: Callable[[bytes], object]
    seeds: list[bytes]
    announced: tuple[type[Exception], ...] = (ValueError,)


def _pixels(count: int = 3) -> dict[str, np.ndarray]:
    return {"x": np.zeros((count, 28, 28), np.uint8), "y": np.arange(count)}


def _npz(save: Callable[..., None], **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def _csv(rows: int = 2) -> bytes:
    return (b"label,pixels\n" + b"7" + b",0" * 784 + b"\n") * rows


def _picture(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    pixels = np.full((20, 30), 250, np.uint8)
    pixels[5:15, 12:15] = 20  # a 1
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.XResolution] = 72.0
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = "a comment"
    return exif.tobytes()


def _pictures() -> list[bytes]:
    plain = [_picture(kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM")]
    modes = [_picture("PNG", mode) for mode in ("1", "L", "LA", "P", "I;16", "RGBA")]
    packed = [_picture("TIFF", compression=way) for way in ("tiff_lzw", "jpeg", "packbits")]
    upright = [_picture(kind, exif=_exif()) for kind in ("PNG", "JPEG", "WEBP", "TIFF")]
    frames = [Image.new("L", (4, 4), shade) for shade in (0, 99)]
    moving = io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    others = [_picture("GIF", "P"), _picture("JPEG", progressive=True), moving.getvalue()]
    return [*plain, *modes, *packed, *upright, *others]


def _strokes() -> dict[str, Any]:
    path = [["M", 9, 9], ["Q", 9, 9, 20, 30], ["Q", 40, 50, 60, 70], ["L", 80, 90]]
    drawn = {"type": "Path", "left": 40, "top": 50, "scaleX": 1, "angle": 0, "path": path}
    return {"version": "7", "objects": [drawn, drawn | {"scaleY": 2.5, "angle": 30}]}


def _digits() -> dict[str, Any]:
    digit = {"label": 7, "strokes": [[[0, 9, 5], [0, 0, 9]], [[1, 8], [4, 4]]]}
    return {"format": pen_digits.FORMAT, "digits": [digit, digit | {"suspect": True, "writer": 3}]}


def _saved_drawing() -> dict[str, Any]:
    picture = base64.b64encode(_picture("PNG", "L")).decode()
    return _digits()["digits"][0] | {"picture": picture, "pinned": False}


def _from_fabric(content: bytes) -> None:
    try:
        fabric = json.loads(content)
    except (ValueError, RecursionError) as error:  # Streamlit reads the JSON
        raise ValueError("no JSON") from error
    for stroke in canvas.from_fabric(fabric):
        canvas.smooth(stroke)


def _recognize_mnist(content: bytes) -> str:
    target = io.BytesIO()
    mnist_formats.unpack(io.BytesIO(content), target)
    return mnist_formats.recognize(target)


def _open_drawing(content: bytes) -> np.ndarray:
    id = "20260101-000000-000000"
    (collection.root() / f"{id}.json").write_bytes(content)
    drawing = collection.open(id)
    return drawing.ink


def _read_image(content: bytes) -> np.ndarray:
    file = collection.root() / "digit.png"
    file.write_bytes(content)
    return preprocessing.normalize(image_files.read_image(file))


def _sevens(x: np.ndarray) -> np.ndarray:
    return np.tile(np.eye(10)[7], (len(x), 1))


def _json(*documents: Any) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


RECIPES = [preset.recipe.to_json().encode() for preset in PRESETS.values()]
ARRAYS = {key: np.zeros(100, np.uint8) for key in PARTS}

TARGETS = {
    "pen digits": Target(
        lambda content: pen_digits.parse_pen_digits("digits.json", io.BytesIO(content)),
        [*_json(_digits()), gzip.compress(_json(_digits())[0])],
    ),
    "saved drawing": Target(_open_drawing, _json(_saved_drawing()), (ValueError, LookupError)),
    "canvas strokes": Target(_from_fabric, _json(_strokes())),
    "canvas picture": Target(
        lambda content: canvas.from_png(content, 30, 20),
        [_picture("PNG", mode) for mode in ("RGBA", "L", "P", "1")],
    ),
    "photo": Target(
        lambda content: photo.recognize_photo(content, "photo.jpg", _sevens), _pictures()
    ),
    "picture of a digit": Target(_read_image, _pictures()),
    "labeled digits": Target(
        lambda content: uploads.read_labeled_digits("mine.npz", content),
        [_npz(np.savez, **_pixels()), _npz(np.savez_compressed, **_pixels())],
    ),
    "labeled CSV": Target(
        lambda content: uploads.read_labeled_digits("mine.csv", content),
        [_csv(), _csv(3).replace(b"label,pixels\n", b"")],
    ),
    "MNIST file": Target(
        _recognize_mnist,
        [
            _npz(np.savez, **ARRAYS),
            *(part.header + bytes(99) for part in PARTS.values()),
            gzip.compress(PARTS["y_test"].header + bytes(10_000)),
            gzip.compress(_csv()),
        ],
    ),
    "recipe": Target(lambda content: Recipe.from_json(content.decode()), RECIPES),
    "blocks": Target(
        lambda content: (parse_conv(content.decode()), parse_dense(content.decode())),
        [b"32x5p,64x3", b"64,32"],
    ),
}


def mutant(target: Target, number: int) -> bytes:
    """One of a target's valid inputs with up to five changes, always the same for a number."""
    rng = random.Random(number)
    content = rng.choice(target.seeds)
    changes = rng.choice((1, 1, 1, 2, 3, 5))
    if content.startswith(b"{") and rng.random() < 0.7:
        return _change_values(content, changes, rng)
    for _ in range(changes):
        content = _change_bytes(content, rng)
    return content


def _change_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip a bit, or cut, double, replace or end a part."""
    start = rng.randint(0, len(content))
    end = min(len(content), start + rng.choice((0, 1, 1, 2, 4, 8, 40, 300)))
    kind = rng.choice(
        ("flip", "flip", "flip", "cut", "double", "double", "replace", "replace", "end")
    )
    if kind == "flip" and start < len(content):
        flipped = content[start] ^ 1 << rng.randrange(8)
        return content[:start] + bytes([flipped]) + content[start + 1 :]
    if kind == "double":
        return content[:end] + content[start:]
    if kind == "replace":
        return content[:start] + rng.choice(PIECES) + content[end:]
    return content[:start] if kind == "end" else content[:start] + content[end:]


def _change_values(content: bytes, changes: int, rng: random.Random) -> bytes:
    """Replace values of a JSON document at any depth."""
    holder = [json.loads(content)]
    for _ in range(changes):
        container: Any = holder
        while True:
            keys = list(container) if isinstance(container, dict) else range(len(container))
            key = rng.choice(keys)
            inner = container[key]
            if not isinstance(inner, dict | list) or not inner or rng.random() < 0.15:
                break
            container = inner
        container[key] = json.loads(rng.choice(VALUES))
    return json.dumps(holder[0]).encode()


def fuzz(name: str, count: int, start: int = 0) -> int:
    """Give a target ``count`` inputs; the number of those that it took.

    Raises ``AssertionError`` with the input's number for what the target does not announce.
    """
    target, taken = TARGETS[name], 0
    for number in range(start, start + count):
        content = mutant(target, number)
        try:
            target.parse(content)
            taken += 1
        except target.announced as error:
            if not str(error) or "\n" in str(error):
                raise AssertionError(f"{name} {number} is refused in no sentence") from error
        except Exception as error:
            kind = type(error).__name__
            raise AssertionError(f"{name} {number} raises {kind}, unannounced") from error
    return taken


@contextmanager
def drawings_apart() -> Iterator[None]:
    """Saved drawings go to a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("DIGITS_DRAWINGS")
        os.environ["DIGITS_DRAWINGS"] = folder
        try:
            yield
        finally:
            os.environ.pop("DIGITS_DRAWINGS")
            if before is not None:
                os.environ["DIGITS_DRAWINGS"] = before


def main() -> None:
    """Fuzz the targets that are asked for, all of them by default; fail at the first exception."""
    parser = argparse.ArgumentParser("python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="target")
    parser.add_argument("--inputs", type=int, default=100_000, help="for each target")
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    arguments = parser.parse_args()
    with drawings_apart():
        for name in arguments.targets or TARGETS:
            begin = time.perf_counter()
            taken = fuzz(name, arguments.inputs, arguments.start)
            seconds = time.perf_counter() - begin
            print(
                f"{name:<16} {arguments.inputs:>9,} inputs, {taken:>7,} taken, the others refused "
                f"in a sentence, {seconds:6.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
