"""What the Draw page says of people's digits and of drawings that are none, and how often rightly.

``python -m benchmarks.rejection FILE`` takes a file of pen digits with their writers and prints the
shipped model's accuracy, calibration, the accuracy when unsure answers are left out, and how often
a digit is called none or none a digit. Temperature and threshold are fitted to four fifths of the
writers and judged on the others. ``--fit`` first fits ``digits/evaluation/reject_option.npz``.
"""

import argparse
import os
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from digits.data import datasets
from digits.evaluation import reject_option
from digits.evaluation.calibration import Reliability, fit_temperature, reliability, scale
from digits.evaluation.metrics import bootstrap_interval, wilson_interval
from digits.evaluation.reject_option import RejectOption
from digits.ink import non_digits, synthetic
from digits.ink.pen_digits import PenDigit, read_pen_digits
from digits.ink.score import render_inputs
from digits.store.models import SHIPPED_MODEL, ModelRef

FOLDS = 5  # of writers
FALSE_ALARMS = 0.008  # at the fitted threshold; for other writers 1 % is allowed
HIDDEN = 32  # units of the tiny network
TRAIN_EACH, TRAIN_FIGURES = 400, 12_000  # non-digits of each kind to train on, random figures
TEST_EACH = 100
TRAIN_SEED, TEST_SEED = 1, 2
EDGES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)  # of the reliability curve
ANSWERED = (1.0, 0.99, 0.98, 0.97, 0.96, 0.95, 0.9)
GROUPS = {
    "letters": [*non_digits.LETTERS],
    "signs": [*non_digits.SIGNS],
    "scribbles": [kind for kind in non_digits.SCRIBBLES if kind != "several digits"],
    "several digits": ["several digits"],
}

Inputs = tuple[np.ndarray, np.ndarray]  # images (n, 28, 28) uint8 and probabilities (n, 10)


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.rejection", description=__doc__)
    parser.add_argument("file", type=Path, help="pen digits with their writers")
    parser.add_argument("--fit", action="store_true", help="fit the reject option again")
    arguments = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    digits = [digit for digit in read_pen_digits(arguments.file) if not digit.suspect]
    pen = _with_probabilities(render_inputs(digits))
    if arguments.fit:
        fit(digits, pen)
    report(digits, pen)
    report_misses("Misses", reject_option.load(), non_digits.KINDS)


def _with_probabilities(x: np.ndarray) -> Inputs:
    from digits.worker.predict import load, predict

    return x, predict(load(ModelRef()), x)


def _non_digits(kind: str) -> Inputs:
    """Non-digits to test on, as the Draw page sees them."""
    drawings = non_digits.generate(kind, TEST_EACH, TEST_SEED)
    return _with_probabilities(render_inputs([PenDigit(0, strokes) for strokes in drawings]))


def fit(digits: list[PenDigit], pen: Inputs) -> None:
    """Fit the reject option; also tell how it does on kinds that it was not trained on."""
    import keras

    keras.utils.set_random_seed(0)
    x_synthetic, _ = synthetic.generate(12_000, TRAIN_SEED)
    x = np.concatenate([datasets.load("mnist").x_train, x_synthetic])
    positive = reject_option.features(*_with_probabilities(x))
    negative = {}
    for kind in non_digits.KINDS:
        n = TRAIN_FIGURES if kind == "random figure" else TRAIN_EACH
        drawings = non_digits.generate(kind, n, TRAIN_SEED)
        x = non_digits.render_inputs(drawings, TRAIN_SEED)
        negative[kind] = reject_option.features(*_with_probabilities(x))

    def train(kinds: Sequence[str]) -> RejectOption:
        features = np.concatenate([positive, *(negative[kind] for kind in kinds)])
        y = np.arange(len(features)) >= len(positive)
        layers = [keras.layers.Dense(HIDDEN, "relu"), keras.layers.Dense(1)]
        network = keras.Sequential([keras.Input(features.shape[1:]), *layers])
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        network.compile(keras.optimizers.Adam(0.002), loss)
        network.fit(features, y, batch_size=256, epochs=12, verbose=0)
        hidden, hidden_bias, output, output_bias = network.get_weights()
        model = zlib.crc32(SHIPPED_MODEL.read_bytes())
        weights = hidden, hidden_bias, output[:, 0], output_bias
        return fit_to_people(RejectOption(*weights, 1.0, 0.0, model), labels(digits), pen)

    for part in (0, 1):
        left_out = [kind for kind in non_digits.KINDS if kind != "random figure"][part::2]
        others = [kind for kind in non_digits.KINDS if kind not in left_out]
        report_misses("Misses of kinds not trained on", train(others), left_out)
    reject_option.save(train(non_digits.KINDS))


def labels(digits: list[PenDigit]) -> np.ndarray:
    return np.array([digit.label for digit in digits])


def fit_to_people(fitted: RejectOption, y: np.ndarray, pen: Inputs) -> RejectOption:
    """Temperature and threshold by pen digits, the tiny network as it is."""
    return replace(
        fitted,
        temperature=fit_temperature(y, pen[1]),
        threshold=float(np.quantile(fitted.log_odds(*pen), 1 - FALSE_ALARMS)),
    )


def folds(writers: np.ndarray) -> np.ndarray:
    """The fold of each digit, (n,); all digits of a writer are in the same."""
    ids, index = np.unique(writers, return_inverse=True)
    return (np.random.default_rng(0).permutation(len(ids)) % FOLDS)[index]


def bootstrap(hits: np.ndarray, writers: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of ``hits``, (n,) bool, if other writers had come."""
    _, index = np.unique(writers, return_inverse=True)
    return bootstrap_interval(np.bincount(index, hits), np.bincount(index))


def report(digits: list[PenDigit], pen: Inputs) -> None:
    """Print what holds for writers to whom nothing was fitted."""
    x, p = pen
    y, writers = labels(digits), np.array([digit.writer for digit in digits])
    fold, fitted = folds(writers), reject_option.load()
    calibrated = np.empty(p.shape)
    readings: list[tuple[int, ...]] = [()] * len(y)
    for number in range(FOLDS):
        out = fold == number
        fold_fit = fit_to_people(fitted, y[~out], (x[~out], p[~out]))
        calibrated[out] = scale(p[out], fold_fit.temperature)
        for index in np.flatnonzero(out):
            readings[index] = fold_fit.readings(x[index], p[index])
    correct = p.argmax(axis=1) == y
    said = np.array([len(each) for each in readings])
    among = np.array([label in each for label, each in zip(y.tolist(), readings, strict=True)])

    print(f"{len(y):,} digits of {len(np.unique(writers))} writers; T = {fitted.temperature:.2f}")
    _share("Accuracy", correct, writers)
    _share("Called no digit", said == 0, writers)
    _share("Told two readings", said == 2, writers)
    _share("  with the label among the two", among[said == 2], writers[said == 2])
    _share("Told one reading", said == 1, writers)
    _share("  correct", among[said == 1], writers[said == 1])
    before, after = reliability(y, p), reliability(y, calibrated)
    print(f"Expected calibration error {before.error:.2%}, calibrated {after.error:.2%}")
    losses = [-np.log(each[np.arange(len(y)), y]).mean() for each in (p, calibrated)]
    print(f"Cross-entropy {losses[0]:.4f}, calibrated {losses[1]:.4f}")
    _curve("Confidence as it is", reliability(y, p, EDGES))
    _curve("Confidence calibrated", reliability(y, calibrated, EDGES))
    order = np.argsort(-calibrated.max(axis=1), kind="stable")
    print("Answered\tAccuracy")
    for share in ANSWERED:
        part = correct[order[: round(share * len(y))]]
        print(f"{share:.0%}\t{part.mean():.2%} ({(~part).sum()} wrong of {len(part):,})")


def report_misses(title: str, fitted: RejectOption, kinds: Sequence[str]) -> None:
    """Print how many non-digits of these kinds are taken for digits."""
    rejected = {}
    for kind in kinds:
        rejected[kind] = fitted.log_odds(*_non_digits(kind)) > fitted.threshold
    print(title)
    for group, members in GROUPS.items():
        shares = {kind: f"{1 - rejected[kind].mean():.0%}" for kind in members if kind in rejected}
        if shares:
            missed = 1 - np.mean([rejected[kind].mean() for kind in shares])
            print(
                f"  {group}: {missed:.1%}", *(f"{kind} {share}" for kind, share in shares.items())
            )


def _share(what: str, hits: np.ndarray, writers: np.ndarray) -> None:
    wilson = wilson_interval(int(hits.sum()), len(hits))
    intervals = ", ".join(
        f"{name} {low:.2%} – {high:.2%}"
        for name, (low, high) in {"Wilson": wilson, "by writers": bootstrap(hits, writers)}.items()
    )
    print(f"{what}: {hits.sum():,} of {len(hits):,}, {hits.mean():.2%} ({intervals})")


def _curve(title: str, curve: Reliability) -> None:
    print(f"{title}\tDigits\tAccuracy (95 % interval)")
    for mean, count, accuracy, low, high in zip(
        curve.confidence, curve.count, curve.accuracy, curve.low, curve.high, strict=True
    ):
        print(f"{mean:.2%}\t{count:,}\t{accuracy:.1%} ({low:.1%} – {high:.1%})")


if __name__ == "__main__":
    main()
