"""Photos of paper that never was: digits in uneven light, tilted, ruled, grainy, as JPEG."""

import io

import numpy as np
from PIL import Image


def photo(
    ink: np.ndarray,
    *,
    width: int = 4000,
    height: int = 3000,
    ruling: str = "plain",
    chalk: bool = False,
    tilt: float = 0.0,
    grain: float = 4.0,
    depth: float = 0.75,
    rule: float = 0.2,
    seed: int = 0,
    exif: Image.Exif | None = None,
) -> bytes:
    """A JPEG of ``ink``, (rows, columns) uint8, on a sheet that fills the picture.

    ``ruling`` is plain, ruled or squared, ``chalk`` is light on dark, ``tilt`` in degrees turns
    the sheet, ``grain`` is the noise of the sensor in gray levels, ``depth`` how dark the ink
    is and ``rule`` how dark the ruling.
    The light falls off to a quarter less in one corner, and perspective narrows the far end.
    """
    random = np.random.default_rng(seed)
    work = width // 2, height // 2  # made at half the size, for time
    scale = min(0.8 * work[0] / ink.shape[1], 0.6 * work[1] / ink.shape[0])
    size = round(ink.shape[1] * scale), round(ink.shape[0] * scale)
    written = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)) / 255
    sheet = np.zeros((work[1] * 2, work[0] * 2), np.float32)  # larger than what is seen of it
    step = work[1] // 12
    if ruling != "plain":
        for row in range(step // 2, sheet.shape[0], step):
            sheet[row : row + 3] = rule
    if ruling == "squared":
        for column in range(step // 2, sheet.shape[1], step):
            sheet[:, column : column + 3] = rule
    top, left = (sheet.shape[0] - size[1]) // 2, (sheet.shape[1] - size[0]) // 2
    part = sheet[top : top + size[1], left : left + size[0]]
    np.maximum(part, depth * written, out=part)
    w, h = sheet.shape[1], sheet.shape[0]
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    far = 0.12 / h  # perspective: what is lower is nearer
    a = [c, -s, w / 4, s, c, h / 4]
    a[2] += w / 4 * (1 - c) + h / 4 * s
    a[5] += h / 4 * (1 - c) - w / 4 * s
    seen = Image.fromarray(sheet).transform(
        work, Image.Transform.PERSPECTIVE, (*a, 0.0, far), Image.Resampling.BILINEAR
    )
    seen = np.asarray(seen.resize((width, height), Image.Resampling.BILINEAR))
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    light = 215 - 90 * x * y - 25 * np.exp(-((x - 0.2) ** 2) * 30)
    gray = (40 + 0.2 * light + seen * 140) if chalk else light * (1 - seen)
    noise = random.normal(0, grain, (height // 2, width // 2)).astype(np.float32)
    gray = gray + noise.repeat(2, 0).repeat(2, 1)[:height, :width]
    tint = np.stack([gray, gray * 0.98, gray * 0.92], axis=-1).clip(0, 255).astype(np.uint8)
    content = io.BytesIO()
    options = {"exif": exif} if exif else {}
    Image.fromarray(tint).save(content, "JPEG", quality=80, **options)
    return content.getvalue()
