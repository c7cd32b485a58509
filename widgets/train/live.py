"""The live view of one run: its progress, figures, curves and digits, and the runs before it."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import streamlit as st

from digits.ink import collection
from digits.recipes.differences import closest_preset
from digits.store.run_folder import EPOCHS, STATUS, Run
from digits.store.status import DONE, RESUMABLE, UNFINISHED, Status
from widgets.shared.drawings import pinned_drawings, score_line
from widgets.shared.feed import run_when_told
from widgets.shared.format import as_text, duration, training_time
from widgets.shared.session import tell_rate_changes
from widgets.train import sample
from widgets.train.charts import chart
from widgets.train.controls import load
from widgets.train.diagnosis import diagnosis_of, what_happened
from widgets.train.figures import figures
from widgets.train.finetune_result import finetuning_result, finetuning_summary
from widgets.train.progress import progress
from widgets.train.recent import earlier_runs, recent_runs, run_before, show_recent
from widgets.train.run_feed import INTERVAL, LOOK_INTERVAL, look, run_feed, slower
from widgets.train.under_way import control, take_up, train_more


def live(run: Run) -> None:
    """Show the run, again and again while it is unfinished.

    Its progress, curves and digits follow a feed; what else there is follows by looks.
    """
    st.fragment(_refresh)(run)


def _refresh(run: Run) -> None:
    if "recipe-to-load" in st.session_state:
        st.rerun()  # for the controls are outside of this fragment
    going, since = False, 0
    try:
        status = run.status
        # An interrupted run is watched too, for the engine may take it up again by itself.
        going = status.state in (*UNFINISHED, "interrupted")
        since = look(run, status)
        _show(run, status)
    except ValueError as error:
        st.error(as_text(error), icon=":material/broken_image:")
    own = run.id in st.session_state.get("own-runs", [])
    if going:
        st.session_state["train-going"] = run.id
        reads_drawings = sample.shows_own() or any(drawing.pinned for drawing in collection.all())
        seconds = INTERVAL if reads_drawings else LOOK_INTERVAL
        run_when_told(run_feed(run), since, seconds * slower(), key="train-ticker")
    elif st.session_state.pop("train-going", None) == run.id and own:
        st.rerun()  # for the queue and the expected time above; those who only watch do without


def _show(run: Run, status: Status) -> None:
    listed = recent_runs(run)
    earlier, before = earlier_runs(run, listed), run_before(run, listed)
    diagnosis = diagnosis_of(run)
    feed = run_feed(run) if status.state in UNFINISHED else None
    _state(run, status, feed)
    metrics, loss, accuracy = st.columns([5, 10, 10], gap="small")
    with metrics, st.container(border=True, height="stretch"):
        figures(run, before)
    for column, metric in ((loss, "loss"), (accuracy, "accuracy")):
        with column, st.container(border=True, height="stretch"):
            chart(run, status, metric, earlier, diagnosis.since if diagnosis else None, feed)
    told, digits = st.columns([5, 2], gap="small")
    with told:
        what_happened(run, before, lambda changes: _try(run, changes))
        with st.container(border=True):
            show_recent(run, listed, earlier)
        drawings = st.empty()
    with digits, st.container(border=True, height="stretch"):
        sample.digits(run, status, feed)
    for gap in _gaps(run, run.file_stamps(STATUS, EPOCHS)):
        st.warning(gap, icon=":material/timeline:")
    if run.recipe.finetune is not None:
        st.caption(finetuning_summary(run))
        if status.state in DONE:
            finetuning_result(run)
    score_line(run, drawings)
    pinned_drawings(run, status)


def _try(run: Run, changes: dict[str, Any]) -> None:
    """Put the run's recipe, with these changes, into the controls."""
    recipe = run.recipe
    tell_rate_changes(run)
    load(replace(recipe, **changes), run.preset or closest_preset(recipe))


def _state(run: Run, status: Status, feed: str | None) -> None:
    """One line: how far the run is, and what can be done."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if feed:
            progress(run, status, feed)
            control(run, status)
        elif status.state in RESUMABLE:
            message = as_text(status.message) or f"{status.state.capitalize()}."
            if status.state == "failed":
                st.error(f"**{_label(run)}** · {message}", icon=":material/error:")
            else:
                st.warning(f"**{_label(run)}** · {message}", icon=":material/pause_circle:")
            take_up(run, status)
        else:
            _ended(run, status)
    if status.note:
        st.warning(as_text(status.note), icon=":material/history:")


def _label(run: Run) -> str:
    return as_text(f"{run.number} {run.name}" if run.number else run.name)


def _ended(run: Run, status: Status) -> None:
    result = run.result()
    if result is None:
        raise ValueError(f"result.json of run {run.id} is missing.")
    if status.state == "finished":
        words = f":material/check_circle: **{_label(run)}** · finished"
    elif result["epochs"]:
        words = (
            f":material/stop_circle: **{_label(run)}** · stopped after {result['epochs']} of "
            f"{status.epochs} epochs"
        )
    else:
        words = f":material/stop_circle: **{_label(run)}** · stopped in its first epoch"
    times = (
        f"{duration(result['start_seconds'])} start-up, {training_time(result)} training in "
        f"{result['precision'].split('_')[-1]} ({duration(result['cpu_seconds'])} CPU time), "
        f"{duration(result['publishing_seconds'])} files and live view, "
        f"{duration(result['evaluation_seconds'])} evaluation."
    )
    if result["seconds"]:
        st.markdown(f"{words} in {training_time(result)}.", help=times, width="stretch")
    else:
        st.markdown(f"{words}.", width="stretch")
    link = {"run": run.id}
    for page, label, icon in (
        ("pages/mistakes.py", "See its mistakes", ":material/troubleshoot:"),
        ("pages/draw.py", "Draw a digit for it", ":material/draw:"),
    ):
        st.page_link(page, label=label, icon=icon, query_params=link, width="content")
    train_more(run)


@lru_cache(maxsize=32)
def _gaps(run: Run, changed: tuple[int, ...]) -> list[str]:
    """What the curves lack, read once for all who watch until ``changed`` changes."""
    return run.gaps()
