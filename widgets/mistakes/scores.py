"""How good a run is on the test images, in figures: over all, and digit by digit."""

import numpy as np
import streamlit as st

from digits.evaluation.metrics import confusion_matrix, per_class, rank, wilson_interval
from digits.evaluation.predictions import Predictions
from widgets.shared.format import interval


def overall_metrics(tested: Predictions) -> None:
    """Accuracy with its interval, as labelled and without disputed labels; loss and mistakes."""
    right, total = int(tested.right.sum()), len(tested.y)
    loss = rank(tested.y, tested.probabilities, "loss").mean()
    figures = [
        ("Test accuracy", f"{right / total:.2%}", interval(right, total)),
        ("Test loss", f"{loss:.4f}", "cross-entropy, nats"),
        ("Misclassified", f"{total - right:,} of {total:,}", "never seen in training"),
    ]
    if tested.disputed:
        sure = np.delete(tested.right, list(tested.disputed))
        without = f"Without {len(tested.disputed)} disputed labels"
        share = f"{sure.mean():.2%}"
        figures.insert(1, (without, share, interval(int(sure.sum()), len(sure))))
    with st.container(horizontal=True, gap="medium"):
        for label, value, note in figures:
            st.metric(label, value, note, delta_color="off", delta_arrow="off", width="content")


def per_digit_table(tested: Predictions) -> None:
    """Precision, recall and F1 of each digit; in Markdown, as st.table would import pandas."""
    scores = per_class(confusion_matrix(tested.y, tested.predicted))
    columns = (scores.precision, scores.recall, scores.f1, scores.support)
    rows = [
        f"| **{digit}** | {precision:.1%} | {recall:.1%} | {_range(recall, support)} | {f1:.1%} "
        f"| {support:,} |"
        for digit, (precision, recall, f1, support) in enumerate(zip(*columns, strict=True))
    ]
    head = ["| | Precision | Recall | 95% interval | F1 | Images |", "|-|-:|-:|:-:|-:|-:|"]
    st.markdown("\n".join([*head, *rows]))


def _range(share: float, total: int) -> str:
    """The interval of a digit's recall, which is the accuracy on its images."""
    if not total:
        return "–"
    low, high = wilson_interval(round(share * total), total)
    return f"{low:.1%} – {high:.1%}"
