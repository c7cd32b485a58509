"""Views of a sweep's trials over what was searched; each gives the run that was clicked, if any."""

from typing import Any

import numpy as np
import streamlit as st

from digits.recipes.halving import Trial
from digits.recipes.recipe import HYPERPARAMETERS
from digits.recipes.space import Choices, Range, Space, to_texts
from digits.recipes.suggest import MIN_IMPORTANCE
from widgets.shared.format import as_text
from widgets.shared.plot import plot
from widgets.shared.session import engine
from widgets.sweeps.trials import ACCURACY, Shown, last_accuracies
from widgets.sweeps.views import HEIGHT, accuracy_axis, layout

FAINT_TO_FULL = [[0, "var(--st-border-color)"], [1, "var(--st-primary-color)"]]
SLICES = 6  # hyperparameters at most in one chart


def parallel(shown: Shown) -> str | None:
    """Parallel coordinates: a line a trial through its settings, brighter the better it is."""
    st.caption("A line a trial. Drag along an axis to keep only the trials that cross it there.")
    told = shown.told
    accuracy = last_accuracies(told)
    dimensions = [
        _dimension(shown.space, name, [one.trial for one in told])
        for name in shown.space.dimensions
    ]
    dimensions.append({"label": "Epochs", "values": [one.trial.epochs for one in told]})
    dimensions.append({"label": ACCURACY, "values": accuracy, "tickformat": ".1%"})
    plot(
        [
            {
                "type": "parcoords",
                "dimensions": dimensions,
                "line": {"color": accuracy, "colorscale": FAINT_TO_FULL},
                "labelfont": {"color": "var(--st-text-color)"},
                "tickfont": {"color": "var(--st-text-color)"},
                "rangefont": {"color": "rgba(0,0,0,0)"},
            }
        ],
        {"margin": {"l": 70, "r": 60, "t": 50, "b": 20}},
        key="sweep-parallel",
        height=HEIGHT,
        alt=f"Settings and validation accuracy of {len(told)} trials as parallel coordinates.",
    )
    return None


def importance(shown: Shown) -> str | None:
    """Which hyperparameters decided what became of a trial."""
    results = sum(bool(one.trial.accuracies) or one.trial.state == "failed" for one in shown.tried)
    if results < MIN_IMPORTANCE:
        st.info(f"Importance needs {MIN_IMPORTANCE} trials with a result; {results} are there.")
        return None
    try:
        shares = _importance(shown.sweep, results, shown.space, [one.trial for one in shown.tried])
    except (OSError, ValueError) as error:
        st.error(as_text(error), icon=":material/error:")
        return None
    st.caption(
        "How much each setting decided which trials are the best (PED-ANOVA). One that hardly "
        "matters can stay as it is."
    )
    ordered = sorted(shares, key=shares.__getitem__)
    plot(
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": [shares[name] for name in ordered],
                "y": [HYPERPARAMETERS[name].label for name in ordered],
                "text": [f"{shares[name]:.0%}" for name in ordered],
                "textposition": "auto",
                "hoverinfo": "skip",
            }
        ],
        {"xaxis": {"tickformat": ".0%", "rangemode": "tozero"}, "showlegend": False},
        key="sweep-importance",
        height=HEIGHT,
        alt="Importance: " + ", ".join(f"{name} {shares[name]:.0%}" for name in ordered[::-1]),
    )
    return None


@st.cache_data(max_entries=50, show_spinner="Comparing the trials …")
def _importance(sweep: str, results: int, _space: Space, _trials: list[Trial]) -> dict[str, float]:
    return engine().importance(_space, _trials)


def slices(shown: Shown) -> str | None:
    """Accuracy over each hyperparameter by itself."""
    st.caption("Every trial, over each setting by itself; the more opaque, the longer it trained.")
    told, names = shown.told, list(shown.space.dimensions)[:SLICES]
    accuracy = last_accuracies(told)
    opacity = [0.3 + 0.7 * one.trial.epochs / shown.marks[-1] for one in told]
    traces, drawn = [], layout("", accuracy_axis(accuracy))
    gap, wide = 0.04, 1 / len(names)
    for number, name in enumerate(names):
        axis = "" if number == 0 else str(number + 1)
        dimension = shown.space.dimensions[name]
        values = [one.trial.values[name] for one in told]
        traces.append(
            {
                "mode": "markers",
                "x": values
                if isinstance(dimension, Range)
                else [to_texts({name: value})[name] for value in values],
                "y": accuracy,
                "xaxis": f"x{axis}",
                "text": [one.label for one in told],
                "marker": {"size": 9, "opacity": opacity, "color": "var(--st-primary-color)"},
                "hovertemplate": "%{text}<br>%{y:.2%}<extra></extra>",
                "showlegend": False,
            }
        )
        drawn[f"xaxis{axis}"] = {
            "domain": [number * wide + gap / 2 * (number > 0), (number + 1) * wide - gap / 2],
            "title": {"text": HYPERPARAMETERS[name].label, "font": {"size": 12}},
            **_scale(name, dimension),
        }
    point = plot(
        traces,
        drawn,
        key="sweep-slices",
        height=HEIGHT,
        alt=f"Validation accuracy of {len(told)} trials over {', '.join(names)}.",
        on_click=lambda point: None,
    )
    return told[point["point"]].run.id if point else None


def _scale(name: str, dimension: Range | Choices) -> dict[str, Any]:
    """The kind of axis on which a hyperparameter's values lie."""
    if isinstance(dimension, Choices):
        words = [to_texts({name: value})[name] for value in dimension.values]
        return {"type": "category", "categoryorder": "array", "categoryarray": words}
    if not dimension.log:
        return {"nticks": 4, "tickformat": "~g"}
    decades = {"dtick": 1} if dimension.high / dimension.low >= 100 else {"nticks": 4}
    return {"type": "log", "tickformat": "~g", **decades}


def _dimension(space: Space, name: str, trials: list[Trial]) -> dict[str, Any]:
    """An axis of the parallel coordinates: numbers, powers of ten, or words one after another."""
    dimension, label = space.dimensions[name], HYPERPARAMETERS[name].label
    values = [trial.values[name] for trial in trials]
    if not isinstance(dimension, Range):
        words = [to_texts({name: value})[name] for value in dimension.values]
        places = [words.index(to_texts({name: value})[name]) for value in values]
        ticks = list(range(len(words)))
        ends = [-0.1, len(words) - 0.9]
        return {
            "label": label,
            "values": places,
            "tickvals": ticks,
            "ticktext": words,
            "range": ends,
        }
    if not dimension.log:
        return {"label": label, "values": values, "range": [dimension.low, dimension.high]}
    low, high = np.log10(dimension.low), np.log10(dimension.high)
    ticks = [power for power in range(-6, 6) if low - 1e-9 <= power <= high + 1e-9] or [low, high]
    return {
        "label": label,
        "values": np.log10(values),
        "tickvals": ticks,
        "ticktext": [f"{10.0**power:.3g}" for power in ticks],
        "range": [low, high],
    }
