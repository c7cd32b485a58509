"""Reliability and temperature agree with scikit-learn's, SciPy's and brute force."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from digits.evaluation.calibration import (
    FLOOR,
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    fit_temperature,
    reliability,
    scale,
    temperature_interval,
)


def sample(n: int, sharper: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from probabilities, and these made ``sharper`` than they should be."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2.5, size=(n, 10))
    right = softmax(logits, axis=1)
    y = (right.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return y, softmax(logits * sharper, axis=1)


@pytest.mark.parametrize("bins", [1, 2, 10, 15])
def test_bins_agree_with_scikit_learn(bins):
    y, p = sample(500)
    result = reliability(y, p, bins)
    accuracy, confidence = calibration_curve(
        p.argmax(axis=1) == y, p.max(axis=1), n_bins=bins, strategy="quantile"
    )
    np.testing.assert_allclose(result.accuracy, accuracy)
    np.testing.assert_allclose(result.confidence, confidence)


def test_bins_hold_equally_many_images_in_rising_confidence():
    result = reliability(*sample(1_000))
    assert result.count.sum() == 1_000
    assert np.ptp(result.count) <= 1
    assert np.all(np.diff(result.confidence) > 0)


def test_each_bin_has_the_interval_that_scipy_gives():
    result = reliability(*sample(300), bins=7)
    for n, share, low, high in zip(
        result.count, result.accuracy, result.low, result.high, strict=True
    ):
        expected = binomtest(round(n * share), int(n)).proportion_ci(0.95, method="wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-7)


def test_the_calibration_error_is_the_gap_weighted_by_images():
    p = np.full((8, 10), 0.0)
    p[:4, 3], p[:4, 5] = 0.6, 0.4
    p[4:, 3], p[4:, 5] = 0.9, 0.1
    y = np.array([3, 5, 5, 5, 3, 3, 3, 3])
    result = reliability(y, p, 2)
    assert result.accuracy.tolist() == [0.25, 1]
    assert result.error == pytest.approx(((0.6 - 0.25) + (1 - 0.9)) / 2)


def test_the_calibration_error_is_small_for_true_probabilities_and_not_for_sharper_ones():
    assert reliability(*sample(20_000)).error < 0.01
    assert reliability(*sample(20_000, sharper=3)).error > 0.1


def ties() -> tuple[np.ndarray, np.ndarray]:
    """As a well trained model's float16: of a thousand, all but 50 with confidence exactly 1."""
    p = np.zeros((1_000, 10), np.float16)
    p[:, 0] = 1
    p[:50, 0] = np.linspace(0.5, 0.99, 50)
    p[:, 1] = 1 - p[:, 0]
    y = np.zeros(1_000, np.uint8)
    y[:20] = 1
    return y, p


def test_many_images_of_confidence_one_share_a_bin_of_their_own():
    result = reliability(*ties())
    assert result.count.tolist() == [50, 950]
    assert result.confidence[1] == result.accuracy[1] == 1
    assert result.accuracy[0] == pytest.approx(0.6)


def test_bins_do_not_depend_on_the_order_of_the_images():
    y, p = ties()
    p[:400] = np.round(sample(400)[1], 1)
    order = np.random.default_rng(1).permutation(1_000)
    first, second = reliability(y, p), reliability(y[order], p[order])
    assert (first.count > 0).all()
    for name, array in vars(first).items():
        np.testing.assert_allclose(array, vars(second)[name])


def test_equal_confidences_are_one_bin():
    p = np.full((30, 10), 0.02)
    p[:, 4] = 0.82
    result = reliability(np.full(30, 4), p)
    assert result.count.tolist() == [30]
    assert result.error == pytest.approx(0.18)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_fewer_images_than_bins_have_a_bin_each(n):
    y, p = sample(n)
    result = reliability(y, p)
    assert result.count.tolist() == [1] * n
    np.testing.assert_allclose(result.confidence, np.sort(p.max(axis=1)))


def test_no_images_are_refused():
    for measure in (reliability, fit_temperature):
        with pytest.raises(ValueError, match="at least one image"):
            measure(np.empty(0, int), np.empty((0, 10)))


@pytest.mark.parametrize("sharper", [0.3, 1.0, 2.0, 5.0])
def test_temperature_agrees_with_scipy(sharper):
    y, p = sample(3_000, sharper)

    def loss(log_t: float) -> float:
        logits = np.log(p.clip(FLOOR)) / np.exp(log_t)
        return -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()

    expected = np.exp(minimize_scalar(loss, (-1, 1), tol=1e-10).x)
    assert fit_temperature(y, p) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("sharper", [0.3, 1.0, 2.0])
def test_temperature_recovers_the_factor_of_overconfidence(sharper):
    assert fit_temperature(*sample(5_000, sharper)) == pytest.approx(sharper, rel=0.05)


def test_scaling_lowers_the_loss_and_keeps_every_prediction():
    y, p = sample(3_000, sharper=2.5)
    scaled = scale(p, fit_temperature(y, p))
    assert log_loss(y, scaled) < log_loss(y, p)
    assert reliability(y, scaled).error < reliability(y, p).error / 3
    np.testing.assert_array_equal(scaled.argmax(axis=1), p.argmax(axis=1))
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    np.testing.assert_allclose(scale(p, 1.0), p, atol=1e-6)


def test_zeros_of_float16_are_survived_and_cost_little():
    y, p = sample(5_000, sharper=4)
    stored = p.astype(np.float16)
    assert (stored == 0).any()
    assert (stored[np.arange(len(y)), y] == 0).any(), "also for the label"
    assert fit_temperature(y, stored) == pytest.approx(fit_temperature(y, p), rel=0.01)
    for t in (MIN_TEMPERATURE, 1, MAX_TEMPERATURE):
        assert np.isfinite(scale(stored, t)).all()


def test_the_floor_is_what_float16_rounds_to_zero():
    assert np.float16(FLOOR) == 0
    assert np.float16(FLOOR * 1.01) > 0


def test_without_mistakes_the_coldest_and_with_only_mistakes_the_hottest_serves_best():
    y, p = sample(50)
    assert fit_temperature(p.argmax(axis=1), p) == pytest.approx(MIN_TEMPERATURE)
    assert fit_temperature(p.argmin(axis=1), p) == pytest.approx(MAX_TEMPERATURE)
    assert fit_temperature(y[:1], p[:1]) > 0


def test_given_edges_bins_hold_the_images_between_them_and_empty_ones_are_left_out():
    confidence = np.array([0.6, 0.8, 0.9, 0.95])
    probabilities = np.zeros((4, 10))
    probabilities[:, 3], probabilities[:, 4] = confidence, 1 - confidence
    result = reliability(np.array([3, 3, 4, 3]), probabilities, (0.3, 0.5, 0.7, 0.9))
    np.testing.assert_array_equal(result.count, [1, 1, 2])
    np.testing.assert_allclose(result.confidence, [0.6, 0.8, 0.925])
    np.testing.assert_allclose(result.accuracy, [1, 1, 0.5])


@pytest.mark.parametrize("sharper", [0.5, 1, 3])
def test_the_interval_of_a_temperature_is_that_of_the_bootstrap(sharper):
    y, probabilities = sample(1_000, sharper)
    rng = np.random.default_rng(0)
    again = [rng.integers(0, len(y), len(y)) for _ in range(200)]
    fits = [fit_temperature(y[some], probabilities[some]) for some in again]
    result = temperature_interval(y, probabilities, fit_temperature(y, probabilities))
    np.testing.assert_allclose(result, np.percentile(fits, [2.5, 97.5]), rtol=0.05)


def test_the_interval_is_the_whole_range_where_no_image_constrains_the_temperature():
    alike = np.full((50, 10), 0.1)
    assert temperature_interval(np.zeros(50, int), alike, 1.0) == (MIN_TEMPERATURE, MAX_TEMPERATURE)
