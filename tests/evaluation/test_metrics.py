"""The figures agree with scikit-learn's and SciPy's, and the worst mistakes come first."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as reference

from digits.evaluation.metrics import (
    bootstrap_interval,
    confusion_matrix,
    mcnemar,
    misclassified,
    most_confused,
    per_class,
    rank,
    select,
    wilson_interval,
)


@pytest.fixture
def y_true() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 10, 500).astype(np.uint8)


@pytest.fixture
def y_pred(y_true: np.ndarray) -> np.ndarray:
    """Seven in ten right, the others as chance has it."""
    rng = np.random.default_rng(1)
    return np.where(rng.random(500) < 0.7, y_true, rng.integers(0, 10, 500)).astype(np.uint8)


def test_confusion_matrix_agrees_with_scikit_learn(y_true, y_pred):
    expected = reference.confusion_matrix(y_true, y_pred, labels=range(10))
    np.testing.assert_array_equal(confusion_matrix(y_true, y_pred), expected)


def test_confusion_matrix_has_the_labels_in_its_rows():
    matrix = confusion_matrix(np.array([3, 3, 8]), np.array([3, 5, 8]))
    assert matrix[3, 5] == 1
    assert matrix[5, 3] == 0


def test_confusion_matrix_of_no_images_is_empty():
    assert confusion_matrix(np.array([], int), np.array([], int)).shape == (10, 10)


@pytest.mark.parametrize("never", [None, 4])
def test_per_class_agrees_with_scikit_learn(y_true, y_pred, never):
    """Also where a digit is never predicted, and where it does not occur."""
    if never is not None:
        y_pred = np.where(y_pred == never, 0, y_pred)
        y_true = np.where(y_true == 7, 1, y_true)
    expected = reference.precision_recall_fscore_support(
        y_true, y_pred, labels=range(10), zero_division=0
    )
    result = per_class(confusion_matrix(y_true, y_pred))
    for ours, theirs in zip(
        (result.precision, result.recall, result.f1, result.support), expected, strict=True
    ):
        np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize(("correct", "total"), [(9920, 10000), (0, 50), (50, 50), (1, 1), (3, 7)])
def test_wilson_agrees_with_scipy(correct, total):
    expected = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    assert wilson_interval(correct, total) == pytest.approx((expected.low, expected.high), abs=1e-7)


def test_the_bootstrap_agrees_with_wilson_where_every_digit_has_a_writer_of_its_own():
    correct = np.arange(400) % 10 > 0
    expected = wilson_interval(360, 400)
    assert bootstrap_interval(correct, np.ones(400)) == pytest.approx(expected, abs=0.007)


def test_the_bootstrap_is_wider_where_the_digits_of_a_writer_are_alike():
    total = np.full(40, 10)
    alike = np.where(np.arange(40) % 10, 10, 0)  # one writer in ten has everything wrong
    low, high = bootstrap_interval(alike, total)
    even_low, even_high = bootstrap_interval(np.full(40, 9), total)
    assert even_low == even_high == 0.9
    assert high - low > 2 * np.diff(wilson_interval(360, 400))


def test_wilson_of_nothing_says_what_it_needs():
    with pytest.raises(ValueError, match="at least one image"):
        wilson_interval(0, 0)


def correctness(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = [both, only_a, only_b, neither]
    return np.repeat([True, True, False, False], counts), np.repeat(
        [True, False, True, False], counts
    )


@pytest.mark.parametrize(
    ("only_a", "only_b"),
    [(0, 0), (1, 0), (0, 1), (7, 5), (12, 34), (34, 12), (5, 5), (0, 60), (2300, 2500), (4000, 9)],
)
def test_mcnemar_agrees_with_scipy(only_a, only_b):
    result = mcnemar(*correctness(3000, only_a, only_b, 20))
    assert (result.only_a, result.only_b) == (only_a, only_b)
    assert result.images == 3020 + only_a + only_b
    expected = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1
    assert result.p == pytest.approx(expected, rel=1e-9)


def test_mcnemar_looks_only_at_the_images_that_one_model_alone_gets_right():
    assert mcnemar(*correctness(0, 9, 30, 0)).p == mcnemar(*correctness(5000, 9, 30, 700)).p
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 400)) < 0.9
    assert mcnemar(a, b).p == mcnemar(b, a).p
    assert mcnemar(a, a).p == 1
    assert mcnemar(a[:0], b[:0]).p == 1


@pytest.mark.parametrize(
    ("only_a", "only_b", "sentence"),
    [
        (12, 34, "B is better: 34 digits against 12, p = 0.002."),
        (34, 12, "A is better: 34 digits against 12, p = 0.002."),
        (1200, 34, "A is better: 1,200 digits against 34, p < 0.001."),
        (7, 5, "No significant difference on 10,000 digits (7 digits against 5, p = 0.77)."),
        (0, 1, "No significant difference on 10,000 digits (1 digit against 0, p = 1.00)."),
        (0, 0, "No significant difference on 10,000 digits (0 digits against 0, p = 1.00)."),
        (9, 20, "No significant difference on 10,000 digits (20 digits against 9, p = 0.061)."),
        (5, 16, "B is better: 16 digits against 5, p = 0.027."),
    ],
)
def test_mcnemar_says_in_a_sentence_which_is_better(only_a, only_b, sentence):
    result = mcnemar(*correctness(9990 - only_a - only_b, only_a, only_b, 10))
    assert result.in_words() == sentence


def test_mcnemar_calls_the_models_by_their_names():
    result = mcnemar(*correctness(900, 3, 40, 10))
    assert result.in_words("Tiny", "Best").startswith("Best is better: 40 digits against 3")


def test_most_confused_leaves_out_what_was_right_and_what_never_happened():
    matrix = np.diag(np.full(10, 100))
    matrix[4, 9], matrix[9, 4], matrix[7, 2] = 5, 3, 8
    assert most_confused(matrix, 5) == [(7, 2, 8), (4, 9, 5), (9, 4, 3)]
    assert most_confused(matrix, 1) == [(7, 2, 8)]
    assert most_confused(np.diag(np.full(10, 100)), 5) == []


@pytest.mark.parametrize("by", ["confidence", "loss", "margin"])
def test_misclassified_puts_the_worst_first_and_leaves_out_what_was_right(by):
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(10), 200)
    y = rng.integers(0, 10, 200)
    wrong = misclassified(y, p, by)
    assert set(wrong) == set(np.flatnonzero(p.argmax(1) != y))
    worst_first = {
        "confidence": p.max(1),
        "loss": -np.log(p[np.arange(200), y]),
        "margin": p.max(1) - p[np.arange(200), y],
    }[by]
    assert np.all(np.diff(worst_first[wrong]) <= 0)


def test_the_three_orders_differ():
    """Sure and split between two, or sure and nothing for the label: not the same mistake."""
    p = np.zeros((3, 10))
    p[0, [0, 1]] = 0.55, 0.45
    p[1, [0, 1, 2]] = 0.50, 0.001, 0.499
    p[2, [0, 1, 2, 3, 4]] = 0.48, 0.0005, 0.2, 0.2, 0.1195
    y = np.ones(3, int)
    assert misclassified(y, p, "confidence").tolist() == [0, 1, 2]
    assert misclassified(y, p, "loss").tolist() == [2, 1, 0]
    assert misclassified(y, p, "margin").tolist() == [1, 2, 0]


def test_the_loss_of_an_impossible_digit_is_finite():
    p = np.eye(10)[[3]]
    assert np.isfinite(rank(np.array([5]), p, "loss")).all()


def test_an_unknown_order_is_refused_with_the_ones_there_are():
    with pytest.raises(ValueError, match="confidence, loss or margin"):
        misclassified(np.array([1]), np.eye(10)[[3]], "beauty")


def test_select_finds_exactly_the_images_of_a_cell_a_row_or_a_column():
    y = np.array([4, 4, 4, 4, 9, 9])
    p = np.eye(10)[[4, 9, 9, 6, 9, 4]]
    assert select(y, p, label=4, predicted=9).tolist() == [1, 2]
    assert select(y, p, label=4, predicted=4).tolist() == [0], "a cell of the diagonal"
    assert select(y, p, label=4).tolist() == [1, 2, 3], "a row's mistakes"
    assert select(y, p, predicted=4).tolist() == [5], "a column's mistakes"
    assert select(y, p, label=9, predicted=6).size == 0
    assert select(y, p).tolist() == misclassified(y, p).tolist() == [1, 2, 3, 5]
