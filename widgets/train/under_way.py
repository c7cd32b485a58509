"""What can be done with a run: pause, another learning rate, stop, resume, keep, train more."""

from collections.abc import Callable

import streamlit as st

from digits.recipes.recipe import HYPERPARAMETERS, LEARNING_RATES
from digits.store import forks, learning_rate
from digits.store.files import reason
from digits.store.run_folder import Run
from digits.store.status import Status
from widgets.shared.format import as_text, filled
from widgets.shared.session import choose_run, engine, submit


def begin(make: Callable[[], list[Run]]) -> bool:
    """Queue the runs that ``make`` creates, the first for the page; or tell why there is none."""
    ready = engine()  # stops here where there is none, before a run is created
    try:
        made = make()
        for run in made:
            ready.submit(run)
    except (OSError, ValueError) as error:
        st.error(as_text(reason(error)), icon=":material/error:")
        return False
    ids = [run.id for run in reversed(made)]
    st.session_state["own-runs"] = [*ids, *st.session_state.get("own-runs", [])]
    choose_run(made[0])
    return True


def control(run: Run, status: Status) -> None:
    """Pause, the learning rate and Stop of a run that trains; Stop alone of one that waits."""
    if status.state == "running":
        asked = run.pause_epoch() == 0
        st.button(
            "Pausing" if asked else "Pause",
            icon=":material/pause:",
            key="train-pause",
            help="Pauses at the end of the epoch, or at once when that is more than 10 seconds "
            "away; the epoch is then trained again.",
            disabled=asked,
            on_click=_ask,
            args=[run, "pause"],
        )
        change_rate(run)
    st.button("Stop", icon=":material/stop:", key="train-stop", on_click=_ask, args=[run, "stop"])


def take_up(run: Run, status: Status) -> None:
    """Resume a run that is paused, interrupted or failed, or keep what it has learned."""
    label = f"Resume after epoch {status.epoch}" if status.epoch else "Start again"
    if status.is_trained:
        label = "Test it"
    if st.button(label, icon=":material/resume:", key="train-resume"):
        submit(run)
        st.rerun()
    if not status.epoch or status.is_trained:
        return
    change_rate(run)
    if st.button(
        "Stop and keep",
        icon=":material/stop:",
        key="train-keep",
        help="Ends the run: what it has learned so far is evaluated on the test set.",
    ):
        _ask(run, "keep")
        st.rerun()


def change_rate(run: Run) -> None:
    """Choose a learning rate for the steps that follow."""
    described = HYPERPARAMETERS["learning_rate"]
    rate = learning_rate.requested(run) or learning_rate.peak(run)
    popover = st.popover(
        f"lr {rate:g}", icon=":material/tune:", key="train-rate", help="Change the learning rate"
    )
    with popover:
        new = st.select_slider(
            described.label,
            sorted({*LEARNING_RATES, rate}),
            rate,
            key=f"train-rate-{run.id}-{rate:g}",
            format_func=described.display,
            help="Holds from the next steps on. The curves mark the change, and the run keeps it.",
        )
        st.button(
            filled("Change"),
            type="primary",
            key="train-rate-change",
            disabled=new == rate,
            on_click=_change_rate,
            args=[run, new],
        )


def train_more(run: Run) -> None:
    """Train a run that is done for more epochs, as another run."""
    popover = st.popover("Train more", icon=":material/forward_media:", key="train-more")
    with popover, st.form("train-more-form", border=False):
        epochs = st.number_input(
            "More epochs",
            1,
            forks.MAX_EPOCHS,
            run.recipe.epochs,
            help="How many epochs a new run adds after the last one. Its learning rate schedule "
            "begins anew.",
        )
        more = st.form_submit_button(filled("Train"), type="primary", icon=":material/play_arrow:")
    if more and begin(lambda: [forks.train_more(run, int(epochs))]):
        st.rerun()


def _ask(run: Run, method: str) -> None:
    """Let the engine do it: "pause", "stop" or "keep"."""
    try:
        getattr(engine(), method)(run)
    except OSError as error:  # no room, or a folder that cannot be written
        st.toast(as_text(reason(error)), icon=":material/hard_drive:")


def _change_rate(run: Run, rate: float) -> None:
    try:
        learning_rate.request(run, rate)
    except OSError as error:
        st.toast(as_text(reason(error)), icon=":material/hard_drive:")
