"""Whether probabilities can be believed: of the digits read with 90 %, are nine in ten right?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digits.evaluation.metrics import wilson_interval

# Runs keep probabilities as float16, which has none between 0 and 6e-8: half of that rounds to 0.
# So a 0 is read as this, and what is smaller too, for float32 to be treated as float16 is.
FLOOR = 2.0**-25
MIN_TEMPERATURE, MAX_TEMPERATURE = (
    0.02,
    50.0,
)  # temperatures that make everything 0 or 1, and everything alike


@dataclass(frozen=True)
class Reliability:
    """Images in bins of rising confidence: five arrays of (bins,).

    ``confidence`` is the mean probability of the predicted digit, ``accuracy`` the share that is
    right, ``low`` and ``high`` its 95 % interval, all float64 in [0, 1]; ``count`` is int64.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: how far confidence and accuracy lie apart, 0 to 1.

        Source: Naeini, Cooper and Hauskrecht 2015, Obtaining well calibrated probabilities using
        Bayesian binning (AAAI).
        """
        return float(np.average(np.abs(self.accuracy - self.confidence), weights=self.count))


def reliability(
    y_true: np.ndarray, probabilities: np.ndarray, bins: int | Sequence[float] = 15
) -> Reliability:
    """Sort images by confidence into bins: (n,) integers, (n, 10).

    ``bins`` is how many, of equally many images each, or the rising edges between them, each of
    which belongs to the bin above it. Images of equal confidence share a bin, so there can be
    fewer than asked, and fuller ones; empty ones are left out. Raises ``ValueError`` when there
    are no images.
    Source: Nixon et al. 2019, Measuring calibration in deep learning (adaptive bins).
    """
    _check(y_true)
    confidence = np.asarray(probabilities, np.float64).max(axis=1)
    right = probabilities.argmax(axis=1) == y_true
    edges = np.quantile(confidence, np.arange(1, bins) / bins) if isinstance(bins, int) else bins
    # To the right: of many sure of exactly 1, none draws those just below it into its own bin.
    _, place = np.unique(np.searchsorted(edges, confidence, "right"), return_inverse=True)
    count, correct = np.bincount(place), np.bincount(place, right)
    intervals = [wilson_interval(int(k), int(n)) for k, n in zip(correct, count, strict=True)]
    low, high = np.array(intervals).T
    return Reliability(np.bincount(place, confidence) / count, correct / count, low, high, count)


def temperature(y_val: np.ndarray, probabilities: np.ndarray) -> float:
    """The temperature that makes probabilities of validation images fit: (n,) integers, (n, 10).

    Above 1 the model was too sure, below 1 not sure enough. It minimizes the cross-entropy,
    which is convex in 1/T, between 0.02 and 50; where the model makes no mistake, or reads no
    better than chance, the best lies beyond and the end of the range is returned. Raises
    ``ValueError`` when there are no images.
    Source: Guo et al. 2017, On calibration of modern neural networks (ICML).
    """
    _check(y_val)
    logits = _logits(probabilities)
    own = logits[np.arange(len(logits)), y_val]
    low, high = np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)
    for _ in range(40):  # halves the range to 1e-11
        middle = (low + high) / 2
        slope = np.mean(_softmax(logits / np.exp(middle)) * logits) * 10 - own.mean()
        low, high = (low, middle) if slope < 0 else (middle, high)
    return float(np.exp((low + high) / 2))


def temperature_interval(
    y_val: np.ndarray, probabilities: np.ndarray, temperature: float
) -> tuple[float, float]:
    """The 95 % interval of a temperature that was fitted to these images: low and high.

    Wide where few of them tell, and from 0.02 to 50 where none does. It is that of 1/T as an
    estimate of maximum likelihood by the sandwich formula, which holds even if no temperature
    makes the probabilities quite right. Source: White 1982, Maximum likelihood estimation of
    misspecified models (Econometrica 50).
    """
    logits, scaled = _logits(probabilities), scale(probabilities, temperature)
    mean = (scaled * logits).sum(axis=1)
    slope = mean - logits[np.arange(len(logits)), y_val]
    curvature = ((scaled * logits**2).sum(axis=1) - mean**2).sum()
    if curvature <= 0:
        return MIN_TEMPERATURE, MAX_TEMPERATURE
    half = 1.96 * np.sqrt((slope**2).sum()) / curvature
    low, high = 1 / (1 / temperature + half), 1 / max(1 / temperature - half, 1 / MAX_TEMPERATURE)
    return float(low), float(high)


def scale(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (n, 10) at another temperature: float64, the order of the digits stays."""
    return _softmax(_logits(probabilities) / temperature)


def _check(y: np.ndarray) -> None:
    if len(y) == 0:
        raise ValueError("Calibration needs at least one image.")


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(np.asarray(probabilities, np.float64), FLOOR))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
