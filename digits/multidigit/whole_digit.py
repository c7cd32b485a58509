"""How much a candidate looks like one whole digit, neither a part of one nor more than one.

A network of digits is sure of most halves of digits, too. So a second, tiny network judges each
candidate by its image and by its place on the line. ``python -m benchmarks.segmentation --fit``
trains it on numbers that are composed of MNIST's and of synthetic digits.
Source: the rejection of bad candidates in LeCun et al. 1998, section VI.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

FITTED = Path(__file__).with_suffix(".npz")
PIXELS = 196  # 14×14
FEATURES = PIXELS + 6  # and the six numbers of a place
BATCH = 512  # candidates at once, which takes 5 MB
Place = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, eq=False)
class WholeDigit:
    """The tiny network: a convolution, pooling by two, and two dense layers, all float32.

    ``kernel`` (5, 5, f), ``hidden`` (25 f + 6, h), ``output`` (h,), and their biases.
    """

    kernel: np.ndarray
    kernel_bias: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray

    def log_odds(self, images: np.ndarray, places: Sequence[Place]) -> np.ndarray:
        """The log-odds that candidates are whole digits, (n,): images (n, 28, 28) uint8."""
        return self.judge(features(images, places))

    def judge(self, x: np.ndarray) -> np.ndarray:
        """The same from ``features``, (n, 202)."""
        return np.concatenate([self._log_odds(x[k : k + BATCH]) for k in range(0, len(x), BATCH)])

    def _log_odds(self, x: np.ndarray) -> np.ndarray:
        n, filters = len(x), self.kernel.shape[-1]
        windows = sliding_window_view(x[:, :PIXELS].reshape(n, 14, 14), (5, 5), (1, 2))
        maps = windows.reshape(-1, 25) @ self.kernel.reshape(25, filters) + self.kernel_bias
        pooled = maps.reshape(n, 5, 2, 5, 2, filters).max(axis=(2, 4)).clip(0)
        flat = np.hstack([pooled.reshape(n, -1), x[:, PIXELS:]])
        activation = np.maximum(flat @ self.hidden + self.hidden_bias, 0)
        return activation @ self.output + self.output_bias


def features(images: np.ndarray, places: Sequence[Place]) -> np.ndarray:
    """What the tiny network sees, (n, 202) float32: the image at 14×14, from 0 to 2, and the place.

    A place is six numbers: width, distance from the top and from the bottom of the line, widest
    gap within, and the prices of the cuts to the left and to the right. Lengths are shares of the
    height of the line.
    """
    pooled = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 127.5
    places_of = np.array(places).reshape(-1, 6)
    return np.hstack([pooled.reshape(-1, PIXELS), places_of]).astype(np.float32)


@functools.cache
def load() -> WholeDigit:
    """The network that comes with the app."""
    with np.load(FITTED) as fitted:
        return WholeDigit(**{name: fitted[name] for name in fitted.files})


def save(fitted: WholeDigit) -> None:
    """Replace the network that comes with the app."""
    np.savez_compressed(FITTED, **vars(fitted))
    load.cache_clear()
