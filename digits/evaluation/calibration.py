"""Calibration: does confidence match accuracy? Reliability bins and temperature scaling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digits.evaluation.metrics import wilson_interval

# Runs store probabilities as float16, which rounds everything up to this to 0. A 0 counts as this
# much, and so does anything smaller, for float32 to give what float16 gives.
FLOOR = 2.0**-25
MIN_TEMPERATURE = 0.02  # makes every probability 0 or 1
MAX_TEMPERATURE = 50.0  # makes all ten probabilities equal


@dataclass(frozen=True)
class Reliability:
    """Images in bins of rising confidence: five arrays of (bins,).

    ``confidence`` is the mean probability of the predicted digit, ``accuracy`` the share of
    correct predictions, ``low`` and ``high`` its 95 % interval, all float64 in [0, 1]; ``count``
    is int64.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap between confidence and accuracy, in [0, 1].

        Source: Naeini, Cooper and Hauskrecht 2015, Obtaining well calibrated probabilities using
        Bayesian binning (AAAI).
        """
        return float(np.average(np.abs(self.accuracy - self.confidence), weights=self.count))


def reliability(
    y_true: np.ndarray, probabilities: np.ndarray, bins: int | Sequence[float] = 15
) -> Reliability:
    """Sort images by confidence into bins: (n,) integers, (n, 10).

    ``bins`` is the number of equal-count bins, or the rising edges between bins; an edge belongs
    to the bin above it. Images of equal confidence share a bin, so there can be fewer bins than
    asked for, and fuller ones; empty bins are left out. Raises ``ValueError`` when there are no
    images.
    Source: Nixon et al. 2019, Measuring calibration in deep learning (adaptive bins).
    """
    _require_images(y_true)
    confidence = np.asarray(probabilities, np.float64).max(axis=1)
    correct = probabilities.argmax(axis=1) == y_true
    edges = np.quantile(confidence, np.arange(1, bins) / bins) if isinstance(bins, int) else bins
    # side="right": many images of confidence exactly 1 do not draw those just below into their bin.
    _, bin_of = np.unique(np.searchsorted(edges, confidence, "right"), return_inverse=True)
    count, hits = np.bincount(bin_of), np.bincount(bin_of, correct)
    intervals = [wilson_interval(int(k), int(n)) for k, n in zip(hits, count, strict=True)]
    low, high = np.array(intervals).T
    return Reliability(np.bincount(bin_of, confidence) / count, hits / count, low, high, count)


def fit_temperature(y_val: np.ndarray, probabilities: np.ndarray) -> float:
    """Fit the temperature to validation images: (n,) integers, (n, 10).

    Above 1 the model is overconfident, below 1 underconfident. The fit minimizes cross-entropy,
    which is convex in 1/T, between 0.02 and 50. Where the model makes no mistake or is no better
    than chance, the minimum lies outside and the end of the range is returned. Raises
    ``ValueError`` when there are no images.
    Source: Guo et al. 2017, On calibration of modern neural networks (ICML).
    """
    _require_images(y_val)
    logits = _logits(probabilities)
    label_logits = logits[np.arange(len(logits)), y_val]
    low, high = np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)
    for _ in range(40):  # halves the range to 1e-11
        middle = (low + high) / 2
        slope = np.mean(_softmax(logits / np.exp(middle)) * logits) * 10 - label_logits.mean()
        low, high = (low, middle) if slope < 0 else (middle, high)
    return float(np.exp((low + high) / 2))


def temperature_interval(
    y_val: np.ndarray, probabilities: np.ndarray, temperature: float
) -> tuple[float, float]:
    """The 95 % interval, low and high, of a temperature fitted to these images.

    It is wide where few images constrain the fit, and from 0.02 to 50 where none does. Computed
    for 1/T, a maximum-likelihood estimate, with the sandwich formula, which holds even if no
    temperature makes the probabilities quite right.
    Source: White 1982, Maximum likelihood estimation of misspecified models (Econometrica 50).
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
    """Probabilities (n, 10) at another temperature, float64; the predictions stay the same."""
    return _softmax(_logits(probabilities) / temperature)


def _require_images(y: np.ndarray) -> None:
    if len(y) == 0:
        raise ValueError("Calibration needs at least one image.")


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(np.asarray(probabilities, np.float64), FLOOR))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
