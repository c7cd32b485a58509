"""The curves of several runs over one another; the link says which."""

from collections import Counter
from functools import lru_cache

import numpy as np
import streamlit as st

from digits.store import curves, runs
from digits.store.run_folder import EPOCHS, STATUS, STEPS, Run
from widgets.shared.format import as_text, chart_text
from widgets.shared.plot import plot

TITLES = {
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "accuracy": "Training accuracy",
    "loss": "Training loss",
}
DASHES = ("solid", "dot", "dash", "dashdot")  # a new one each time that the colors are used up
COLORS = 8


def compare_checkbox(run: Run) -> None:
    """A checkbox that lays the run's curve over the others."""
    key = f"runs-compare-{run.id}"
    st.session_state[key] = run.id in _linked_ids()
    st.checkbox("Compare", key=key, on_change=_take_checkbox, args=[run.id, key])


def comparison(listed: list[Run], queue: list[Run]) -> None:
    """The curves of the runs in the link, if there are any; followed while one is in the queue."""
    if not (ids := _linked_ids()):
        return
    with st.container(border=True):
        compared = sorted(
            (run for run in runs.all() if run.id in ids), key=lambda run: ids.index(run.id)
        )
        active = any(run in queue for run in compared)
        st.fragment(_curves, run_every=1 if active else None)(compared)
        if missing := len(ids) - len(compared):
            st.caption(f"{missing} of the runs in the link no longer exist.")
        rest = [run.id for run in listed if run.id not in ids]
        with st.container(horizontal=True):
            st.button(
                "Clear comparison",
                icon=":material/clear_all:",
                on_click=_compare,
                args=[ids, False],
            )
            st.button(
                "Add all on this page",
                icon=":material/stacked_line_chart:",
                on_click=_compare,
                args=[rest, True],
                disabled=not rest,
            )


def _curves(compared: list[Run]) -> None:
    """One curve a run, of the metric and over the axis that the visitor picks."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        metric = st.selectbox(
            "Curve",
            TITLES,
            format_func=TITLES.__getitem__,
            key="curve",
            width=240,
            bind="query-params",
        )
        over = st.segmented_control(
            "Over",
            ["Epochs", "Seconds"],
            default="Epochs",
            required=True,
            key="over",
            bind="query-params",
        )
    traces, names = [], Counter(runs.summary(run).name for run in compared)
    for index, run in enumerate(compared):
        name = runs.summary(run).name
        try:
            if names[name] > 1:
                name += f" · {run.created:%d %b %H:%M}"
            x, y = _curve(run, metric, over == "Seconds", run.file_stamps(STEPS, EPOCHS, STATUS))
        except ValueError as error:
            st.error(as_text(error), icon=":material/broken_image:")
            continue
        traces.append(
            {
                "name": chart_text(name),
                "x": x,
                "y": y,
                "hovertemplate": "%{y:.4f}",
                "mode": "lines+markers" if len(x) < 30 else "lines",
                "line": {"width": 2, "dash": DASHES[index // COLORS % len(DASHES)]},
            }
        )
    accuracy = metric.endswith("accuracy")
    title = f"{TITLES[metric]} over {'epochs' if over == 'Epochs' else 'seconds of training'}"
    layout = {
        "title": {"text": title, "font": {"size": 14}, "x": 0, "y": 0.98},
        "xaxis": {"rangemode": "tozero"},
        "yaxis": {"tickformat": ".3~%"} if accuracy else {"type": "log", "tickformat": "~g"},
        "hovermode": "closest",
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
    }
    alt = f"{title}, {len(traces)} run{'s' * (len(traces) != 1)}."
    plot(traces, layout, key="runs-curves", height=420, alt=alt)


@lru_cache(maxsize=256)
def _curve(
    run: Run, metric: str, seconds: bool, changed: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """A run's curve, read once for all visitors until ``changed`` changes."""
    return curves.curve(run, metric, seconds=seconds)


def _linked_ids() -> list[str]:
    """The ids of the runs to compare, from the link."""
    return [id for id in st.query_params.get("compare", "").split(",") if id]


def _compare(ids: list[str], add: bool) -> None:
    """Add the curves of these runs, or remove them."""
    rest = [id for id in _linked_ids() if id not in ids]
    if compared := rest + ids * add:
        st.query_params["compare"] = ",".join(compared)
    else:
        st.query_params.pop("compare", None)


def _take_checkbox(id: str, key: str) -> None:
    _compare([id], st.session_state[key])
