"""The reject option: no digit, one or two, by calibrated probabilities."""

import os
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digits.evaluation import reject_option
from digits.evaluation.reject_option import RejectOption, describe, features
from digits.ink import non_digits, score, synthetic
from digits.ink.pen_digits import read_pen_digits
from digits.store.models import SHIPPED_MODEL, ModelRef
from digits.worker.predict import load, predict

PEN_DIGITS = Path(os.environ.get("DIGITS_DATA", ""), "pen_digits_dev.json.gz")
BLANK = np.zeros((28, 28), np.uint8)
# Log-odds of being no digit: ten times the mean ink.
BY_INK = RejectOption(
    hidden=np.repeat([[5 / 196], [0]], [196, 10], axis=0),
    hidden_bias=np.zeros(1),
    output=np.ones(1),
    output_bias=np.zeros(1),
    temperature=1.0,
    threshold=2.0,
    model=0,
)


def probabilities(**shares: float) -> np.ndarray:
    """Ten probabilities: those that are named, such as ``p4``, and the rest in equal parts."""
    p = np.full(10, (1 - sum(shares.values())) / (10 - len(shares)))
    for name, share in shares.items():
        p[int(name[1:])] = share
    return p


def rejected(x: np.ndarray) -> np.ndarray:
    """Which of the model's inputs, (n, 28, 28), the app calls no digits."""
    fitted = reject_option.load()
    return fitted.log_odds(x, predict(load(ModelRef()), x)) > fitted.threshold


def test_a_confident_answer_is_one_digit_and_a_divided_one_is_two_the_likelier_first() -> None:
    assert BY_INK.readings(BLANK, probabilities(p4=0.97)) == (4,)
    assert BY_INK.readings(BLANK, probabilities(p4=0.3, p9=0.69)) == (9, 4)


def test_the_temperature_decides_whether_an_answer_is_confident() -> None:
    p = probabilities(p1=0.96, p7=0.035)
    assert BY_INK.readings(BLANK, p) == (1,)
    assert replace(BY_INK, temperature=2.0).readings(BLANK, p) == (1, 7)
    p = probabilities(p1=0.85, p7=0.14)
    assert BY_INK.readings(BLANK, p) == (1, 7)
    assert replace(BY_INK, temperature=0.5).readings(BLANK, p) == (1,)


def test_what_is_no_digit_has_no_readings_however_confident_the_model_is() -> None:
    full = np.full((28, 28), 255, np.uint8)
    assert BY_INK.readings(full, probabilities(p8=0.999)) == ()
    assert replace(BY_INK, threshold=11.0).readings(full, probabilities(p8=0.999)) == (8,)


def test_both_readings_are_named_the_likelier_first() -> None:
    assert describe((4, 9)) == "This could be a 4 or a 9."
    assert describe((8, 3)) == "This could be an 8 or a 3."
    assert describe(()) == "This does not look like a digit."
    assert describe((7,)) is None


def test_features_are_the_image_at_half_size_and_the_log_probabilities() -> None:
    x = np.zeros((2, 28, 28), np.uint8)
    x[0, 8:20, 4:10] = 255
    p = np.array([probabilities(p0=1.0), probabilities()])
    pixels, log_p = np.split(features(x, p), [196], axis=1)
    pooled = pixels.reshape(2, 14, 14) / 2
    assert pooled[0, 5:9, 3] == pytest.approx(1)
    assert pooled.sum(axis=(1, 2)) == pytest.approx([12 * 6 / 4, 0])  # the blur loses no ink
    assert not pooled[0, :, 6:].any()
    assert log_p[1] == pytest.approx(np.full(10, log_p[1, 0]))
    assert log_p[0, 0] == 0
    assert np.isfinite(log_p).all()


def test_what_is_fitted_belongs_to_the_shipped_model() -> None:
    """``python -m benchmarks.rejection FILE --fit`` fits it to another one."""
    assert reject_option.load().model == zlib.crc32(SHIPPED_MODEL.read_bytes())


def test_what_is_saved_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reject_option, "FITTED", tmp_path / "fitted.npz")
    reject_option.save(BY_INK)
    try:
        loaded = vars(reject_option.load())
        assert all(np.array_equal(value, loaded[name]) for name, value in vars(BY_INK).items())
    finally:
        reject_option.load.cache_clear()


@pytest.mark.parametrize("kind", ["F", "K", "X", "star", "scrawl", "dots"])
def test_letters_and_scribbles_are_mostly_no_digits(kind: str) -> None:
    drawings = non_digits.generate(kind, 40, seed=7)
    assert rejected(non_digits.render_inputs(drawings, seed=7)).mean() > 0.8


def test_synthetic_digits_are_mostly_digits() -> None:
    assert rejected(synthetic.generate(1_000, seed=8)[0]).mean() < 0.03


@pytest.mark.skipif(not PEN_DIGITS.is_file(), reason=f"{PEN_DIGITS.name} is not on this machine")
def test_people_s_digits_are_digits() -> None:
    digits = [digit for digit in read_pen_digits(PEN_DIGITS) if not digit.suspect]
    assert rejected(score.render_inputs(digits)).mean() <= 0.01
