"""Labels that may be wrong: those of MNIST that people disputed, and those a model doubts."""

import csv
import io
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np


class DisputedLabel(NamedTuple):
    """A label that most of five people did not confirm, and what they were shown beside it.

    "corrected": most chose ``suggested`` instead; "split": they were split between the two;
    "neither": most chose neither of them.
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


@dataclass(frozen=True)
class LabelErrors:
    """Images whose label a model contradicts, the most suspicious first.

    ``indices`` and ``suggested`` labels are (m,) int64. ``errors`` estimates how many labels of
    the whole set are wrong: of the images on top of the list, about so many.
    """

    indices: np.ndarray
    suggested: np.ndarray
    errors: int


def disputed_labels(name: str, y_test: np.ndarray) -> dict[int, DisputedLabel]:
    """The disputed labels of a data set's test images, by index; ``{}`` unless these are MNIST's.

    The name alone does not tell: another file may stand in for MNIST's own test images.
    """
    if name not in ("mnist", "mnist-small") or len(y_test) != 10_000:
        return {}
    if any(y_test[index] != entry.given for index, entry in DISPUTED_LABELS.items()):
        return {}
    return DISPUTED_LABELS


def find_label_errors(y: np.ndarray, probabilities: np.ndarray) -> LabelErrors:
    """Find labels that look wrong: ``y`` (n,) integers, ``probabilities`` (n, 10).

    The probabilities must come from a model that was not trained on these images. Every image
    that the model reads differently is listed, by the probability it leaves for the label; how
    many of them are errors is estimated by the confident joint. To list only so many would lose
    most of MNIST's disputed labels.
    Source: Northcutt, Jiang and Chuang 2021, Confident learning (JAIR 70), sections 3.1 and 3.2.
    """
    p = np.asarray(probabilities, np.float64)
    y, y_pred = np.asarray(y, np.int64), p.argmax(axis=1)
    p_label = p[np.arange(len(y)), y]
    wrong = np.flatnonzero(y_pred != y)
    wrong = wrong[np.argsort(p_label[wrong], kind="stable")]
    return LabelErrors(wrong, y_pred[wrong], _errors(y, p, p_label))


def to_csv(found: LabelErrors, y: np.ndarray, probabilities: np.ndarray) -> str:
    """The list as text of a CSV file, with the labels and probabilities it was made from."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        ["index", "label", "suggested", "probability_of_label", "probability_of_suggested"]
    )
    for index, suggested in zip(found.indices.tolist(), found.suggested.tolist(), strict=True):
        label, p = int(y[index]), probabilities[index]
        rows.writerow([index, label, suggested, f"{p[label]:.6f}", f"{p[suggested]:.6f}"])
    return text.getvalue()


def _errors(y: np.ndarray, p: np.ndarray, p_label: np.ndarray) -> int:
    """How many labels are wrong: the calibrated confident joint off its diagonal."""
    images = np.bincount(y, minlength=10)
    sums = np.bincount(y, p_label, minlength=10)
    # A digit counts where its probability reaches what images of its label get on average; one
    # without images has no such average. Equal probabilities may average to a hair above them.
    threshold = np.divide(sums, images, out=np.full(10, np.inf), where=images > 0) - 1e-9
    confident = np.where(p >= threshold, p, -1)
    counted = confident.max(axis=1) >= 0
    pairs = y[counted] * 10 + confident[counted].argmax(axis=1)
    joint = np.bincount(pairs, minlength=100).reshape(10, 10)
    rows = joint.sum(axis=1)
    share = np.divide(rows - joint.diagonal(), rows, out=np.zeros(10), where=rows > 0)
    return round(float(share @ images))
