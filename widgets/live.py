"""The live view of one run: how far it is, its curves, and digits that it reads as it learns."""

import numpy as np
import streamlit as st

from digits import run
from digits.curves import smooth, thin
from digits.run import UNFINISHED, Run, Status
from widgets.gallery import gallery
from widgets.plot import plot
from widgets.session import engine

EVERY = 0.5  # seconds between two looks at the run's folder


def live(watched: Run) -> None:
    """Show the run, again and again while it is unfinished; when it ends the page starts anew."""
    unfinished = watched.status.state in UNFINISHED
    st.fragment(_look, run_every=EVERY if unfinished else None)(watched, unfinished)


def _look(watched: Run, unfinished: bool) -> None:
    try:
        status = watched.status
        if unfinished and status.state not in UNFINISHED:
            st.rerun()
        _state(watched, status)
        _curves(watched, status)
        _digits(watched)
    except ValueError as error:
        st.error(str(error), icon=":material/broken_image:")


def _state(watched: Run, status: Status) -> None:
    text, button = st.columns([5, 1], vertical_alignment="center")
    with text:
        _progress(watched, status)
    with button:
        if status.state in UNFINISHED:
            st.button(
                "Stop", icon=":material/stop:", key="stop", width="stretch",
                on_click=engine().stop, args=[watched],
            )  # fmt: skip
        elif status.state == "interrupted":
            label = f"Resume after epoch {status.epoch}" if status.epoch else "Start again"
            if st.button(label, icon=":material/resume:", key="resume", width="stretch"):
                engine().submit(watched)
                st.rerun()


def _progress(watched: Run, status: Status) -> None:
    done = status.step / status.steps if status.steps else 0.0
    epoch = f"Epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}"
    speed = f"{status.images_per_second:,.0f} images/s"
    if status.state == "queued":
        place = run.queue().index(watched) if watched in run.queue() else 0
        ahead = f"{place} {'run' if place == 1 else 'runs'} ahead" if place else "next in line"
        st.progress(0.0, f"Queued: {ahead}.")
    elif status.state == "running":
        left = "" if status.seconds_left is None else f" · {_duration(status.seconds_left)} left"
        words = status.message or f"{epoch} · {speed}{left}"
        st.progress(min(1.0, done), words)
    elif status.state == "interrupted":
        st.warning(status.message or "Interrupted.", icon=":material/pause_circle:")
    elif status.state == "failed":
        st.error(status.message, icon=":material/error:")
    else:
        result = watched.result() or {}
        word = "Stopped early" if status.state == "stopped" else "Finished"
        st.success(
            f"{word} after {result.get('epochs', status.epoch)} epochs · "
            f"{_duration(result.get('seconds', 0))} of training · {speed}",
            icon=":material/check_circle:",
        )


def _curves(watched: Run, status: Status) -> None:
    steps, epochs = watched.steps(), watched.epochs()
    per_epoch = status.steps / status.epochs if status.steps else 1
    x = steps["step"] / per_epoch
    shown = thin(len(x)) if len(x) else np.empty(0, int)
    for column, metric, name in zip(
        st.columns(2), ("loss", "accuracy"), ("Loss (nats)", "Accuracy"), strict=True
    ):
        window = max(1, min(50, len(x) // 10))
        smoothed = smooth(steps[metric], window)
        traces = [
            {
                "x": x[shown], "y": steps[metric][shown], "mode": "lines", "name": "batch",
                "line": {"width": 1, "color": "var(--st-border-color)"}, "hoverinfo": "skip",
            },
            {
                "x": x[shown], "y": smoothed[shown], "mode": "lines", "name": "training",
                "line": {"width": 2.5}, "hovertemplate": "%{y:.4f}",
            },
            {
                "x": epochs["epoch"], "y": epochs[f"val_{metric}"], "mode": "lines+markers",
                "name": "validation", "line": {"width": 2, "dash": "dot"}, "marker": {"size": 9},
                "hovertemplate": "%{y:.4f}",
            },
        ]  # fmt: skip
        for trace, color in zip(
            traces[1:], ("--st-primary-color", "--st-orange-color"), strict=True
        ):
            trace["line"] |= {"color": f"var({color})"}  # type: ignore[operator]
        y = {"title": {"text": name}}
        if metric == "accuracy":
            y |= {"tickformat": ".0%"}
        layout = {
            "xaxis": {"title": {"text": "Epoch"}, "range": [0, max(1, status.epochs)]},
            "yaxis": y,
            "hovermode": "x",
        }
        with column:
            latest = f"{smoothed[-1]:.3f}" if len(x) else "nothing yet"
            alt = f"{name} over the epochs, training and validation; training is at {latest}."
            plot(traces, layout, key=f"curve-{metric}", height=300, alt=alt)


def _digits(watched: Run) -> None:
    seen = watched.watched()
    if seen is None:
        return
    images, labels, probabilities = seen
    predicted = probabilities.argmax(axis=1)
    right = int((predicted == labels).sum())
    st.caption(f"Validation digits, read anew as it learns: {right} of {len(labels)} right.")
    captions = [
        f"{guess} {'✓' if guess == label else '✗'} {share:.0%}"
        for guess, label, share in zip(
            predicted, labels, probabilities.max(axis=1).astype(float), strict=True
        )
    ]
    names = [
        f"A {label}, read as {caption}" for label, caption in zip(labels, captions, strict=True)
    ]
    gallery(images, captions, key="watched", names=names)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
