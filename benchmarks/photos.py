"""Photos of paper that never was, and how many of the numbers on them are recognized.

``python -m benchmarks.photos FILE`` takes a file of pen digits with their writers, composes
numbers of two to five digits, a quarter of them touching, puts each on paper of every kind and
prints how many the shipped model recognizes, with nothing else found on the photo. Every photo
differs in its pen, size, place, turn, light and grain, by the seed.
"""

import argparse
import io
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digits.evaluation.metrics import wilson_interval
from digits.ink.canvas import rasterize
from digits.ink.pen_digits import read_pen_digits
from digits.multidigit.benchmark import BRUSH, HEIGHT, ComposedNumber, compose_numbers
from digits.multidigit.photo import recognize_photo
from digits.store.models import ModelRef

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "lined": {"ruling": "ruled"},
    "squared": {"ruling": "squared"},
    "soft shadow": {"shadow": "soft"},
    "hard shadow": {"shadow": "hard"},
    "low light": {"light": 0.25, "grain": 7.0},
    "perspective": {"perspective": 0.35},
    "everything": {
        "ruling": "squared",
        "shadow": "hard",
        "light": 0.6,
        "grain": 6.0,
        "perspective": 0.25,
    },
}
WIDTH, HEIGHT_OF_PHOTO = 1600, 1200


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.photos", description=__doc__)
    parser.add_argument("file", type=Path, help="pen digits with their writers")
    parser.add_argument("--numbers", type=int, default=40, help="photos of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS])
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write the photos there, too")
    arguments = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from digits.worker.predict import load, predict

    model = load(ModelRef())
    numbers = compose_numbers(read_pen_digits(arguments.file), arguments.numbers, arguments.seed)
    print("Paper\tWhole\tOf\tShare\t95 % interval\tCPU ms\tWrong")
    for kind in arguments.kinds:
        wrong = []
        seconds = 0.0
        for index, number in enumerate(numbers):
            content = of_number(number, kind, index)
            if arguments.save:
                (arguments.save / f"{kind} {index} {number.text}.jpg").write_bytes(content)
            start = time.process_time()
            try:
                _, found = recognize_photo(content, "photo.jpg", lambda x: predict(model, x))
                text = " ".join(each.text for each in found)
            except ValueError:
                text = "–"
            seconds += time.process_time() - start
            if text != number.text:
                wrong.append(f"{number.text}→{text}")
        n, whole = len(numbers), len(numbers) - len(wrong)
        low, high = wilson_interval(whole, n)
        print(f"{kind}\t{whole}\t{n}\t{whole / n:.1%}\t{low:.1%} – {high:.1%}", end="\t")
        print(f"{1000 * seconds / n:.0f}\t{', '.join(wrong)}", flush=True)


def of_number(number: ComposedNumber, kind: str, seed: int) -> bytes:
    """A JPEG of a number on paper of one of ``KINDS``; the seed decides all that is by chance."""
    random = np.random.default_rng(seed)
    points = np.concatenate(number.strokes, axis=1)
    width, height = (np.ceil(points.max(axis=1)) + 2 * BRUSH).astype(int)
    ink = rasterize(number.strokes, width, height, BRUSH * random.uniform(0.4, 1.2))
    share = random.uniform(0.25, 0.65)
    digit = HEIGHT / width * share * WIDTH  # height in pixels of the photo
    return photo(
        ink,
        width=WIDTH,
        height=HEIGHT_OF_PHOTO,
        share=share,
        tilt=random.uniform(-4, 4),
        depth=random.uniform(0.5, 0.85),
        rule=random.uniform(0.15, 0.35),
        step=digit * random.uniform(0.4, 1.1),
        seed=seed,
        **KINDS[kind],
    )


def photo(
    ink: np.ndarray,
    *,
    width: int = 4000,
    height: int = 3000,
    share: float = 0.8,
    ruling: str = "plain",
    step: float | None = None,
    chalk: bool = False,
    tilt: float = 0.0,
    perspective: float = 0.06,
    shadow: str = "none",
    light: float = 1.0,
    grain: float = 4.0,
    depth: float = 0.75,
    rule: float = 0.2,
    seed: int = 0,
    exif: Image.Exif | None = None,
) -> bytes:
    """A JPEG of ``ink``, (rows, columns) uint8, on a sheet that fills the picture.

    The ink takes at most ``share`` of the width. ``ruling`` is plain, ruled or squared, with lines
    ``step`` pixels apart, ``chalk`` is light on dark. ``tilt`` in degrees turns the sheet and
    ``perspective`` narrows its far end by that share. The light falls off to a quarter less in
    one corner; ``shadow`` is none, soft or hard, ``light`` what the exposure makes of it all;
    ``grain`` is the noise of the sensor in gray levels, ``depth`` how dark the ink is and ``rule``
    how dark the ruling.
    """
    random = np.random.default_rng(seed)
    work = width // 2, height // 2  # made at half the size, for time
    scale = min(share * work[0] / ink.shape[1], 0.6 * work[1] / ink.shape[0])
    size = round(ink.shape[1] * scale), round(ink.shape[0] * scale)
    written = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)) / 255
    sheet = np.zeros((work[1] * 2, work[0] * 2), np.float32)  # larger than what is seen of it
    apart = work[1] // 12 if step is None else max(8, round(step / 2))
    if ruling != "plain":
        for row in range(apart // 2, sheet.shape[0], apart):
            sheet[row : row + 3] = rule
    if ruling == "squared":
        for column in range(apart // 2, sheet.shape[1], apart):
            sheet[:, column : column + 3] = rule
    top, left = (sheet.shape[0] - size[1]) // 2, (sheet.shape[1] - size[0]) // 2
    part = sheet[top : top + size[1], left : left + size[0]]
    np.maximum(part, depth * written, out=part)
    w, h = sheet.shape[1], sheet.shape[0]
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    # The middle of the sheet stays in the middle, what is lower is nearer.
    far = 2 * perspective / h
    x0 = w / 2 - (c * w - s * h) / 4 - far * w * h / 8
    y0 = h / 2 - (s * w + c * h) / 4 - far * h * h / 8
    a = np.array([c, far * w / 2 - s, x0, s, c + far * h / 2, y0, 0.0, far])
    a /= 1 - far * h / 4
    seen = Image.fromarray(sheet).transform(
        work, Image.Transform.PERSPECTIVE, tuple(a.tolist()), Image.Resampling.BILINEAR
    )
    seen = np.asarray(seen.resize((width, height), Image.Resampling.BILINEAR))
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    bright = 215 - 90 * x * y - 25 * np.exp(-((x - 0.2) ** 2) * 30)
    if shadow != "none":
        angle, place = random.uniform(-0.7, 0.7), random.uniform(0.3, 0.7)
        across = (x - place) * np.cos(angle) + (y - 0.5) * np.sin(angle)
        soft = 0.25 if shadow == "soft" else 0.004
        bright *= 1 - 0.55 / (1 + np.exp(-(across / soft).clip(-30, 30)))
    gray = (40 + 0.2 * bright + seen * 140) if chalk else bright * (1 - seen)
    noise = random.normal(0, grain, (height // 2, width // 2)).astype(np.float32)
    gray = gray * light + noise.repeat(2, 0).repeat(2, 1)[:height, :width]
    tint = np.stack([gray, gray * 0.98, gray * 0.92], axis=-1).clip(0, 255).astype(np.uint8)
    content = io.BytesIO()
    options = {"exif": exif} if exif else {}
    Image.fromarray(tint).save(content, "JPEG", quality=80, **options)
    return content.getvalue()


if __name__ == "__main__":
    main()
