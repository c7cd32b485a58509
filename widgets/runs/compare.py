"""The curves of several runs over one another."""

from collections import Counter
from functools import lru_cache

import numpy as np
import streamlit as st

from digits.store import curves
from digits.store.run_folder import EPOCHS, STATUS, STEPS, Run
from widgets.shared.plot import plot

TITLES = {
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "accuracy": "Training accuracy",
    "loss": "Training loss",
}
DASHES = ("solid", "dot", "dash", "dashdot")  # a new one each time that the colours are used up
COLORS = 8


def compare(chosen: list[Run]) -> None:
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
    traces, alone = [], Counter(_name(one) for one in chosen)
    for number, one in enumerate(chosen):
        name = _name(one)
        if alone[name] > 1:
            name += f" · {one.created:%d %b %H:%M}"
        try:
            x, y = _trace(one, metric, over == "Seconds", one.file_stamps(*FILES))
        except ValueError as error:
            st.error(str(error), icon=":material/broken_image:")
            continue
        traces.append(
            {
                "name": name,
                "x": x,
                "y": y,
                "hovertemplate": "%{y:.4f}",
                "mode": "lines+markers" if len(x) < 30 else "lines",
                "line": {"width": 2, "dash": DASHES[number // COLORS % len(DASHES)]},
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
    runs = f"{len(traces)} run{'s' * (len(traces) != 1)}"
    alt = f"{title}, {runs}."
    plot(traces, layout, key="compared", height=420, alt=alt)


FILES = (STEPS, EPOCHS, STATUS)


@lru_cache(maxsize=256)
def _trace(
    one: Run, metric: str, seconds: bool, changed: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """A run's curve, read once for all visitors until ``changed`` changes."""
    return curves.curve(one, metric, seconds=seconds)


def _name(one: Run) -> str:
    try:
        return one.name
    except ValueError:
        return one.id
