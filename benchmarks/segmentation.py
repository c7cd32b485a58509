"""Whether candidates for a digit are told from parts of digits, and digits that are merged.

``python -m benchmarks.segmentation --fit`` trains the tiny network of
``digits/multidigit/whole_digit.py`` on candidates of composed numbers, MNIST's training images by
their pixels, synthetic digits by strokes and pixels, and saves it. Without ``--fit`` it prints how
well the network tells candidates of other such numbers apart.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from digits.data import datasets
from digits.ink import synthetic
from digits.ink.canvas import rasterize
from digits.ink.pen_digits import PenDigit
from digits.ink.preprocessing import crop
from digits.multidigit import whole_digit
from digits.multidigit.benchmark import BRUSH, compose_numbers
from digits.multidigit.decode import Box, Line, find_spans, places, union
from digits.multidigit.from_pixels import from_ink
from digits.multidigit.from_strokes import from_strokes
from digits.multidigit.whole_digit import WholeDigit

SAME, OTHER = 0.65, 0.5  # overlap with a digit at which a candidate may be one, and is none
BEST, WORSE = 0.95, 0.9  # share of the best candidate's overlap from which on it is, and is not
MAX_OFFSET = 0.25  # of its box from the digit's, as a share of the digit's height
FILTERS, HIDDEN, DROPOUT = 16, 48, 0.3
EPOCHS, BATCH = 10, 128
TRAIN = {"strokes": 800, "pixels": 350, "images": 350}  # numbers of each kind
TRAIN_SEED, TEST_SEED = 1, 2


@dataclass(frozen=True)
class Truth:
    """One digit of a number, as it looks without the others, and its box."""

    image: np.ndarray  # (28, 28) uint8
    box: Box


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.segmentation", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="train the network again")
    if parser.parse_args().fit:
        whole_digit.save(fit())
    for kind, n in TRAIN.items():
        images, places, y = candidates(kind, n // 10, TEST_SEED)
        right = (whole_digit.load().log_odds(images, places) > 0) == y
        print(f"{kind}: {right[y].mean():.1%} of {y.sum():,} digits", end=", ")
        print(f"{right[~y].mean():.1%} of {(~y).sum():,} others")


def fit() -> WholeDigit:
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    parts = [candidates(kind, n, TRAIN_SEED) for kind, n in TRAIN.items()]
    images, places, y = (np.concatenate(part) for part in zip(*parts, strict=True))
    x = whole_digit.features(images, places)
    seen = keras.Input(x.shape[1:])
    image = layers.Reshape((14, 14, 1))(seen[:, : whole_digit.PIXELS])
    maps = layers.MaxPooling2D()(layers.Conv2D(FILTERS, 5, activation="relu")(image))
    flat = layers.Concatenate()([layers.Flatten()(maps), seen[:, whole_digit.PIXELS :]])
    hidden = layers.Dense(HIDDEN, "relu")(layers.Dropout(DROPOUT)(flat))
    network = keras.Model(seen, layers.Dense(1)(layers.Dropout(DROPOUT)(hidden)))
    rate = keras.optimizers.schedules.CosineDecay(0.003, EPOCHS * -(-len(x) // BATCH))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(rate), loss)
    network.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    kernel, kernel_bias, *dense, output, output_bias = network.get_weights()
    return WholeDigit(kernel[:, :, 0], kernel_bias, *dense, output[:, 0], output_bias)


def candidates(kind: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The candidates of ``n`` numbers: images (m, 28, 28), places (m, 6), digit or not (m,) bool.

    Those are left out that are neither quite a digit nor clearly none.
    """
    parts = []
    for line, truths in NUMBERS[kind](n, seed):
        spans = find_spans(line)
        images = np.stack([line.picture(range(*span)) for span in spans])
        boxes = [union(line.boxes[slice(*span)]) for span in spans]
        overlap = np.array(
            [
                [_overlap(*each, truth) for truth in truths]
                for each in zip(images, boxes, strict=True)
            ]
        )
        best = overlap.max(axis=0).clip(1e-9)  # (digits,)
        digit = ((overlap >= SAME) & (overlap >= BEST * best)).any(axis=1)
        clear = digit | ((overlap < OTHER) | (overlap < WORSE * best)).all(axis=1)
        parts.append((images[clear], np.array(places(line, spans))[clear], digit[clear]))
    images, places_of, y = (np.concatenate(part) for part in zip(*parts, strict=True))
    return images, places_of, y


def _overlap(image: np.ndarray, box: Box, truth: Truth) -> float:
    """Ink that a candidate shares with a digit, of the ink of either; 0 when it is elsewhere."""
    offset = max(abs(a - b) for a, b in zip(box, truth.box, strict=True))
    if offset > MAX_OFFSET * (truth.box[3] - truth.box[1]):
        return 0.0
    a = np.stack([np.roll(image, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)])
    both = np.minimum(a, truth.image).sum(axis=(1, 2), dtype=float)
    either = np.maximum(a, truth.image).sum(axis=(1, 2), dtype=float)
    return float((both / either).max())


def _truth(line: Line) -> Truth:
    return Truth(line.picture(range(len(line.boxes))), union(line.boxes))


def synthetic_digits(writers: int, seed: int) -> list[PenDigit]:
    """Twelve digits of each of a number of writers."""
    random = np.random.default_rng(seed)
    digits = []
    for writer in range(writers):
        for label in random.integers(10, size=12).tolist():
            variants = list(synthetic.VARIANTS[label].values())
            variant = synthetic.parse(variants[random.integers(len(variants))])
            digits.append(PenDigit(label, synthetic.vary(variant, random), writer=writer))
    return digits


def by_strokes(n: int, seed: int) -> Iterator[tuple[Line, list[Truth]]]:
    for number in compose_numbers(synthetic_digits(n, seed), n, seed):
        yield from_strokes(number.strokes), [_truth(from_strokes(part)) for part in number.digits]


def by_pixels(n: int, seed: int) -> Iterator[tuple[Line, list[Truth]]]:
    random = np.random.default_rng(seed)
    for number in compose_numbers(synthetic_digits(n, seed), n, seed):
        scale = random.uniform(0.45, 0.7)
        brush = BRUSH * scale * random.uniform(0.4, 1.3)
        digits = [[scale * stroke for stroke in part] for part in number.digits]
        points = np.concatenate([stroke for part in digits for stroke in part], axis=1)
        width, height = (np.ceil(points.max(axis=1)) + 2 * BRUSH).astype(int)
        inks = [rasterize(part, width, height, brush) for part in digits]
        yield from_ink(np.max(inks, axis=0)), [_truth(from_ink(ink)) for ink in inks]


def of_images(n: int, seed: int) -> Iterator[tuple[Line, list[Truth]]]:
    """Numbers of two to four MNIST images, every other of which touch."""
    images = datasets.load("mnist").x_train
    random = np.random.default_rng(seed)
    for index in range(n):
        gap = 0 if index % 2 else random.uniform(0, 25)
        placed: list[np.ndarray] = []
        edge = np.full(100, -np.inf)
        lefts = []
        for pick in random.integers(len(images), size=random.integers(2, 5)):
            digit = Image.fromarray(crop(images[pick]))
            height = round(64 * random.uniform(0.9, 1.1))
            size = round(digit.width * height / digit.height), height
            if size[0] > 1.3 * height:
                continue
            ink = np.zeros((100, size[0]), np.uint8)
            top = random.integers(12, 22)
            ink[top : top + height] = np.asarray(digit.resize(size, Image.Resampling.BICUBIC))
            mask = ink > 127
            first = np.where(mask.any(axis=1), mask.argmax(axis=1), np.inf)
            last = np.where(mask.any(axis=1), size[0] - mask[:, ::-1].argmax(axis=1), -np.inf)
            left = 0
            if placed:
                left = round(max((edge - first).max() + (gap or -2), edge.max() - 0.2 * height))
            edge = np.maximum(edge, last + left)
            placed.append(ink)
            lefts.append(left)
        start = min(lefts)
        right = max(left + ink.shape[1] for left, ink in zip(lefts, placed, strict=True))
        inks = np.zeros((len(placed), 100, right - start + 8), np.uint8)
        for ink, part, left in zip(inks, placed, lefts, strict=True):
            ink[:, 4 + left - start : 4 + left - start + part.shape[1]] = part
        yield from_ink(inks.max(axis=0)), [_truth(from_ink(ink)) for ink in inks]


NUMBERS = {"strokes": by_strokes, "pixels": by_pixels, "images": of_images}

if __name__ == "__main__":
    main()
