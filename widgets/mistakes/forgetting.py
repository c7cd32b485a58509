"""The Forgetting view: the epoch in which each digit was learned, and which were forgotten."""

from typing import Any

import numpy as np
import streamlit as st

from digits.evaluation.forgetting import LearningEvents, learning_events
from digits.evaluation.predictions import Predictions, Selection
from digits.store.models import FINAL
from digits.store.run_folder import RESULT, Run
from widgets.mistakes.selection import close_digit
from widgets.shared.format import counted
from widgets.shared.link import choice
from widgets.shared.plot import plot
from widgets.shared.session import test_set

HEIGHT = "calc(var(--card) - 7rem)"
GROUPS = {"learned": "Learned", "forgotten": "Forgotten", "never": "Never learned"}


def view(run: Run, predictions: Predictions) -> Selection | None:
    """Digits learned in each epoch; returns those of an epoch, or the forgotten."""
    epochs = tuple(run.evaluated_epochs())
    if len(epochs) < 2:
        st.info(
            "This view needs test predictions of at least two epochs. Train for more epochs.",
            icon=":material/timeline:",
        )
        return None
    group = choice(
        "Show the digits",
        GROUPS,
        key="learning",
        aliases={"never-learned": "never"},
        on_change=close_digit,
        label_visibility="collapsed",
    )
    events = _learning_events(run, epochs, run.file_stamps(RESULT, "test_probabilities"))
    st.markdown(
        "Test digits **learned in each epoch**, and correct ever since",
        help="Choose the epoch with the slider above or by clicking a bar.",
    )
    _chart(events, epochs, predictions.epoch)
    if group == "learned":
        epoch = epochs[-1] if predictions.epoch == FINAL else predictions.epoch
        indices = np.flatnonzero(events.learned_epoch == epochs.index(epoch) + 1)
        title = f"{counted(len(indices), 'digit')} learned in epoch {epoch}"
        return Selection(predictions, indices, title)
    if group == "never":
        indices = np.flatnonzero(events.never_learned)
        title = f"{counted(len(indices), 'digit')} misclassified after every epoch"
        return Selection(predictions, indices, title)
    indices = np.flatnonzero(events.forgetting_events)
    indices = indices[np.argsort(-events.forgetting_events[indices], kind="stable")]
    counts = events.forgetting_events[indices].tolist()
    notes = [f"{count} time" + "s" * (count != 1) for count in counts]
    title = (
        f"{counted(len(indices), 'digit')} correct after one epoch, misclassified after the next"
    )
    return Selection(predictions, indices, title, ranked=True, notes=notes)


@st.cache_resource(max_entries=8, show_spinner=False)
def _learning_events(
    run: Run, epochs: tuple[int, ...], file_stamps: tuple[int, ...]
) -> LearningEvents:
    """Computed once for all visitors, until ``file_stamps`` change."""
    _, y = test_set(run.recipe.dataset)
    y_pred = run.all_test_probabilities().argmax(axis=2).astype(np.uint8)
    return learning_events(y, y_pred)


def _chart(events: LearningEvents, epochs: tuple[int, ...], marked_epoch: int) -> None:
    counts = np.bincount(events.learned_epoch, minlength=len(epochs) + 1)[1:]
    colors = {True: "var(--st-primary-color)", False: "var(--st-blue-color)"}
    bars = {
        "type": "bar",
        "x": epochs,
        "y": counts,
        "text": [f"{count:,}" for count in counts],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "epoch %{x}: %{y:,} digits<extra></extra>",
        "marker": {"color": [colors[epoch == marked_epoch] for epoch in epochs]},
    }
    decades = float(np.log10(max(10, counts.max())))
    layout = {
        "xaxis": {"title": {"text": "Epoch"}, "dtick": -(-len(epochs) // 12)},
        "yaxis": {
            "type": "log",
            "nticks": 5,
            "tickformat": "~s",
            "title": {"text": "Digits"},
            "range": [-0.3, decades + 0.4],
        },
    }
    best = epochs[int(counts.argmax())]
    alt = f"Digits learned in each epoch; the most, {counts.max():,}, in epoch {best}."
    plot([bars], layout, key="mistakes-learned", height=HEIGHT, alt=alt, on_click=_choose_epoch)


def _choose_epoch(bar: dict[str, Any]) -> None:
    st.session_state["epoch"] = int(bar["x"])
    close_digit()
