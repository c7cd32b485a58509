"""How good a classifier of digits is, and where it goes wrong, from labels and probabilities.

NumPy only: the pages compute these in the web server, which stays small that way.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Order = Literal["confidence", "loss", "margin"]

Z95 = 1.959964  # the 97.5 % point of the normal distribution


@dataclass(frozen=True)
class PerClass:
    """Precision, recall and F1 of each digit, (10,) float64 in [0, 1], and its images, (10,) int.

    A digit that was never predicted, or of which there is no image, has 0 where 0/0 would be.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


@dataclass(frozen=True)
class McNemar:
    """Two models, A and B, asked about the same ``images``.

    ``only_a`` images A alone gets right, ``only_b`` B alone; ``p`` is how likely a split at least
    as uneven would be if both were equally good.
    """

    images: int
    only_a: int
    only_b: int
    p: float

    def in_words(self, a: str = "A", b: str = "B") -> str:
        """One sentence for people who never met a p-value; better means p < 0.05."""
        more, less = max(self.only_a, self.only_b), min(self.only_a, self.only_b)
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.{2 if self.p > 0.1 else 3}f}"
        split = f"{more:,} {'digit' if more == 1 else 'digits'} against {less:,}"
        if self.p < 0.05:
            return f"{a if self.only_a > self.only_b else b} is better: {split}, {p}."
        return f"No difference that {self.images:,} digits can show ({split}, {p})."


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Count each pair of label and prediction: (10, 10) int64, a row for each label.

    Both are (n,) integers from 0 to 9.
    """
    pairs = np.asarray(y_true, np.int64) * 10 + np.asarray(y_pred, np.int64)
    return np.bincount(pairs, minlength=100).reshape(10, 10)


def per_class(matrix: np.ndarray) -> PerClass:
    """Precision, recall, F1 and support of each digit, from its confusion matrix."""
    right = matrix.diagonal().astype(float)
    predicted, support = matrix.sum(axis=0), matrix.sum(axis=1)
    return PerClass(
        precision=_divide(right, predicted),
        recall=_divide(right, support),
        f1=_divide(2 * right, predicted + support),
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
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 * np.sqrt((share * (1 - share) + spread / 4) / total) / (1 + spread)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def mcnemar(a_right: np.ndarray, b_right: np.ndarray) -> McNemar:
    """Is one of two models better? (n,) bool each: which of the same images they get right.

    Only the images that one of them gets right count; the p-value is the exact two-sided one.
    Source: McNemar 1947, Note on the sampling error of the difference between correlated
    proportions or percentages.
    """
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    n = only_a + only_b
    tail = ways = 1  # of n fair coins to show at most so many heads: whole numbers, never rounded
    for heads in range(min(only_a, only_b)):
        ways = ways * (n - heads) // (heads + 1)
        tail += ways
    return McNemar(len(a_right), only_a, only_b, min(1.0, 2 * tail / 2**n))


def most_confused(matrix: np.ndarray, n: int = 5) -> list[tuple[int, int, int]]:
    """The ``n`` pairs (label, prediction, count) mistaken most often, without empty ones."""
    mistakes = np.where(np.eye(10, dtype=bool), 0, matrix)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:n]
    rows, columns = np.unravel_index(order, mistakes.shape)
    pairs = zip(rows.tolist(), columns.tolist(), mistakes[rows, columns].tolist(), strict=True)
    return [(label, predicted, count) for label, predicted, count in pairs if count]


def rank(y_true: np.ndarray, probabilities: np.ndarray, by: Order) -> np.ndarray:
    """How wrong the model was about each image, (n,) float64, more is worse.

    ``y_true`` is (n,) integers, ``probabilities`` (n, 10). "confidence" is the probability of
    the predicted digit, "loss" the cross-entropy in nats (no probability counts as less than
    1e-7, as in Keras), "margin" how far the predicted digit's probability lies above the
    labelled one's. Raises ``ValueError`` for another order.
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
    """Indices of the images that the model got wrong, (m,) int64, the worst first."""
    return select(y_true, probabilities, by)


def select(
    y_true: np.ndarray,
    probabilities: np.ndarray,
    by: Order = "confidence",
    label: int | None = None,
    predicted: int | None = None,
) -> np.ndarray:
    """Indices of the images in a part of the confusion matrix, (m,) int64, the worst first.

    ``label`` picks a row, ``predicted`` a column, without the diagonal: mistakes only. Both pick
    one cell, also of the diagonal; neither picks all mistakes.
    """
    y_pred = probabilities.argmax(axis=1)
    chosen = np.ones(len(y_true), bool)
    if label is None or predicted is None:
        chosen = y_pred != y_true
    if label is not None:
        chosen &= y_true == label
    if predicted is not None:
        chosen &= y_pred == predicted
    indices = np.flatnonzero(chosen)
    return indices[np.argsort(-rank(y_true, probabilities, by)[indices], kind="stable")]


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros(len(a)), where=b > 0)
