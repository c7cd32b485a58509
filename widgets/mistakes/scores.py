"""Test metrics: over all images, and for each digit."""

import numpy as np
import streamlit as st

from digits.evaluation.metrics import confusion_matrix, per_class, rank, wilson_interval
from digits.evaluation.predictions import Predictions
from widgets.shared.format import interval


def overall_metrics(predictions: Predictions) -> None:
    """Test accuracy with its interval, with and without disputed labels; loss and mistakes."""
    correct, total = int(predictions.correct.sum()), len(predictions.y)
    loss = rank(predictions.y, predictions.probabilities, "loss").mean()
    metrics = [
        ("Test accuracy", f"{correct / total:.2%}", interval(correct, total)),
        ("Test loss", f"{loss:.4f}", "cross-entropy, nats"),
        ("Misclassified", f"{total - correct:,} of {total:,}", "not used in training"),
    ]
    if predictions.disputed:
        undisputed = np.delete(predictions.correct, list(predictions.disputed))
        label = f"Without {len(predictions.disputed)} disputed labels"
        note = interval(int(undisputed.sum()), len(undisputed))
        metrics.insert(1, (label, f"{undisputed.mean():.2%}", note))
    with st.container(horizontal=True, gap="medium"):
        for label, value, note in metrics:
            st.metric(label, value, note, delta_color="off", delta_arrow="off", width="content")


def per_digit_table(predictions: Predictions) -> None:
    """Precision, recall and F1 of each digit; in Markdown, as st.table would import pandas."""
    scores = per_class(confusion_matrix(predictions.y, predictions.predicted))
    columns = (scores.precision, scores.recall, scores.f1, scores.support)
    rows = [
        f"| **{digit}** | {precision:.1%} | {recall:.1%} | {_recall_interval(recall, support)} "
        f"| {f1:.1%} | {support:,} |"
        for digit, (precision, recall, f1, support) in enumerate(zip(*columns, strict=True))
    ]
    head = ["| | Precision | Recall | 95% interval | F1 | Images |", "|-|-:|-:|:-:|-:|-:|"]
    st.markdown("\n".join([*head, *rows]))


def _recall_interval(recall: float, support: int) -> str:
    if not support:
        return "–"
    low, high = wilson_interval(round(recall * support), support)
    return f"{low:.1%} – {high:.1%}"
