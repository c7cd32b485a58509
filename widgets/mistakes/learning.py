"""What became of each digit through the epochs: learned for good, forgotten again, or never."""

from typing import Any

import numpy as np
import streamlit as st

from digits.evaluation.forgetting import LearningEvents, learning_events
from digits.evaluation.predictions import Predictions, Selection
from digits.store.models import FINAL
from digits.store.run_folder import RESULT, Run
from widgets.mistakes.selection import close_digit
from widgets.shared.format import counted
from widgets.shared.plot import plot
from widgets.shared.session import test_set

FATES = {"learned": "Learned for good", "forgotten": "Forgotten again", "never": "Never right"}


def view(run: Run, tested: Predictions) -> Selection | None:
    """How many digits each epoch taught for good; gives those of one epoch, or of another fate."""
    epochs = tuple(run.evaluated_epochs())
    if len(epochs) < 2:
        st.info(
            "Here the digits that each epoch taught would be counted, but this run has the "
            "answers of fewer than two epochs. Train for more.",
            icon=":material/timeline:",
        )
        return None
    past = _history(run, epochs, run.file_stamps(RESULT, "test_probabilities"))
    st.markdown("Test digits that were **right from this epoch on**, to the last one")
    _chart(past, epochs, tested.epoch)
    fate = st.segmented_control(
        "Show the digits",
        FATES,
        default="learned",
        required=True,
        key="fate",
        format_func=FATES.__getitem__,
        bind="query-params",
        on_change=close_digit,
    )
    if fate == "learned":
        epoch = epochs[-1] if tested.epoch == FINAL else tested.epoch
        found = np.flatnonzero(past.learned == epochs.index(epoch) + 1)
        title = f"{counted(len(found), 'digit')} learned for good in epoch {epoch}"
        st.caption("The epoch slider above chooses the epoch; so does a click on a bar.")
        return Selection(tested, found, title)
    if fate == "never":
        found = np.flatnonzero(past.never)
        return Selection(tested, found, f"{counted(len(found), 'digit')} right after no epoch")
    found = np.flatnonzero(past.forgotten)
    found = found[np.argsort(-past.forgotten[found], kind="stable")]
    times = [f"{count} {'time' if count == 1 else 'times'}" for count in past.forgotten[found]]
    title = f"{counted(len(found), 'digit')} right after an epoch, wrong after the next"
    return Selection(tested, found, title, ranked=True, notes=times)


@st.cache_resource(max_entries=8, show_spinner=False)
def _history(run: Run, epochs: tuple[int, ...], changed: tuple[int, ...]) -> LearningEvents:
    """Once for all visitors, until ``changed`` changes."""
    _, y = test_set(run.recipe.dataset)
    read = [run.test_probabilities(epoch).argmax(axis=1).astype(np.uint8) for epoch in epochs]
    return learning_events(y, np.stack(read))


def _chart(past: LearningEvents, epochs: tuple[int, ...], chosen: int) -> None:
    counts = np.bincount(past.learned, minlength=len(epochs) + 1)[1:]
    bars = {
        "type": "bar",
        "x": epochs,
        "y": counts,
        "text": [f"{count:,}" for count in counts],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "epoch %{x}: %{y:,} digits<extra></extra>",
        "marker": {
            "color": [
                "var(--st-primary-color)" if epoch == chosen else "var(--st-blue-color)"
                for epoch in epochs
            ]
        },
    }
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "Epoch"}, "nticks": 12, "tickformat": "d"},
        "yaxis": {
            "type": "log",
            "nticks": 5,
            "tickformat": "~s",
            "title": {"text": "Digits"},
            "range": [-0.3, float(np.log10(max(10, counts.max()))) + 0.4],
        },
    }
    best = epochs[int(counts.argmax())]
    alt = f"Digits learned for good in each epoch: most, {counts.max():,}, in epoch {best}."
    plot([bars], layout, key="learned", height=330, alt=alt, on_click=_to_epoch)


def _to_epoch(bar: dict[str, Any]) -> None:
    st.session_state["epoch"] = int(bar["x"])
    close_digit()
