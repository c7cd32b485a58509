"""How good a run is on the test images, in figures: over all, and digit by digit."""

import numpy as np
import streamlit as st

from digits.metrics import confusion_matrix, per_class, rank, wilson


def overall(y_true: np.ndarray, probabilities: np.ndarray) -> None:
    """Accuracy with its interval, loss and mistakes, of (n,) labels and (n, 10) probabilities."""
    total = len(y_true)
    right = int((probabilities.argmax(axis=1) == y_true).sum())
    low, high = wilson(right, total)
    loss = rank(y_true, probabilities, "loss").mean()
    figures = (
        ("Test accuracy", f"{right / total:.2%}", f"95% interval {low:.2%} – {high:.2%}"),
        ("Test loss", f"{loss:.4f}", "cross-entropy, nats"),
        ("Misclassified", f"{total - right:,} of {total:,}", "never seen in training"),
    )
    with st.container(horizontal=True, gap="medium"):
        for label, value, note in figures:
            st.metric(label, value, note, delta_color="off", delta_arrow="off", width="content")


def digit_by_digit(y_true: np.ndarray, y_pred: np.ndarray) -> None:
    """Precision, recall and F1 of each digit; in Markdown, as st.table would import pandas."""
    scores = per_class(confusion_matrix(y_true, y_pred))
    columns = (scores.precision, scores.recall, scores.f1, scores.support)
    rows = [
        f"| **{digit}** | {precision:.1%} | {recall:.1%} | {f1:.1%} | {support:,} |"
        for digit, (precision, recall, f1, support) in enumerate(zip(*columns, strict=True))
    ]
    st.markdown("\n".join(["| | Precision | Recall | F1 | Images |", "|-|-:|-:|-:|-:|", *rows]))
