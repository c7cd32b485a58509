"""What a run's curves say went well or wrong: rules that cite the figures they go by.

Tested on the recorded runs of ``benchmarks/diagnosis.py``; ``docs/results.md`` has the figures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal[
    "guessing",
    "diverged",
    "rate too low",
    "rate too high",
    "overfitting",
    "underfitting",
    "still improving",
    "training below validation",
    "healthy",
]

GUESS = float(np.log(10))  # the loss of a network that knows nothing of ten digits
GUESSING = "guessing among ten digits gives ln 10 = 2.303 and 10%"
LUCKY = 0.2  # accuracy up to which a network may be guessing
NEAR_GUESS = 0.95 * GUESS  # loss from which on it may be
STUCK = 0.85 * GUESS  # the same after a jump
JUMP = 1.4  # times the loss of guessing, or of the first batch: no mere noise
FLAT = 0.9  # share of the first loss that is left where hardly anything was learned
RISE = 1.1  # of a validation loss, over its lowest
KNOWN = 0.99  # training accuracy from which on the images are known by heart
GAP = 0.03  # of accuracies: that of a network which memorizes
LOW = 0.96  # validation accuracy that a better network would surpass
IMPROVING = 0.05  # share of the validation loss that an epoch takes away while it is worth while
MIN_STEPS = 30  # of a run that goes on, before anything is said of it


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of one run, loss in nats.

    ``loss`` and ``accuracy`` are of each training batch, (steps,); the others of each epoch,
    (epochs,), those of training averaged over the epoch. ``rates`` has the learning rate of every
    step of the whole run, ``relative_rate`` is their peak over what the optimizer usually takes.
    ``harder`` names what only training has to cope with, such as "dropout", or is "".
    """

    loss: np.ndarray
    accuracy: np.ndarray
    train_loss: np.ndarray
    train_accuracy: np.ndarray
    val_loss: np.ndarray
    val_accuracy: np.ndarray
    rates: np.ndarray
    relative_rate: float
    val_images: int
    harder: str = ""
    ended: bool = True
    infinite: bool = False  # whether the loss became infinite


@dataclass(frozen=True)
class Diagnosis:
    """What a run's curves say: a kind, and a sentence with the figures that speak for it.

    ``since`` is the epoch, from 1, after which an overfitting run got worse.
    """

    kind: Kind
    sentence: str
    since: int | None = None


def diagnose(curves: Curves) -> Diagnosis | None:
    """The first rule that applies; ``None`` while nothing is plain yet.

    That is while a run goes on, or where it was stopped in its first epoch.
    """
    if curves.infinite:
        return _infinite(curves)
    if not len(curves.loss):
        return None
    epochs = len(curves.val_loss)
    judged = curves.ended and epochs
    rules: tuple[Rule, ...] = PLAIN if judged or _plenty(curves) else ()
    rules += (_overfitting,) if epochs else ()
    rules += AT_THE_END if judged else ()
    for rule in rules:
        if diagnosis := rule(curves):
            return diagnosis
    return None


def _plenty(curves: Curves) -> bool:
    """Whether a run that has not ended, or not one epoch, has had time to show what it does."""
    steps = len(curves.loss)
    warm_up = np.cumsum(curves.rates)[steps - 1] >= curves.rates.sum() / 5
    return bool(steps >= MIN_STEPS and warm_up)


def _infinite(curves: Curves) -> Diagnosis:
    epoch = len(curves.val_loss) + 1
    steps = len(curves.loss)
    last = f" after {curves.loss[-1]:.3g} in step {steps:,}" if steps else ""
    return Diagnosis("diverged", f"The loss became infinite in epoch {epoch}{last}.")


def _diverged(curves: Curves) -> Diagnosis | None:
    level, accuracy = _end(curves.loss), _end(curves.accuracy)
    if level < STUCK or accuracy > LUCKY:
        return None
    peak, lowest = _peak(curves.loss), _smooth(curves.loss).min()
    if curves.loss[peak] > JUMP * GUESS:
        before = f"The loss jumped to {curves.loss[peak]:.3g} in step {peak + 1:,}"
    elif lowest < level - 0.5:
        before = f"The loss had come down to {lowest:.2f}"
    else:
        return None
    return Diagnosis("diverged", f"{before} and stays at {level:.2f}; {GUESSING}.")


def _guessing(curves: Curves) -> Diagnosis | None:
    level, accuracy = _end(curves.loss), _end(curves.accuracy)
    if level < NEAR_GUESS or max([accuracy, *curves.val_accuracy[-1:]]) > LUCKY:
        return None
    steps = len(curves.loss)
    return Diagnosis(
        "guessing",
        f"After {steps:,} steps the loss is {level:.3f} and {accuracy:.0%} of the training digits "
        f"are classified correctly: {GUESSING}.",
    )


def _rate_too_high(curves: Curves) -> Diagnosis | None:
    peak = _peak(curves.loss)
    if curves.loss[peak] > JUMP * max(GUESS, curves.loss[0]):
        return Diagnosis(
            "rate too high",
            f"The loss jumped to {curves.loss[peak]:.3g} in step {peak + 1:,}, "
            f"where a mere guess has {GUESS:.1f}, and is at {_end(curves.loss):.2g} now.",
        )
    return None


def _overfitting(curves: Curves) -> Diagnosis | None:
    """The validation loss rises while the training loss falls."""
    val, train = curves.val_loss, curves.train_loss
    best = int(val.argmin())
    if len(val) < best + 3 or train[-1] >= train[best] or val[-1] < 2 * train[-1]:
        return None
    if val[-2:].min() < max(RISE * val[best], val[best] + _chance(curves)):
        return None
    return Diagnosis(
        "overfitting",
        f"Since epoch {best + 1} the validation loss has risen from {val[best]:.3f} to "
        f"{val[-1]:.3f}, while the training loss fell from {train[best]:.2g} to {train[-1]:.2g}: "
        f"the network learns the training images by heart.",
        since=best + 1,
    )


def _chance(curves: Curves) -> float:
    """How far a validation loss may move by chance, nats: its images' losses differ by some 0.2."""
    return 0.2 / float(np.sqrt(curves.val_images))


def _gap(curves: Curves) -> Diagnosis | None:
    """Training digits are known by heart, and the validation loss has stopped to follow."""
    train, val = curves.train_accuracy[-1], curves.val_accuracy[-1]
    error = np.sqrt(val * (1 - val) / curves.val_images)
    if train < KNOWN or train - val < max(GAP, 2 * error):
        return None
    flat = int(np.flatnonzero(curves.val_loss < RISE * curves.val_loss.min())[0])
    if len(curves.val_loss) < flat + 3:
        return None
    return Diagnosis(
        "overfitting",
        f"Training accuracy is {train:.1%} and validation accuracy {val:.1%}; since epoch "
        f"{flat + 1} the validation loss has stayed near {curves.val_loss[-1]:.3f}, while the "
        f"training loss fell from {curves.train_loss[flat]:.2g} to {curves.train_loss[-1]:.2g}.",
        since=flat + 1,
    )


def _rate_too_low(curves: Curves) -> Diagnosis | None:
    """A fifth of the way, as the rates add up, has taught little, and the whole way not half."""
    fifth = int(np.searchsorted(np.cumsum(curves.rates), curves.rates.sum() / 5)) + 1
    start, level, end = max(curves.loss[0], GUESS), _end(curves.loss[:fifth]), _end(curves.loss)
    if curves.relative_rate >= 1 or level < FLAT * start or end < GUESS / 2:
        return None
    return Diagnosis(
        "rate too low",
        f"The loss fell by only {1 - level / start:.0%} in the first fifth of the run, from "
        f"{start:.2f} to {level:.2f}, and is at {end:.2f} at the end.",
    )


def _underfitting(curves: Curves) -> Diagnosis | None:
    train, val = curves.train_accuracy[-1], curves.val_accuracy[-1]
    quarter = max(1, len(curves.val_loss) // 4)
    before = curves.val_loss[-1 - quarter] if len(curves.val_loss) > quarter else np.inf
    gain = 1 - (curves.val_loss[-1] / before) ** (1 / quarter)  # of an epoch
    if val > LOW or train - val > GAP or gain > IMPROVING:
        return None
    return Diagnosis(
        "underfitting",
        f"Accuracy has settled at {train:.1%} on training and {val:.1%} on validation images: "
        f"the two are close, and both are low.",
    )


def _still_improving(curves: Curves) -> Diagnosis | None:
    val = curves.val_loss
    if len(val) < 2 or curves.rates[len(curves.loss) - 1] < 0.2 * curves.rates.max():
        return None
    gain = 1 - val[-1] / val[:-1].min()
    if gain < IMPROVING:
        return None
    return Diagnosis(
        "still improving",
        f"The validation loss fell by another {gain:.0%} in the last epoch, to {val[-1]:.3f}.",
    )


def _below(curves: Curves) -> Diagnosis | None:
    train, val = curves.train_accuracy[-1], curves.val_accuracy[-1]
    error = np.sqrt(val * (1 - val) / curves.val_images)
    if train > val - max(2 * error, 0.005):
        return None
    harder = f", with {curves.harder}" if curves.harder else ""
    return Diagnosis(
        "training below validation",
        f"Training accuracy ({train:.1%}) is below validation accuracy ({val:.1%}), which is "
        f"normal: it averages over an epoch in which the network still learned{harder}.",
    )


def _healthy(curves: Curves) -> Diagnosis:
    train, val = curves.train_accuracy[-1], curves.val_accuracy[-1]
    return Diagnosis(
        "healthy",
        f"The loss came down to {curves.train_loss[-1]:.2g} on training and "
        f"{curves.val_loss[-1]:.2g} on validation images, with accuracies of {train:.1%} and "
        f"{val:.1%}.",
    )


def _peak(loss: np.ndarray) -> int:
    """The step, from 0, of the highest loss with another nearly as high beside it.

    By itself a small batch may be as bad: the last one of an epoch can be a single image.
    """
    padded = np.pad(loss, 1, mode="edge" if len(loss) < 3 else "reflect")
    beside = np.maximum(padded[:-2], padded[2:])
    return int(np.minimum(loss, 2 * beside).argmax())


def _smooth(values: np.ndarray) -> np.ndarray:
    """Means of ten neighbors: (n,) to (n - 9,), or of all where there are fewer."""
    width = min(10, len(values))
    return np.convolve(values, np.full(width, 1 / width), "valid")


def _end(values: np.ndarray) -> float:
    """The mean of the last tenth, of ten values at least."""
    return float(values[-max(10, len(values) // 10) :].mean())


Rule = Callable[[Curves], Diagnosis | None]
PLAIN: tuple[Rule, ...] = (_diverged, _guessing, _rate_too_high)
AT_THE_END: tuple[Rule, ...] = (
    _rate_too_low,
    _gap,
    _underfitting,
    _still_improving,
    _below,
    _healthy,
)
