"""The live view of one run: its progress, its curves, and its predictions while it trains."""

import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from digits.store import runs
from digits.store.curves import downsample, smooth, smoothing_window
from digits.store.run_folder import EPOCHS, SAMPLE_PROBABILITIES, STATUS, Run
from digits.store.status import DONE, RESUMABLE, UNFINISHED, Status
from widgets.shared.drawings import pinned_drawings, score_metric
from widgets.shared.format import as_text, duration, test_interval
from widgets.shared.gallery import gallery
from widgets.shared.plot import figure, show
from widgets.shared.session import engine, submit
from widgets.train.finetune_result import finetuning_result, finetuning_summary

INTERVAL = 1.0  # seconds between two looks at the run's folder
FIRST_STEP_INTERVAL = 0.3  # the same while its first step is awaited
CROWD = 50  # visitors from whom on all look less often, so that their looks a second stay as many
GONE = 30.0  # seconds after which a visitor who has not looked no longer counts
POINTS = 250  # of a curve, which is about as wide in pixels

# A timer of Streamlit's (``run_every``) ends or slows down only when the whole page reruns: with a
# hundred visitors that took ten seconds. This one does as the fragment says each time.
TICKER = """
export default function ({ data, parentElement, setTriggerValue }) {
  clearInterval(parentElement.timer)
  const look = () => { if (!document.hidden) setTriggerValue('tick', true) }
  parentElement.timer = setInterval(look, 1000 * data.seconds)
  return () => clearInterval(parentElement.timer)
}
"""
_tick = st.components.v2.component("digits_ticker", js=TICKER)
_looked: dict[str, float] = {}  # when each visitor of a run that goes on has looked last


def live(run: Run) -> None:
    """Show the run, again and again while it is unfinished."""
    st.fragment(_refresh)(run)


def _refresh(run: Run) -> None:
    going = False
    try:
        status = run.status
        going = status.state in UNFINISHED
        _show(run, status)
    except ValueError as error:
        st.error(as_text(error), icon=":material/broken_image:")
    if going:
        awaited = not status.step and runs.queue()[:1] == [run]
        pace = FIRST_STEP_INTERVAL if awaited else INTERVAL
        _tick(data={"seconds": pace * max(1.0, _crowd() / CROWD)}, key="train-ticker")


def _crowd() -> int:
    """How many visitors look at runs that go on, this one included."""
    now = time.monotonic()
    _looked[st.session_state.setdefault("visitor", secrets.token_hex(8))] = now
    for visitor, moment in list(_looked.items()):
        if now - moment > GONE:
            _looked.pop(visitor, None)
    return len(_looked)


def _show(run: Run, status: Status) -> None:
    st.subheader(as_text(run.name), anchor=False)
    finetunes = run.recipe.finetune is not None
    if finetunes:
        st.caption(finetuning_summary(run))
    if status.note:
        st.warning(as_text(status.note), icon=":material/history:")
    if status.state in DONE:
        _reached(run, status)
    else:
        text, button = st.columns([5, 1], vertical_alignment="center")
        with text:
            _progress(run, status)
        with button:
            _button(run, status)
    loss, accuracy, digits = st.columns([5, 5, 4], gap="medium")
    changed = run.file_stamps(STATUS, EPOCHS)
    curves = _curves(run, status.epochs, status.steps, changed)
    for column, (key, (drawn, alt)) in zip((loss, accuracy), curves.items(), strict=True):
        with column:
            show(drawn, key=f"train-curve-{key}", alt=alt)
    with digits:
        _digits(run)
    for gap in _gaps(run, changed):
        st.warning(gap, icon=":material/timeline:")
    if status.state in DONE and finetunes:
        finetuning_result(run)
    pinned_drawings(run)


def _button(run: Run, status: Status) -> None:
    if status.state in UNFINISHED:
        st.button(
            "Stop training",
            icon=":material/stop:",
            key="train-stop",
            width="stretch",
            on_click=_stop,
            args=[run],
        )
    elif status.state in RESUMABLE:
        label = f"Resume after epoch {status.epoch}" if status.epoch else "Start again"
        if st.button(label, icon=":material/resume:", key="train-resume", width="stretch"):
            submit(run)
            st.rerun()


def _stop(run: Run) -> None:
    engine().stop(run)


def _progress(run: Run, status: Status) -> None:
    done = status.step / status.steps if status.steps else 0.0
    epoch = f"Epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}"
    speed = f"{status.images_per_second:,.0f} images/s"
    if status.state == "queued":
        queue = runs.queue()
        place = queue.index(run) if run in queue else 0
        ahead = f"{place} {'run' if place == 1 else 'runs'} ahead"
        waiting = "next in line; it begins when a worker is free and has loaded TensorFlow"
        st.progress(0.0, f"Queued: {ahead if place else waiting}.")
    elif status.state == "running":
        left = "" if status.seconds_left is None else f" · {duration(status.seconds_left)} left"
        words = as_text(status.message) or f"{epoch} · {speed}{left}"
        st.progress(min(1.0, done), words)
    elif status.state == "interrupted":
        st.warning(as_text(status.message) or "Interrupted.", icon=":material/pause_circle:")
    else:
        st.error(as_text(status.message) or "Failed.", icon=":material/error:")


def _reached(run: Run, status: Status) -> None:
    result = run.result()
    if result is None:
        raise ValueError(f"result.json of run {run.id} is missing.")
    speed = result["images_per_second"]
    if status.state == "stopped":
        st.warning(
            f"Stopped after {result['epochs']} of {status.epochs} epochs.", icon=":material/stop:"
        )
    train_accuracy = result["train_accuracy"]
    with st.container(horizontal=True, gap="medium"):
        for name, value, note in (
            ("Test accuracy", f"{result['test_accuracy']:.2%}", test_interval(result)),
            ("Test loss", f"{result['test_loss']:.4f}", "cross-entropy, nats"),
            ("Validation accuracy", f"{result['val_accuracy']:.2%}", None),
            ("Training accuracy", "–" if train_accuracy is None else f"{train_accuracy:.2%}", None),
            (
                "Training time",
                duration(result["seconds"]),
                f"{speed:,.0f} images/s" if speed else None,
            ),
        ):
            st.metric(name, value, note, delta_color="off", delta_arrow="off", width="content")
        score_metric(run)
    st.caption(
        f"Time: {duration(result['start_seconds'])} start-up, "
        f"{duration(result['seconds'])} training in {result['precision'].split('_')[-1]} "
        f"({duration(result['cpu_seconds'])} CPU time), "
        f"{duration(result['publishing_seconds'])} files and live view, "
        f"{duration(result['evaluation_seconds'])} evaluation."
    )
    with st.container(horizontal=True):
        link = {"run": run.id}
        st.page_link(
            "pages/mistakes.py",
            label="See its mistakes",
            icon=":material/troubleshoot:",
            query_params=link,
        )
        st.page_link(
            "pages/draw.py", label="Draw a digit for it", icon=":material/draw:", query_params=link
        )


@lru_cache(maxsize=32)
def _curves(
    run: Run, epochs: int, steps: int, changed: tuple[int, ...]
) -> dict[str, tuple[str, str]]:
    """Figure and words of each curve, made once for all who watch until ``changed`` changes.

    The status follows the steps a few times a second; steps alone may be written far more often.
    """
    batches, ends = run.step_metrics(), run.epoch_metrics()
    x = batches["step"] * epochs / max(1, steps)
    titles = {"loss": "Loss (nats)", "accuracy": "Accuracy"}
    return {
        metric: _curve(x, batches[metric], ends, epochs, metric, title)
        for metric, title in titles.items()
    }


@lru_cache(maxsize=32)
def _gaps(run: Run, changed: tuple[int, ...]) -> list[str]:
    """What the curves lack, as ``_curves``."""
    return run.gaps()


def _curve(
    x: np.ndarray, y: np.ndarray, ends: dict[str, np.ndarray], epochs: int, metric: str, title: str
) -> tuple[str, str]:
    """``x`` is in epochs, ``y`` the metric of each batch, (steps,); ``ends`` of each epoch."""
    shown = downsample(len(x), POINTS)
    smoothed = smooth(y, smoothing_window(len(x)))
    traces = [
        {
            "name": "each batch",
            "x": x[shown],
            "y": y[shown],
            "mode": "lines",
            "line": {"width": 1, "color": "var(--st-border-color)"},
            "opacity": 0.6,
            "hoverinfo": "skip",
        },
        {
            "name": "training",
            "x": x[shown],
            "y": smoothed[shown],
            "mode": "lines",
            "line": {"width": 2.5, "color": "var(--st-blue-color)"},
            "hovertemplate": "%{y:.4f}",
        },
        {
            "name": "validation",
            "x": ends["epoch"],
            "y": ends[f"val_{metric}"],
            "mode": "lines+markers",
            "marker": {"size": 8},
            "hovertemplate": "%{y:.4f}",
            "line": {"width": 1.5, "dash": "dot", "color": "var(--st-orange-color)"},
        },
    ]
    layout: dict[str, Any] = {
        "title": {"text": title, "font": {"size": 14}, "x": 0, "y": 0.98},
        "xaxis": {
            "title": {"text": "Epoch"},
            "range": [0, epochs * 1.03],
            "tickformat": "d",
            "nticks": min(8, epochs + 1),
        },
        "yaxis": _axis(metric, smoothed, ends[f"val_{metric}"]),
        "hovermode": "x",
        "margin": {"t": 56},
    }
    latest = f"{smoothed[-1]:.3f}" if len(x) else "not begun"
    alt = f"{title} over the epochs, training and validation; training: {latest}."
    return figure(traces, layout), alt


def _axis(metric: str, smoothed: np.ndarray, val: np.ndarray) -> dict[str, Any]:
    """Room for the curves, not for the noise of single batches."""
    if metric == "accuracy":  # what matters happens near the top, after the first tenth
        later = np.append(smoothed[len(smoothed) // 10 :], val)
        low = min(0.9, later.min()) if len(later) else 0.0
        return {"tickformat": ".0%", "range": [low - 0.01, 1.002], "nticks": 6}
    curves = np.maximum(np.append(smoothed, val), 1e-4)
    low, high = (curves.min(), curves.max()) if len(curves) else (0.1, 2.3)
    ends = [float(np.log10(low / 1.5)), float(np.log10(high * 1.2))]
    return {"type": "log", "dtick": "D2", "tickformat": "~g", "range": ends}


def _digits(run: Run) -> None:
    sample = _sample(run, run.file_stamps(SAMPLE_PROBABILITIES))
    if sample:
        st.caption(sample.caption)
        gallery(sample.images, sample.captions, key="train-sample", names=sample.names, size=40)


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
        f"{predicted} {'✓' if predicted == label else '✗'} {share:.0%}"
        for predicted, label, share in zip(
            y_pred, y, probabilities.max(axis=1).astype(float), strict=True
        )
    ]
    names = [
        f"A {label}, predicted as {caption}" for label, caption in zip(y, captions, strict=True)
    ]
    caption = f"Validation digits, updated during training: {correct} of {len(y)} correct."
    return _Sample(caption, x, captions, names)
