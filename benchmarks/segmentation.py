"""Whether candidates for a digit are told from parts of digits, and digits that are merged.

``python -m benchmarks.segmentation --fit`` trains the tiny network of
``digits/multidigit/whole_digit.py`` on composed numbers, MNIST's training images by their pixels,
synthetic digits by strokes and pixels, and saves it. Without ``--fit`` it prints how well the
network tells candidates of other such numbers apart.
"""

import argparse

import numpy as np

from benchmarks.candidates import labeled
from digits.multidigit import whole_digit
from digits.multidigit.whole_digit import WholeDigit

TRAIN = {"strokes": 4000, "pixels": 1200, "images": 1400}  # numbers of each kind
TRAIN_SEED, TEST_SEED = 1, 2


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.segmentation", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="train the network again")
    if parser.parse_args().fit:
        whole_digit.save(fit())
    for kind, n in TRAIN.items():
        numbers = labeled(kind, n // 20, TEST_SEED)
        y = np.concatenate([number.digit[number.clear] for number in numbers])
        x = np.concatenate([number.x[number.clear] for number in numbers])
        right = (whole_digit.load().judge(x) > 0) == y
        print(f"{kind}: {right[y].mean():.1%} of {y.sum():,} digits", end=", ")
        print(f"{right[~y].mean():.1%} of {(~y).sum():,} others")


def fit() -> WholeDigit:
    from benchmarks.train_segmenter import train

    return train([number for kind, n in TRAIN.items() for number in labeled(kind, n, TRAIN_SEED)])


if __name__ == "__main__":
    main()
