"""The live view of one run: its progress, figures, curves and digits, and the runs before it."""

import secrets
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from digits.recipes.differences import closest_preset
from digits.store import runs
from digits.store.expected_time import expected_seconds
from digits.store.run_folder import EPOCHS, SAMPLE_PROBABILITIES, STATUS, Run
from digits.store.status import DONE, RESUMABLE, UNFINISHED, Status
from widgets.shared.drawings import pinned_drawings, score_metric
from widgets.shared.format import as_text, duration
from widgets.shared.gallery import gallery
from widgets.shared.session import tell_rate_changes
from widgets.shared.ticker import run_again
from widgets.train.charts import chart
from widgets.train.controls import load
from widgets.train.diagnosis import diagnosis_of, what_happened
from widgets.train.figures import figures
from widgets.train.finetune_result import finetuning_result, finetuning_summary
from widgets.train.recent import earlier_runs, recent_runs, run_before, show_recent
from widgets.train.under_way import control, take_up, train_more

INTERVAL = 1.0  # seconds between two looks at the run's folder
FIRST_STEP_INTERVAL = 0.3  # the same while its first step is awaited
CROWD = 50  # visitors from whom on all look less often, so that their looks a second stay as many
GONE = 30.0  # seconds after which a visitor who has not looked no longer counts

_looked: dict[str, float] = {}  # when each visitor of a run that goes on has looked last


def live(run: Run) -> None:
    """Show the run, again and again while it is unfinished."""
    st.fragment(_refresh)(run)


def _refresh(run: Run) -> None:
    if "recipe-to-load" in st.session_state:
        st.rerun()  # for the controls are outside of this fragment
    going = False
    try:
        status = run.status
        going = status.state in UNFINISHED
        _show(run, status)
    except ValueError as error:
        st.error(as_text(error), icon=":material/broken_image:")
    own = run.id in st.session_state.get("own-runs", [])
    if going:
        st.session_state["train-going"] = run.id
        awaited = not status.step and runs.queue()[:1] == [run]
        pace = FIRST_STEP_INTERVAL if awaited else INTERVAL
        run_again(pace * max(1.0, _crowd() / CROWD), key="train-ticker")
    elif st.session_state.pop("train-going", None) == run.id and own:
        st.rerun()  # for the queue and the expected time above; those who only watch do without


def _crowd() -> int:
    """How many visitors look at runs that go on, this one included."""
    now = time.monotonic()
    _looked[st.session_state.setdefault("visitor", secrets.token_hex(8))] = now
    for visitor, moment in list(_looked.items()):
        if now - moment > GONE:
            _looked.pop(visitor, None)
    return len(_looked)


def _show(run: Run, status: Status) -> None:
    listed = recent_runs(run)
    earlier, before = earlier_runs(run, listed), run_before(run, listed)
    diagnosis = diagnosis_of(run)
    _state(run, status)
    figures(run, status, before)
    loss, accuracy, digits = st.columns([5, 5, 4], gap="small", border=True)
    for column, metric in ((loss, "loss"), (accuracy, "accuracy")):
        with column:
            chart(run, status, metric, earlier, diagnosis.since if diagnosis else None)
    with digits:
        _digits(run, status)
    what_happened(run, before, lambda changes: _try(run, changes))
    with st.container(border=True):
        show_recent(run, listed, earlier)
    for gap in _gaps(run, run.file_stamps(STATUS, EPOCHS)):
        st.warning(gap, icon=":material/timeline:")
    if run.recipe.finetune is not None:
        st.caption(finetuning_summary(run))
        if status.state in DONE:
            finetuning_result(run)
    if status.state in DONE:
        score_metric(run)
    pinned_drawings(run, status)


def _try(run: Run, changes: dict[str, Any]) -> None:
    """Put the run's recipe, with these changes, into the controls."""
    recipe = run.recipe
    tell_rate_changes(run)
    load(replace(recipe, **changes), run.preset or closest_preset(recipe))


def _state(run: Run, status: Status) -> None:
    """One line: how far the run is, and what can be done."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if status.state in UNFINISHED:
            _progress(run, status)
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


def _progress(run: Run, status: Status) -> None:
    name = _label(run)
    done = status.step / status.steps if status.steps else 0.0
    if status.state == "queued":
        st.progress(0.0, f"{name} · {_waiting(run)}")
        return
    epoch = f"epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}"
    speed = f"{status.images_per_second:,.0f} images/s"
    left = "" if status.seconds_left is None else f" · {duration(status.seconds_left)} left"
    words = as_text(status.message) or f"{epoch} · {speed}{left}"
    st.progress(min(1.0, done), f"{name} · {words}")


def _waiting(run: Run) -> str:
    """How many runs are ahead in the queue, and how long they take."""
    queue = runs.queue()
    ahead = queue[: queue.index(run)] if run in queue else []
    if not ahead:
        return "queued, next in line: it begins when a worker is free and has loaded TensorFlow."
    seconds = [_seconds_left(other) for other in ahead]
    known = [one for one in seconds if one is not None]
    wait = f", about {duration(sum(known))}" if len(known) == len(seconds) else ""
    return f"queued: {len(ahead)} {'run' if len(ahead) == 1 else 'runs'} ahead{wait}."


def _seconds_left(run: Run) -> float | None:
    try:
        left = run.status.seconds_left
        return expected_seconds(run.recipe) if left is None else left
    except ValueError:
        return None


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
        f"{duration(result['start_seconds'])} start-up, {duration(result['seconds'])} training in "
        f"{result['precision'].split('_')[-1]} ({duration(result['cpu_seconds'])} CPU time), "
        f"{duration(result['publishing_seconds'])} files and live view, "
        f"{duration(result['evaluation_seconds'])} evaluation."
    )
    st.markdown(f"{words} in {duration(result['seconds'])}.", help=times, width="stretch")
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


def _digits(run: Run, status: Status) -> None:
    """Validation digits or the visitor's own, and what the network takes them for just now."""
    sample = _sample(run, run.file_stamps(SAMPLE_PROBABILITIES))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        own = (
            st.segmented_control(
                "Digits",
                ["Validation", "Your own"],
                default="Validation",
                required=True,
                key="train-digits",
                label_visibility="collapsed",
            )
            == "Your own"
        )
        if sample and not own:
            st.caption(sample.caption)
    if own:
        from widgets.train.watched import watched_drawing  # with the canvas, which few need here

        watched_drawing(run, status)
    elif sample:
        gallery(
            sample.images,
            sample.captions,
            key="train-sample",
            names=sample.names,
            size=30,
            height="auto",
        )
    else:
        st.caption("Twenty validation digits appear here, with what the network takes them for")


@dataclass(frozen=True)
class _Sample:
    """Validation digits, (n, 28, 28) uint8, with the latest predictions in words."""

    caption: str
    images: np.ndarray
    captions: list[str]
    names: list[str]


@lru_cache(maxsize=32)
def _sample(run: Run, changed: tuple[int, ...]) -> _Sample | None:
    """The validation digits as all visitors see them until ``changed`` changes."""
    sample = run.validation_sample()
    if sample is None:
        return None
    x, y, probabilities = sample
    y_pred = probabilities.argmax(axis=1)
    correct = int((y_pred == y).sum())
    captions = [
        f"{predicted} {'✓' if predicted == label else '✗'}"
        for predicted, label in zip(y_pred, y, strict=True)
    ]
    shares = probabilities.max(axis=1).astype(float)
    names = [
        f"A {label}, predicted as {predicted} ({share:.0%})"
        for label, predicted, share in zip(y, y_pred, shares, strict=True)
    ]
    caption = f"{correct} of {len(y)} right"
    return _Sample(caption, x, captions, names)
