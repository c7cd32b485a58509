"""Digits on a photo of paper: found, cleaned and read, whatever the light and the ruling.

All lengths are shares of the photo's longer side or of the height of its digits.
"""

import io
from dataclasses import replace

import numpy as np
from PIL import Image
from scipy import ndimage

from digits.ink.image_files import open_image
from digits.multidigit.decode import Box, Number, Predict, decode, union
from digits.multidigit.from_pixels import connected_components, from_components

SIDE = 1600  # a photo is looked at with at most that many pixels along its longer side
SHOWN = 1000  # and shown with at most that many
PAPER = 100  # pixels along the longer side are enough to know the light by
WINDOW = 25  # of these around each pixel: wider than any digit's ink, narrower than a shadow

FAINTEST = 0.10  # darker than the paper by that share is ink at least somewhere
NOISE = 5.0  # and so many standard deviations of the paper's grain
INK = 0.4  # share of the darkest ink's contrast from which on a pixel is ink

RULE = 0.5  # a line as long as that share of the photo's side is printed, not written
THIN = 0.008  # and no thicker
STEEPEST = 0.2  # rise of such a line, a share of its run: eleven degrees
BIN = 4.0  # pixels that it may be off the straight to be found

LOWEST = 0.02  # digits are at least that high
HALF = 0.6  # parts at least that high, for the height of the digits, are whole digits
QUARTER = 0.25  # parts at least that high and wide are a loop or a hook, others bars and dots
DUST = 0.08  # parts smaller than that, for the height of the digits, are nothing
SPACE = 1.2  # a gap wider than that, for their height, ends a number
MOST = 60  # digits on one photo


def read_photo(content: bytes, name: str, reader: Predict) -> tuple[bytes, list[Number]]:
    """The numbers on a photo, from top to bottom and left to right, and the photo made small.

    ``content`` is the file's. The small photo is an upright JPEG; boxes are in its pixels.
    Raises ``ValueError`` when it is no picture that can be read, or shows no digits, or far more
    than digits.
    """
    picture = open_image(io.BytesIO(content), name, SIDE)
    paper = Image.new("RGBA", picture.size, "white")
    photo = Image.alpha_composite(paper, picture).convert("RGB")
    named, places, lines = find(ink_of(np.asarray(photo.convert("L"))))
    numbers = decode([from_components(named, places, names) for names in lines], reader)
    small = photo.copy()
    small.thumbnail((SHOWN, SHOWN))
    scale = small.width / photo.width
    shown = io.BytesIO()
    small.save(shown, "JPEG", quality=85)
    return shown.getvalue(), [_scaled(number, scale) for number in numbers]


def ink_of(grey: np.ndarray) -> np.ndarray:
    """What is written on paper, (height, width) uint8 grey, as a mask of that shape.

    The median of a wide window is the paper, so that shadows do not count; where what stands out
    is lighter, it is chalk on a board. Long thin lines are the paper's ruling.
    Raises ``ValueError`` when nothing stands out.
    """
    height, width = grey.shape
    photo = Image.fromarray(grey)
    small = photo.copy()
    small.thumbnail((PAPER, PAPER), Image.Resampling.BOX)
    light = ndimage.median_filter(np.asarray(small, np.float32), min(WINDOW, *small.size))
    paper = np.asarray(Image.fromarray(light).resize((width, height), Image.Resampling.BILINEAR))
    off = ndimage.gaussian_filter(grey.astype(np.float32), 1) - paper
    # Of reflected light a share is lost to ink, however much there is of it.
    contrast = off / (255 - paper).clip(32) if (off**3).mean() > 0 else -off / paper.clip(32)
    few = max(20, grey.size // 4000)
    full = float(np.partition(contrast, -few, axis=None)[-few])
    grain = 1.4826 * float(np.median(np.abs(contrast[::4, ::4])))
    if full < max(FAINTEST, NOISE * grain):
        raise ValueError("No digits were found: nothing stands out from the paper.")
    mask = contrast > INK * full
    return without_rules(without_rules(mask).T).T


def without_rules(mask: np.ndarray) -> np.ndarray:
    """A mask without the thin lines that run across at least half of it from left to right.

    They may slope by ``STEEPEST`` and bend a little; what is written across them stays. Lines
    are found by a Hough transform of their upper edges (Duda and Hart, 1972), the longest first.
    """
    height, width = mask.shape
    thickest = round(THIN * max(height, width))
    thin = mask & ~ndimage.binary_opening(mask, np.ones((thickest + 1, 1)))
    rows, columns = np.nonzero(thin & ~np.roll(thin, 1, axis=0))
    slopes = np.arange(-STEEPEST, STEEPEST, BIN / width)
    low, high = -STEEPEST * width, height + STEEPEST * width
    size = int((high - low) / BIN) + 1

    def votes(some: np.ndarray) -> np.ndarray:  # (slopes, offsets)
        return np.stack(
            [
                np.bincount(
                    ((rows[some] - slope * columns[some] - low) / BIN).astype(int), minlength=size
                )
                for slope in slopes
            ]
        )

    left = np.arange(len(rows))  # of the edges' pixels, those of no line so far
    counted = votes(left)
    rules = np.zeros_like(mask)
    while counted.max(initial=0) > RULE * width:
        slope, offset = np.unravel_index(counted.argmax(), counted.shape)
        line = np.poly1d([slopes[slope], (offset + 0.5) * BIN + low])
        for degree in (1, 2):
            off = np.abs(rows[left] - line(columns[left]))
            near = left[off < 2 * BIN]
            line = np.poly1d(np.polyfit(columns[near], rows[near], degree))
        near = left[np.abs(rows[left] - line(columns[left])) < BIN]
        counted -= votes(near)
        if not len(near):
            break
        left = np.setdiff1d(left, near, assume_unique=True)
        rules[rows[near], columns[near]] = True
    # From its upper edge down each line is as thick as its column has thin ink.
    for _ in range(thickest):
        rules |= np.roll(rules, 1, axis=0) & thin
    return mask & ~rules


def find(mask: np.ndarray) -> tuple[np.ndarray, list[tuple[slice, slice]], list[list[int]]]:
    """The connected parts of a mask that are digits or parts of some, line by line.

    Gives the part that each pixel belongs to, each part's place, and for every number the parts
    it is made of. Raises ``ValueError`` when there are none, or far too many.
    """
    named, _ = connected_components(mask)
    places = ndimage.find_objects(named)
    side = max(mask.shape)
    boxes: list[Box] = [
        (columns.start, rows.start, columns.stop, rows.stop) for rows, columns in places
    ]
    high = np.array([bottom - top for _, top, _, bottom in boxes], float)
    wide = np.array([right - left for left, _, right, _ in boxes], float)
    # What reaches the photo's edge is the table, a shadow, a thumb.
    inside = np.array(
        [
            min(left, top, mask.shape[1] - right, mask.shape[0] - bottom) > 1
            for left, top, right, bottom in boxes
        ],
        bool,
    )
    tall = inside & (high >= LOWEST * side) & (wide < 6 * high)
    if not tall.any():
        raise ValueError("No digits were found: write them larger or go nearer.")
    usual = float(np.percentile(high[tall & (high >= high[tall].max() / 3)], 70))
    whole = np.flatnonzero(tall & (high >= HALF * usual))
    if len(whole) > MOST:
        raise ValueError("There is more than digits here; photograph the digits alone.")
    lines: list[list[int]] = []
    for one in sorted(whole.tolist(), key=lambda one: boxes[one][0]):
        middle = (boxes[one][1] + boxes[one][3]) / 2
        for line in lines:
            last = boxes[line[-1]]
            if last[1] < middle < last[3] and boxes[one][0] - last[2] < SPACE * usual:
                line.append(one)
                break
        else:
            lines.append([one])
    # A loop of an 8 in two parts may stand beside a number, bars and dots belong within it.
    loose = np.setdiff1d(np.flatnonzero(inside & (np.maximum(high, wide) >= DUST * usual)), whole)
    for part in sorted(loose.tolist(), key=lambda one: boxes[one][0]):
        if wide[part] > 2 * usual:
            continue
        x, y = (boxes[part][0] + boxes[part][2]) / 2, (boxes[part][1] + boxes[part][3]) / 2
        reach = usual * (SPACE if min(high[part], wide[part]) > QUARTER * usual else 0.25)
        for line in lines:
            left, top, right, bottom = union([boxes[one] for one in line])
            if left - reach < x < right + reach and top - usual / 5 < y < bottom + usual / 5:
                line.append(part)
                break
    lines.sort(key=lambda line: (round(boxes[line[0]][1] / usual), boxes[line[0]][0]))
    return named, places, [[int(one) + 1 for one in line] for line in lines]


def _scaled(number: Number, scale: float) -> Number:
    digits = []
    for digit in number.digits:
        left, top, right, bottom = (side * scale for side in digit.box)
        digits.append(replace(digit, box=(left, top, right, bottom)))
    return replace(number, digits=digits)
