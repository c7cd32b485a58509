"""The time machine: a slider over a run's epochs that also plays by itself."""

import time

import streamlit as st

from digits.store.models import FINAL
from digits.store.runs import Run
from widgets.shared.background_job import offer_job

SECONDS_PER_EPOCH = 0.8  # seconds an epoch while it plays


def playback_interval() -> float | None:
    """How often what follows the epoch has to look again; ``None`` while nothing plays."""
    return SECONDS_PER_EPOCH if st.session_state.get("playing") else None


def choose_epoch(run: Run) -> int:
    """The epoch, from 1, whose network is shown; 0 for the run's final model.

    Belongs in a fragment that runs every ``pace()`` seconds.
    """
    tested, kept = run.evaluated_epochs(), run.final_epoch()
    if len(tested) < len(run.saved_epochs()):
        offer_job(
            run,
            "epochs",
            "Read the test images with each epoch's network",
            "Of some epochs this run has kept the weights, but not what they say of the test "
            "images.",
        )
    elif not tested and len(run.epoch_metrics()["epoch"]) > 1:
        st.caption("Of its single epochs this run has kept nothing: here is its final model.")
    moments = tested if kept != FINAL else [*tested, FINAL]
    if len(moments) < 2:
        return FINAL
    state = st.session_state
    if state.get("epoch", kept) not in moments:  # another run's
        state["epoch"] = kept
    elif "epoch" not in st.query_params:
        state.setdefault("epoch", kept)
    if state.get("playing") and time.monotonic() - state["moved"] > 0.9 * SECONDS_PER_EPOCH:
        _step(moments)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        label, icon = ("Pause", "pause") if state.get("playing") else ("Play", "play_arrow")
        if st.button(label, icon=f":material/{icon}:", key="play", on_click=_play, args=[moments]):
            st.rerun()  # the page has to look more often, or no longer
        return st.select_slider(
            "Epoch",
            moments,
            key="epoch",
            bind="query-params",
            format_func=lambda epoch: "final" if epoch == FINAL else f"{epoch}",
            help="Everything below is as the network was after this epoch.",
        )


def _play(moments: list[int]) -> None:
    """Start, from the beginning where it has come to the end, or pause."""
    state = st.session_state
    state["playing"], state["moved"] = not state.get("playing"), time.monotonic()
    if state["playing"] and state["epoch"] == moments[-1]:
        state["epoch"] = moments[0]


def _step(moments: list[int]) -> None:
    state = st.session_state
    place = moments.index(state["epoch"]) + 1
    state["epoch"], state["moved"] = moments[min(place, len(moments) - 1)], time.monotonic()
    if place >= len(moments) - 1:
        state["playing"] = False
        st.rerun()
