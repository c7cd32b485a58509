"""Classification metrics from labels and probabilities: accuracy, confusions, mistakes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Order = Literal["confidence", "loss", "margin"]

Z95 = 1.959964  # the 97.5 % point of the normal distribution


@dataclass(frozen=True)
class PerClass:
    """Precision, recall and F1 of each digit, (10,) float64 in [0, 1], and support, (10,) int.

    0/0 counts as 0: for a digit that is never predicted, or that has no image.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two models, A and B, on the same number of ``images``.

    A alone classifies ``only_a`` images correctly, B alone ``only_b``; ``p`` is the probability of
    a split at least as uneven if both models were equally good.
    """

    images: int
    only_a: int
    only_b: int
    p: float

    @property
    def p_in_words(self) -> str:
        """As in "p = 0.012"."""
        return "p < 0.001" if self.p < 0.001 else f"p = {self.p:.{2 if self.p > 0.1 else 3}f}"

    def in_words(self, a: str = "A", b: str = "B") -> str:
        """The result as one sentence in plain words; "better" means p < 0.05."""
        more, less, p = (
            max(self.only_a, self.only_b),
            min(self.only_a, self.only_b),
            self.p_in_words,
        )
        split = f"{more:,} {'digit' if more == 1 else 'digits'} against {less:,}"
        if self.p < 0.05:
            return f"{a if self.only_a > self.only_b else b} is better: {split}, {p}."
        return f"No significant difference on {self.images:,} digits ({split}, {p})."


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Count each pair of label and prediction: (10, 10) int64, rows = truth.

    Both arguments are (n,) integers from 0 to 9.
    """
    pairs = np.asarray(y_true, np.int64) * 10 + np.asarray(y_pred, np.int64)
    return np.bincount(pairs, minlength=100).reshape(10, 10)


def per_class(matrix: np.ndarray) -> PerClass:
    """Precision, recall, F1 and support of each digit, from its confusion matrix."""
    correct = matrix.diagonal().astype(float)
    predicted, support = matrix.sum(axis=0), matrix.sum(axis=1)
    return PerClass(
        precision=_divide(correct, predicted),
        recall=_divide(correct, support),
        f1=_divide(2 * correct, predicted + support),
        support=support,
    )


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``correct`` in ``total``: two numbers in [0, 1].

    Raises ``ValueError`` when ``total`` is not positive.
    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    if total <= 0:
        raise ValueError("An interval needs at least one image.")
    share, spread = correct / total, Z95**2 / total
    center = (share + spread / 2) / (1 + spread)
    half = Z95 * np.sqrt((share * (1 - share) + spread / 4) / total) / (1 + spread)
    return max(0.0, float(center - half)), min(1.0, float(center + half))


def bootstrap_interval(correct: np.ndarray, total: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a share, had other writers come: two numbers in [0, 1].

    ``correct`` and ``total`` are (writers,), the digits of each. It is wider than Wilson's where
    the digits of one writer are alike. Source: Efron 1979, Bootstrap methods, over clusters.
    """
    random, n = np.random.default_rng(0), len(total)
    draws = (random.integers(n, size=n) for _ in range(10_000))
    low, high = np.quantile(
        [correct[drawn].sum() / total[drawn].sum() for drawn in draws], [0.025, 0.975]
    )
    return float(low), float(high)


def mcnemar(a_correct: np.ndarray, b_correct: np.ndarray) -> McNemar:
    """Test whether one of two models is better: (n,) bool each, correct on the same images.

    Only images that exactly one model classifies correctly count; the p-value is the exact
    two-sided one.
    Source: McNemar 1947, Note on the sampling error of the difference between correlated
    proportions or percentages.
    """
    only_a, only_b = int((a_correct & ~b_correct).sum()), int((b_correct & ~a_correct).sum())
    n = only_a + only_b
    tail = ways = 1  # at most k heads in n coin tosses: integers, so nothing is rounded
    for heads in range(min(only_a, only_b)):
        ways = ways * (n - heads) // (heads + 1)
        tail += ways
    return McNemar(len(a_correct), only_a, only_b, min(1.0, 2 * tail / 2**n))


def most_confused(matrix: np.ndarray, n: int = 5) -> list[tuple[int, int, int]]:
    """The ``n`` most frequent mistakes as (label, prediction, count), without empty ones."""
    mistakes = np.where(np.eye(10, dtype=bool), 0, matrix)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:n]
    rows, columns = np.unravel_index(order, mistakes.shape)
    pairs = zip(rows.tolist(), columns.tolist(), mistakes[rows, columns].tolist(), strict=True)
    return [(label, predicted, count) for label, predicted, count in pairs if count]


def rank(y_true: np.ndarray, probabilities: np.ndarray, by: Order) -> np.ndarray:
    """How wrong the model is about each image, (n,) float64, more is worse.

    ``y_true`` is (n,) integers, ``probabilities`` (n, 10). "confidence" is the probability of
    the predicted digit, "loss" the cross-entropy in nats (probabilities are clipped at 1e-7, as
    in Keras), "margin" the predicted digit's probability minus the label's. Raises
    ``ValueError`` for another order.
    """
    p = np.asarray(probabilities, np.float64)
    p_pred, p_true = p.max(axis=1), p[np.arange(len(p)), y_true]
    if by == "confidence":
        return p_pred
    if by == "loss":
        return -np.log(np.clip(p_true, 1e-7, 1))
    if by == "margin":
        return p_pred - p_true
    raise ValueError(f"There is no order {by!r}: choose confidence, loss or margin.")


def misclassified(
    y_true: np.ndarray, probabilities: np.ndarray, by: Order = "confidence"
) -> np.ndarray:
    """Indices of the misclassified images, (m,) int64, the worst first."""
    return select(y_true, probabilities, by)


def select(
    y_true: np.ndarray,
    probabilities: np.ndarray,
    by: Order = "confidence",
    label: int | None = None,
    predicted: int | None = None,
) -> np.ndarray:
    """Indices of the images in a part of the confusion matrix, (m,) int64, the worst first.

    ``label`` selects the mistakes of a row, ``predicted`` those of a column. Both select one cell,
    which may be on the diagonal; neither selects all mistakes.
    """
    y_pred = probabilities.argmax(axis=1)
    mask = np.ones(len(y_true), bool)
    if label is None or predicted is None:
        mask = y_pred != y_true
    if label is not None:
        mask &= y_true == label
    if predicted is not None:
        mask &= y_pred == predicted
    indices = np.flatnonzero(mask)
    return indices[np.argsort(-rank(y_true, probabilities, by)[indices], kind="stable")]


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros(len(a)), where=b > 0)
