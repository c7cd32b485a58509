"""Digits on a photo of paper: found, separated from it and recognized, in any light and ruling."""

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from digits.ink.image_files import open_image
from digits.multidigit.decode import Box, Number, Predict, decode, union
from digits.multidigit.from_pixels import connected_components, from_components, stroke_width

PHOTO_SIDE = 1600  # pixels along the longer side at which a photo is analyzed
SHOWN_SIDE = 1000  # and at which it is shown
PAPER_SIDE = 100  # pixels along the longer side are enough to know the light by
WINDOW = 25  # of these around each pixel: wider than any digit's ink, narrower than a shadow

MIN_CONTRAST = 0.10  # darker than the paper by that share is ink at least somewhere
MIN_SIGNAL = 5.0  # and this many standard deviations of the paper's grain
INK_CONTRAST = 0.4  # share of the darkest ink's contrast from which on a pixel is ink

# Shares of the photo's side.
MIN_DIGIT = 0.02  # digits are at least that high
RULE_LENGTH = 0.5  # a line as long as that is printed, not written
RULE_WIDTH = 0.008  # and no thicker
MAX_SLOPE = 0.3  # rise of such a line, a share of its run: seventeen degrees
BIN = 4.0  # pixels that it may be off the straight to be found

# Shares of the height of the digits.
WHOLE_DIGIT = 0.6  # components at least that high are whole digits
LOOP = 0.25  # others at least that high and wide are a loop or a hook, the rest bars and dots
MIN_STROKE = 0.5  # components of thinner strokes, as a share of most of the ink's, are nothing
DUST = 0.08  # smaller components are nothing
MAX_GAP = 1.2  # a wider gap ends a number
MAX_DIGITS = 60  # on one photo


def recognize_photo(content: bytes, name: str, predict: Predict) -> tuple[bytes, list[Number]]:
    """The photo made small, and its numbers from top to bottom and left to right.

    ``content`` is the file's. The small photo is an upright JPEG; boxes are in its pixels.
    Raises ``ValueError`` when it is no picture that can be read, or shows no digits, or far more
    than digits.
    """
    picture = open_image(content, name, PHOTO_SIDE)
    paper = Image.new("RGBA", picture.size, "white")
    photo = Image.alpha_composite(paper, picture).convert("RGB")
    components, slices, lines = find_numbers(find_ink(np.asarray(photo.convert("L"))))
    numbers = decode([from_components(components, slices, labels) for labels in lines], predict)
    small = photo.copy()
    small.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    jpeg = io.BytesIO()
    small.save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue(), [_scale(number, small.width / photo.width) for number in numbers]


def find_ink(gray: np.ndarray) -> np.ndarray:
    """What is written on paper, (height, width) uint8 gray, as a mask of that shape.

    The median of a wide window is the paper, so that shadows do not count; where what stands out
    is lighter, it is chalk on a board. Long thin lines are the paper's ruling.
    Raises ``ValueError`` when nothing stands out.
    """
    from scipy import ndimage

    height, width = gray.shape
    small = Image.fromarray(gray)
    small.thumbnail((PAPER_SIDE, PAPER_SIDE), Image.Resampling.BOX)
    light = ndimage.median_filter(np.asarray(small, np.float32), min(WINDOW, *small.size))
    paper = np.asarray(Image.fromarray(light).resize((width, height), Image.Resampling.BILINEAR))
    difference = ndimage.gaussian_filter(gray.astype(np.float32), 1) - paper
    # Of reflected light a share is lost to ink, however much there is of it.
    if (difference**3).mean() > 0:
        contrast = difference / (255 - paper).clip(32)
    else:
        contrast = -difference / paper.clip(32)
    few = max(20, gray.size // 4000)
    darkest = float(np.partition(contrast, -few, axis=None)[-few])
    grain = 1.4826 * float(np.median(np.abs(contrast[::4, ::4])))
    if darkest < max(MIN_CONTRAST, MIN_SIGNAL * grain):
        raise ValueError("No digits were found: nothing stands out from the paper.")
    mask = contrast > INK_CONTRAST * darkest
    return remove_rules(remove_rules(mask).T).T


def remove_rules(mask: np.ndarray) -> np.ndarray:
    """A mask without the thin lines that run across at least half of it from left to right.

    They may slope by ``MAX_SLOPE`` and bend a little; what is written across them stays. Lines
    are found by a Hough transform of their upper edges (Duda and Hart, 1972), the longest first.
    """
    from scipy import ndimage

    height, width = mask.shape
    rule_width = round(RULE_WIDTH * max(height, width))
    thin = mask & ~ndimage.binary_opening(mask, np.ones((rule_width + 1, 1)))
    rows, columns = np.nonzero(thin & ~np.roll(thin, 1, axis=0))
    slopes = np.arange(-MAX_SLOPE, MAX_SLOPE, BIN / width)
    low, high = -MAX_SLOPE * width, height + MAX_SLOPE * width
    bins = int((high - low) / BIN) + 1

    def votes(edges: np.ndarray) -> np.ndarray:  # (slopes, offsets)
        y, x = rows[edges], columns[edges]
        return np.stack(
            [
                np.bincount(((y - slope * x - low) / BIN).astype(int), minlength=bins)
                for slope in slopes
            ]
        )

    left = np.arange(len(rows))  # of the edges' pixels, those of no line so far
    counts = votes(left)
    rules = np.zeros_like(mask)
    while counts.max(initial=0) > RULE_LENGTH * width:
        slope, offset = np.unravel_index(counts.argmax(), counts.shape)
        line = np.poly1d([slopes[slope], (offset + 0.5) * BIN + low])
        for degree in (1, 2):
            distance = np.abs(rows[left] - line(columns[left]))
            near = left[distance < 2 * BIN]
            line = np.poly1d(np.polyfit(columns[near], rows[near], degree))
        near = left[np.abs(rows[left] - line(columns[left])) < BIN]
        counts -= votes(near)
        if not len(near):
            break
        left = np.setdiff1d(left, near, assume_unique=True)
        rules[rows[near], columns[near]] = True
    # From its upper edge down each line is as thick as its column has thin ink.
    for _ in range(rule_width):
        rules |= np.roll(rules, 1, axis=0) & thin
    return mask & ~rules


def find_numbers(mask: np.ndarray) -> tuple[np.ndarray, list[tuple[slice, slice]], list[list[int]]]:
    """The connected components of a mask that are digits or parts of some, line by line.

    Returns the label of each pixel's component, each component's bounding box, and for every
    number the labels of its components. Raises ``ValueError`` when there are none, or far too many.
    """
    from scipy import ndimage

    components, _ = connected_components(mask)
    slices = ndimage.find_objects(components)
    boxes: list[Box] = [
        (columns.start, rows.start, columns.stop, rows.stop) for rows, columns in slices
    ]
    # What reaches the photo's edge is the table, a shadow, a thumb.
    inside = np.array(
        [
            min(left, top, mask.shape[1] - right, mask.shape[0] - bottom) > 1
            for left, top, right, bottom in boxes
        ],
        bool,
    )
    min_height = MIN_DIGIT * max(mask.shape)
    inside &= _of_one_pen(components, slices, inside, DUST * min_height)
    lines = _group_into_numbers(boxes, inside, min_height)
    return components, slices, [[index + 1 for index in line] for line in lines]


def _of_one_pen(
    components: np.ndarray, slices: list[tuple[slice, slice]], inside: np.ndarray, dust: float
) -> np.ndarray:
    """Which components, (n,) bool, have strokes about as wide as most of the ink, or wider.

    What is left of a ruling is thinner than what was written.
    """
    widths, areas = np.zeros((2, len(slices)))
    for index in np.flatnonzero(inside):
        place = slices[index]
        if max(place[0].stop - place[0].start, place[1].stop - place[1].start) >= dust:
            mask = components[place] == index + 1
            widths[index], areas[index] = stroke_width([mask]), mask.sum()
    order = np.argsort(widths)
    usual = widths[order[np.searchsorted(areas[order].cumsum(), areas.sum() / 2)]]
    return widths >= MIN_STROKE * usual


def _group_into_numbers(boxes: list[Box], inside: np.ndarray, min_height: float) -> list[list[int]]:
    """Indices of the boxes that make a number, for each; ``inside`` (n,) bool tells which may."""
    heights = np.array([bottom - top for _, top, _, bottom in boxes], float)
    widths = np.array([right - left for left, _, right, _ in boxes], float)
    tall = inside & (heights >= min_height) & (widths < 6 * heights)
    if not tall.any():
        raise ValueError("No digits were found: write them larger or go nearer.")
    height = float(np.percentile(heights[tall & (heights >= heights[tall].max() / 3)], 70))
    whole = np.flatnonzero(tall & (heights >= WHOLE_DIGIT * height))
    if len(whole) > MAX_DIGITS:
        raise ValueError("There is more than digits here; photograph the digits alone.")
    lines: list[list[int]] = []
    for index in sorted(whole.tolist(), key=lambda index: boxes[index][0]):
        left, top, _, bottom = boxes[index]
        for line in lines:
            last = boxes[line[-1]]
            if last[1] < (top + bottom) / 2 < last[3] and left - last[2] < MAX_GAP * height:
                line.append(index)
                break
        else:
            lines.append([index])
    # A loop of an 8 in two parts may stand beside a number, bars and dots belong within it.
    loose = np.flatnonzero(inside & (np.maximum(heights, widths) >= DUST * height))
    loose = np.setdiff1d(loose, whole)
    for index in sorted(loose.tolist(), key=lambda index: boxes[index][0]):
        if widths[index] > 2 * height:
            continue
        is_loop = min(heights[index], widths[index]) > LOOP * height
        reach = height * (MAX_GAP if is_loop else 0.25)
        left, top, right, bottom = boxes[index]
        x, y = (left + right) / 2, (top + bottom) / 2
        for line in lines:
            left, top, right, bottom = union([boxes[other] for other in line])
            if left - reach < x < right + reach and top - height / 5 < y < bottom + height / 5:
                line.append(index)
                break
    lines.sort(key=lambda line: (round(boxes[line[0]][1] / height), boxes[line[0]][0]))
    return lines


def _scale(number: Number, scale: float) -> Number:
    digits = []
    for digit in number.digits:
        left, top, right, bottom = (side * scale for side in digit.box)
        digits.append(replace(digit, box=(left, top, right, bottom)))
    return replace(number, digits=digits)
