"""What may be said of a drawing: one digit, two that it could be, or that it is no digit.

The shipped model gives every drawing ten probabilities that sum to 1, an M too. So a second, tiny
network judges whether there is a digit at all: it was trained to tell MNIST's and synthetic digits
from synthetic letters and scribbles, by the image and the model's probabilities. And the model's
probabilities are calibrated by temperature before two digits are weighed against each other.
``python -m benchmarks.rejection FILE --fit`` fits all of it to the shipped model.
Sources: Hendrycks, Mazeika and Dietterich 2019, Deep anomaly detection with outlier exposure
(ICLR); Chow 1970, On optimum recognition error and reject tradeoff.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.evaluation.calibration import scale

FITTED = Path(__file__).with_suffix(".npz")
CONFIDENT = 0.9  # calibrated; below it at least one in ten such answers is wrong: tell two
FLOOR = 1e-5  # smaller probabilities count as this much


@dataclass(frozen=True, eq=False)
class RejectOption:
    """What was fitted to one model.

    ``hidden`` (206, h), ``hidden_bias`` (h,), ``output`` (h,) and ``output_bias`` (1,) are the
    tiny network, float32; a drawing whose log-odds of being no digit exceed ``threshold`` is
    rejected. ``model`` is the CRC-32 of the model's file.
    """

    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray
    temperature: float
    threshold: float
    model: int

    def log_odds(self, x: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """The log-odds that drawings are no digits, (n,): (n, 28, 28) uint8, (n, 10)."""
        activation = features(x, probabilities) @ self.hidden + self.hidden_bias
        return np.maximum(activation, 0) @ self.output + self.output_bias

    def readings(self, image: np.ndarray, probabilities: np.ndarray) -> tuple[int, ...]:
        """The digits that a drawing may be, most probable first: none, one or two.

        ``image`` is the model's input, (28, 28) uint8, ``probabilities`` its prediction, (10,).
        """
        if self.log_odds(image[None], probabilities[None])[0] > self.threshold:
            return ()
        [calibrated] = scale(probabilities[None], self.temperature)
        first, second = np.argsort(-calibrated, kind="stable")[:2].tolist()
        return (first,) if calibrated[first] >= CONFIDENT else (first, second)


def features(x: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """What the tiny network sees, (n, 206) float32.

    The image, blurred, at 14×14, from 0 to 2, and a fifth of the logarithms of the probabilities.
    """
    image = np.pad(x.astype(np.float32) / 255, ((0, 0), (1, 1), (1, 1)))
    image = image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]
    image = image[:, :, :-2] + 2 * image[:, :, 1:-1] + image[:, :, 2:]
    pooled = image.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 8  # 16 for a mean
    log_p = np.log(np.maximum(probabilities, FLOOR)) / 5
    return np.hstack([pooled.reshape(-1, 196), log_p]).astype(np.float32)


def describe(readings: tuple[int, ...]) -> str | None:
    """A sentence for the visitor on no reading or two, or ``None`` for a single one."""
    if not readings:
        return "This does not look like a digit."
    if len(readings) == 1:
        return None
    first, second = (f"{'an' if digit == 8 else 'a'} {digit}" for digit in readings)
    return f"This could be {first} or {second}."


@functools.cache
def load() -> RejectOption:
    """What was fitted to the shipped model."""
    with np.load(FITTED) as fitted:
        arrays = {name: fitted[name] for name in fitted.files}
    scalars = {name: arrays.pop(name).item() for name in ("temperature", "threshold", "model")}
    return RejectOption(**arrays, **scalars)


def save(fitted: RejectOption) -> None:
    """Replace what was fitted to the shipped model."""
    np.savez_compressed(FITTED, **vars(fitted))
    load.cache_clear()
