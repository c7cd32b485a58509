"""Disputed labels are MNIST's own, and planted errors come to light."""

import csv
import io

import numpy as np
import pytest

from digits.data import datasets
from digits.data.datasets import DATASETS
from digits.evaluation.label_errors import (
    DISPUTED_LABELS,
    disputed_labels,
    find_label_errors,
    to_csv,
)


@pytest.fixture
def mnist_like() -> np.ndarray:
    """As many labels as MNIST has test images, and its own where they are disputed."""
    y = np.zeros(10_000, np.uint8)
    for index, entry in DISPUTED_LABELS.items():
        y[index] = entry.given
    return y


def predict(y: np.ndarray, rng: np.random.Generator, margin: float) -> np.ndarray:
    """Probabilities of a model that mostly sees the true digits ``y``, more or less clearly."""
    logits = rng.normal(size=(len(y), 10))
    logits[np.arange(len(y)), y] += margin
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def mislabel(y: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    wrong = rng.random(len(y)) < share
    return np.where(wrong, (y + rng.integers(1, 10, len(y))) % 10, y)


def test_there_are_fifteen_and_people_corrected_ten():
    assert len(DISPUTED_LABELS) == 15
    verdicts = [entry.verdict for entry in DISPUTED_LABELS.values()]
    assert [verdicts.count(word) for word in ("corrected", "split", "neither")] == [10, 2, 3]
    assert all(entry.given != entry.suggested for entry in DISPUTED_LABELS.values())


@pytest.mark.mnist
@pytest.mark.parametrize("name", ["mnist", "mnist-small"])
def test_mnist_gives_the_labels_that_people_disputed(name):
    _, y = datasets.load_test(name)
    assert {index: int(y[index]) for index in DISPUTED_LABELS} == {
        index: entry.given for index, entry in DISPUTED_LABELS.items()
    }
    assert disputed_labels(DATASETS[name].test_images, y) == DISPUTED_LABELS


def test_disputed_labels_are_only_those_of_mnists_test_images(mnist_like):
    assert (
        disputed_labels("mnist", mnist_like)
        == disputed_labels(DATASETS["mnist-small"].test_images, mnist_like)
        == DISPUTED_LABELS
    )
    assert disputed_labels("uci", mnist_like) == {}
    assert disputed_labels(DATASETS["mnist-small"].test_images, mnist_like[:2_000]) == {}, (
        "a part of Colab's training file"
    )
    assert disputed_labels("mnist", mnist_like[::-1]) == {}, "another order"
    mnist_like[947] = 9
    assert disputed_labels("mnist", mnist_like) == {}, "a corrected copy"


def test_planted_errors_come_first_with_the_digit_that_they_were():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 2_000)
    given = mislabel(y, rng, 0.02)
    result = find_label_errors(given, predict(y, rng, 9))
    planted = np.flatnonzero(given != y)
    top = result.indices[: len(planted)]
    assert len(set(top) & set(planted)) > 0.95 * len(planted)
    assert (result.suggested[: len(planted)] == y[top]).mean() > 0.95


def test_the_list_is_every_contradicted_label_by_the_probability_left_for_it():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 10, 500).astype(np.uint8)
    p = predict(y, rng, 3)
    result = find_label_errors(y, p)
    assert set(result.indices) == set(np.flatnonzero(p.argmax(axis=1) != y))
    assert np.all(np.diff(p[result.indices, y[result.indices]]) >= 0)
    assert np.array_equal(result.suggested, p[result.indices].argmax(axis=1))
    assert not (result.suggested == y[result.indices]).any()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.3])
@pytest.mark.parametrize("margin", [4, 7])
def test_the_number_of_errors_is_estimated_at_any_confidence(share, margin):
    rng = np.random.default_rng(2)
    y = rng.integers(0, 10, 5_000)
    given = mislabel(y, rng, share)
    planted = int((given != y).sum())
    assert find_label_errors(given, predict(y, rng, margin)).errors == pytest.approx(
        planted, 0.15, abs=25
    )


def test_the_confident_joint_of_a_case_counted_by_hand():
    """Two digits: thresholds 0.6 for 0 and 0.7 for 1, four 0s and four 1s."""
    of_one = np.array([0.1, 0.2, 0.3, 1.0, 0.8, 0.9, 0.9, 0.2])
    p = np.zeros((8, 10))
    p[:, 1], p[:, 0] = of_one, 1 - of_one
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    result = find_label_errors(y, p)
    # Confident 0s labeled 0: three of four; 1s labeled 0: one. Labeled 1: three and one.
    assert result.errors == 2
    assert result.indices.tolist() == [3, 7]
    assert result.suggested.tolist() == [1, 0]


def test_uncertain_contradictions_are_listed_but_not_counted_as_errors():
    p = np.full((40, 10), 0.0)
    p[:, 3], p[:, 5] = 0.99, 0.01
    p[20:, 3], p[20:, 5] = 0.01, 0.99
    p[39, 3], p[39, 5] = 0.52, 0.48
    y = np.repeat([3, 5], 20)
    result = find_label_errors(y, p)
    assert result.indices.tolist() == [39]
    assert result.errors == 0


def test_digits_that_do_not_occur_have_no_threshold():
    """A model confident of 7s where no image is labeled 7 lists them and counts no error."""
    p = np.full((30, 10), 0.001)
    p[np.arange(30), np.repeat([1, 2, 7], 10)] = 0.991
    y = np.repeat([1, 2, 2], 10)
    result = find_label_errors(y, p)
    assert result.indices.tolist() == list(range(20, 30))
    assert set(result.suggested) == {7}
    assert result.errors == 0


def test_images_of_one_digit_alone_and_no_images_at_all():
    p = np.eye(10)[[4, 4, 9]] * 0.9 + 0.01
    result = find_label_errors(np.array([4, 4, 4]), p)
    assert (result.indices.tolist(), result.suggested.tolist(), result.errors) == ([2], [9], 0)
    nothing = find_label_errors(np.empty(0, np.uint8), np.empty((0, 10), np.float16))
    assert len(nothing.indices) == len(nothing.suggested) == nothing.errors == 0


@pytest.mark.parametrize("confidence", [0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("n", [3, 10, 33, 100])
def test_equal_confidence_reaches_its_own_average(confidence, n):
    """The mean of many 0.9s can come out above 0.9; each of them still counts as confident."""
    y = np.repeat(np.arange(10), n)
    p = np.full((10 * n, 10), (1 - confidence) / 9)
    p[np.arange(10 * n), y] = confidence
    y[0] = 8
    result = find_label_errors(y, p)
    assert result.indices.tolist() == [0]
    assert result.errors == 1


def test_a_digit_that_the_model_is_never_sure_of_needs_less_to_count():
    """Predicted as 0 with 0.6, as 1 with 0.4: high for a 1, which gets 0.4, and low for a 0."""
    p = np.zeros((20, 10))
    p[:10, 0], p[:10, 2] = 0.95, 0.05
    p[10:, 1], p[10:, 0] = 0.4, 0.6
    y = np.repeat([0, 1], 10)
    result = find_label_errors(y, p)
    assert result.indices.tolist() == list(range(10, 20))
    assert result.errors == 0


def test_the_csv_holds_the_list_in_its_order():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 10, 300)
    p = predict(y, rng, 2).astype(np.float16)
    result = find_label_errors(y, p)
    rows = list(csv.DictReader(io.StringIO(to_csv(result, y, p))))
    assert list(rows[0]) == [
        "index",
        "label",
        "suggested",
        "probability_of_label",
        "probability_of_suggested",
    ]
    assert [int(row["index"]) for row in rows] == result.indices.tolist()
    for row in rows:
        index, label, suggested = (int(row[key]) for key in ("index", "label", "suggested"))
        assert (label, suggested) == (y[index], p[index].argmax())
        assert float(row["probability_of_label"]) == pytest.approx(p[index, label], abs=1e-6)
        assert float(row["probability_of_suggested"]) == pytest.approx(p[index].max(), abs=1e-6)


def test_the_csv_of_an_empty_list_is_its_header():
    p = np.eye(10)
    result = find_label_errors(np.arange(10), p)
    assert to_csv(result, np.arange(10), p).count("\n") == 1
