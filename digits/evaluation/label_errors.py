"""Labels that may be wrong: disputed MNIST labels, and confident learning to find others."""

import csv
import io
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np


class DisputedLabel(NamedTuple):
    """A label that most of five annotators did not confirm, and the alternative they were shown.

    "corrected": most chose ``suggested``; "split": they were split between the two labels;
    "neither": most chose neither.
    """

    given: int
    suggested: int
    verdict: Literal["corrected", "split", "neither"]


# Among MNIST's 10,000 test images. Source: Northcutt, Athalye and Mueller 2021, Pervasive label
# errors in test sets destabilize machine learning benchmarks (NeurIPS).
DISPUTED_LABELS = {
    947: DisputedLabel(8, 9, "corrected"),
    1621: DisputedLabel(0, 6, "corrected"),
    1901: DisputedLabel(9, 4, "corrected"),
    2130: DisputedLabel(4, 9, "split"),
    2462: DisputedLabel(2, 0, "corrected"),
    2597: DisputedLabel(5, 3, "corrected"),
    2654: DisputedLabel(6, 1, "neither"),
    3520: DisputedLabel(6, 4, "neither"),
    3558: DisputedLabel(5, 0, "corrected"),
    5937: DisputedLabel(5, 3, "corrected"),
    6651: DisputedLabel(0, 6, "corrected"),
    6783: DisputedLabel(1, 6, "corrected"),
    8527: DisputedLabel(4, 9, "split"),
    9679: DisputedLabel(6, 3, "neither"),
    9729: DisputedLabel(5, 6, "corrected"),
}

CSV_COLUMNS = ("index", "label", "suggested", "probability_of_label", "probability_of_suggested")


@dataclass(frozen=True)
class LabelErrors:
    """Images whose label a model contradicts, the least probable label first.

    ``indices`` and ``suggested`` labels are (m,) int64. ``errors`` estimates the number of wrong
    labels in the whole set; they tend to be at the top of the list.
    """

    indices: np.ndarray
    suggested: np.ndarray
    errors: int


def disputed_labels(test_images: str, y_test: np.ndarray) -> dict[int, DisputedLabel]:
    """The disputed labels of a data set's test images, by index; ``{}`` unless these are MNIST's.

    The labels are checked too, as another file can stand in for MNIST's own test images.
    """
    if test_images != "mnist" or len(y_test) != 10_000:
        return {}
    if any(y_test[index] != entry.given for index, entry in DISPUTED_LABELS.items()):
        return {}
    return DISPUTED_LABELS


def find_label_errors(y: np.ndarray, probabilities: np.ndarray) -> LabelErrors:
    """Find labels that look wrong: ``y`` (n,) integers, ``probabilities`` (n, 10).

    The probabilities must come from a model that was not trained on these images. The list holds
    every misclassified image, ordered by the probability of its label; the confident joint
    estimates how many of them are label errors. A list of only that many would miss most of
    MNIST's disputed labels.
    Source: Northcutt, Jiang and Chuang 2021, Confident learning (JAIR 70), sections 3.1 and 3.2.
    """
    p = np.asarray(probabilities, np.float64)
    y, y_pred = np.asarray(y, np.int64), p.argmax(axis=1)
    p_label = p[np.arange(len(y)), y]
    indices = np.flatnonzero(y_pred != y)
    indices = indices[np.argsort(p_label[indices], kind="stable")]
    return LabelErrors(indices, y_pred[indices], _estimate_errors(y, p, p_label))


def to_csv(label_errors: LabelErrors, y: np.ndarray, probabilities: np.ndarray) -> str:
    """The list as CSV text, with the labels and the probabilities it was made from."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    indices, suggestions = label_errors.indices.tolist(), label_errors.suggested.tolist()
    for index, suggested in zip(indices, suggestions, strict=True):
        label, p = int(y[index]), probabilities[index]
        rows.writerow([index, label, suggested, f"{p[label]:.6f}", f"{p[suggested]:.6f}"])
    return text.getvalue()


def _estimate_errors(y: np.ndarray, p: np.ndarray, p_label: np.ndarray) -> int:
    """The number of wrong labels: the off-diagonal sum of the calibrated confident joint."""
    images = np.bincount(y, minlength=10)
    sums = np.bincount(y, p_label, minlength=10)
    # A digit is confident where its probability reaches the mean over the images of its label;
    # without images there is no mean. Rounding can lift the mean of equal probabilities above them.
    threshold = np.divide(sums, images, out=np.full(10, np.inf), where=images > 0) - 1e-9
    confident = np.where(p >= threshold, p, -1)
    counted = confident.max(axis=1) >= 0
    pairs = y[counted] * 10 + confident[counted].argmax(axis=1)
    joint = np.bincount(pairs, minlength=100).reshape(10, 10)
    rows = joint.sum(axis=1)
    error_rate = np.divide(rows - joint.diagonal(), rows, out=np.zeros(10), where=rows > 0)
    return round(float(error_rate @ images))
