"""One digit in detail: the evidence for its prediction, its neighbors, and its history."""

import numpy as np
import streamlit as st

from digits.evaluation.forgetting import learning_events
from digits.evaluation.metrics import rank
from digits.evaluation.predictions import Predictions
from digits.store.cross_validation import run_of_fold
from digits.store.models import FINAL, ModelRef
from digits.store.runs import Run
from widgets.mistakes.selection import open_digit
from widgets.shared.explanations import evidence, nearest_neighbors
from widgets.shared.format import as_text, counted
from widgets.shared.link import check
from widgets.shared.probabilities import bars, over_epochs

NEIGHBORS_HEIGHT = 68  # pixels, kept while they are computed


def show(predictions: Predictions, indices: np.ndarray, run: Run) -> int | None:
    """The digit chosen by number, in the gallery, or by steps through ``indices``; its number."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        index = _choose(predictions, indices)
    if index is None:
        st.caption(
            "Choose a digit of the gallery to see why the model predicted what it did: the pixels "
            "that decided, all ten probabilities, the nearest training digits, and when it was "
            "learned."
        )
    elif index < len(predictions.y):
        if predictions.folds is not None:
            run = run_of_fold(run, int(predictions.folds[index]))
        _details(predictions, index, run)
    return index


def _choose(predictions: Predictions, indices: np.ndarray) -> int | None:
    last = len(predictions.y) - 1
    check("digit", lambda index: 0 <= index <= last, f"0 – {last}")
    index = st.number_input(
        f"{predictions.name} number",
        0,
        max(0, last),
        None,
        key="digit",
        bind="query-params",
        placeholder=f"{predictions.name} …",
        label_visibility="collapsed",
        width="stretch",
    )
    position = np.flatnonzero(indices == index)  # empty for a digit outside the selection
    before = indices[position[0] - 1] if len(position) and position[0] else None
    after = indices[position[0] + 1] if len(position) and position[0] + 1 < len(indices) else None
    if index is None and len(indices):
        after = indices[0]
    steps = (
        ("Previous", before, before is None),
        ("Next", after, after is None),
        ("Close", None, index is None),
    )
    for label, target, disabled in steps:
        st.button(
            label,
            type="tertiary",
            disabled=disabled,
            key=f"mistakes-{label.lower()}",
            on_click=open_digit,
            args=[target],
        )
    return index


def _details(predictions: Predictions, index: int, run: Run) -> None:
    """The evidence first: saliency and probabilities, then neighbors and learning events."""
    label, p = int(predictions.y[index]), predictions.probabilities[index].astype(np.float64)
    predicted = int(p.argmax())
    color = "green" if predicted == label else "red"
    loss = rank(np.array([label]), p[None], "loss")[0]
    st.markdown(
        f"Label :green[**{label}**], predicted as :{color}[**{predicted}**]",
        help=f"Confidence {p[predicted]:.2%} · probability of the label {p[label]:.2%} · "
        f"loss {loss:.3f} nats",
    )
    _dispute(predictions, index)
    alternative = predicted if predicted != label else int(np.argsort(p)[-2])
    is_final = predictions.epoch == run.final_epoch()
    model = ModelRef(run, FINAL if is_final else predictions.epoch)
    fill = evidence(model, predictions.x[index], (label, alternative))
    bars(p, label, key="mistakes-probabilities", height=110)
    st.markdown(
        "**Nearest training digits**",
        help="The nearest first in the final model's embedding space, with their labels.",
    )
    neighbors = st.container(height=NEIGHBORS_HEIGHT, border=False)
    try:
        if predictions.name == "Test image":
            _history(run, index, label, predictions.epoch)
        fill()
        with neighbors:
            nearest_neighbors(ModelRef(run), predictions.x[index], size=36, only=6)
    except (ValueError, OSError) as error:
        st.error(as_text(error), icon=":material/error:")


def _dispute(predictions: Predictions, index: int) -> None:
    """How five annotators voted, where most of them did not confirm the label."""
    if not (dispute := predictions.disputed.get(index)):
        return
    vote = {
        "corrected": f"Most of five annotators chose {dispute.suggested}",
        "split": f"Five annotators were split between {dispute.given} and {dispute.suggested}",
        "neither": f"Most of five annotators chose neither {dispute.given} nor {dispute.suggested}",
    }[dispute.verdict]
    source = "[Northcutt et al. 2021](https://labelerrors.com)"  # too faint as a link in a caption
    st.markdown(f":small[:material/gavel: **Disputed label.** {vote} ({source}).]")


def _history(run: Run, index: int, label: int, epoch: int) -> None:
    """The ten probabilities of a test image after every epoch."""
    epochs = run.evaluated_epochs()
    if len(epochs) < 2:
        return
    p = run.probabilities_over_epochs(index).astype(np.float64)  # (epochs, 10)
    correct = p.argmax(axis=1) == label
    st.markdown(f"**Over the epochs**: {_learning_summary(correct, epochs)}")
    alt = f"Probabilities after each of {len(epochs)} epochs; correct after {correct.sum()}."
    over_epochs(epochs, p, label, key="mistakes-history", alt=alt, marked_epoch=epoch, height=155)


def _learning_summary(correct: np.ndarray, epochs: list[int]) -> str:
    """When an image was learned and how often forgotten, from (epochs,) bool."""
    events = learning_events(np.ones(1), correct[:, None])
    if events.never_learned[0]:
        return "never classified correctly."
    learned = events.learned_epoch[0]
    start = f"correct from epoch {epochs[learned - 1]} on" if learned else "wrong at the end"
    return f"{start}, forgotten {counted(int(events.forgetting_events[0]), 'time')}."
