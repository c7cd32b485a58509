"""Views of a sweep's trials over their epochs and costs; each gives the run that was clicked.

What is given is the run's id, or ``None``.
"""

from typing import Any

import numpy as np
import streamlit as st

from widgets.shared.plot import plot, run_color
from widgets.sweeps.trials import ACCURACY, Shown, Tried, last_accuracies

HEIGHT = "calc(var(--card) - 3.2rem)"


def progress(shown: Shown) -> str | None:
    """The accuracy of every epoch in the order of training, and the best so far."""
    st.caption("Every epoch of every trial, in the order of training, and the best one so far.")
    events = _events(shown)
    accuracies = np.array([accuracy for _, accuracy, _ in events])
    tried = [tried for *_, tried in events]
    number = np.arange(1, len(events) + 1)
    point = plot(
        [
            {
                "mode": "markers",
                "x": number,
                "y": accuracies,
                "text": [one.label for one in tried],
                "marker": {"size": 7, "opacity": 0.6, "color": [run_color(t.run) for t in tried]},
                "hovertemplate": "%{text}<br>%{y:.2%}<extra></extra>",
                "showlegend": False,
            },
            {
                "mode": "lines",
                "x": number,
                "y": np.maximum.accumulate(accuracies),
                "line": {"shape": "hv", "width": 2.5, "color": "var(--st-primary-color)"},
                "hovertemplate": "best so far: %{y:.2%}<extra></extra>",
                "showlegend": False,
            },
        ],
        layout("Epochs trained, of all trials together", accuracy_axis(accuracies)),
        key="sweep-progress",
        height=HEIGHT,
        alt=f"Validation accuracy of {len(events)} epochs; the best is {accuracies.max():.2%}.",
        on_click=lambda point: None,
    )
    return tried[point["point"]].run.id if point and point["trace"] == 0 else None


def curves(shown: Shown) -> str | None:
    """The learning curves of all trials, with the rungs at which they pause."""
    st.caption("A line a trial; it ends where the trial paused. Dotted lines are the rungs.")
    told = shown.told
    traces = [
        {
            "mode": "lines+markers",
            "x": np.arange(1, one.trial.epochs + 1),
            "y": np.array(one.trial.accuracies),
            "line": {"width": 1.5, "color": run_color(one.run)},
            "marker": {"size": 6},
            "name": one.label,
            "hovertemplate": "%{y:.2%} after %{x} epochs<extra>%{fullData.name}</extra>",
            "showlegend": False,
        }
        for one in told
    ]
    drawn = layout("Epoch", accuracy_axis(last_accuracies(told)))
    drawn["xaxis"] |= {"tickvals": list(shown.marks), "range": [0.6, shown.marks[-1] + 0.4]}
    drawn["shapes"] = [
        {
            "type": "line",
            "x0": mark,
            "x1": mark,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"dash": "dot", "width": 1, "color": "var(--st-border-color)"},
        }
        for mark in shown.marks
    ]
    point = plot(
        traces,
        drawn,
        key="sweep-curves",
        height=HEIGHT,
        alt=f"Validation accuracy over epochs of {len(told)} trials.",
        on_click=lambda point: None,
    )
    return told[point["trace"]].run.id if point else None


def cost(shown: Shown) -> str | None:
    """Accuracy over seconds or parameters, and the trials that no other beats in both."""
    by = st.segmented_control(
        "Accuracy over",
        ["Seconds of training", "Parameters"],
        default="Seconds of training",
        required=True,
        key="sweep-cost-by",
        label_visibility="collapsed",
    )
    told = shown.told
    accuracy = last_accuracies(told)
    spent = np.array(
        [one.parameters if by == "Parameters" else max(one.seconds, 1e-3) for one in told], float
    )
    front = pareto_front(spent, accuracy)
    point = plot(
        [
            {
                "mode": "markers",
                "x": spent,
                "y": accuracy,
                "text": [one.label for one in told],
                "marker": {"size": 10, "color": [run_color(one.run) for one in told]},
                "hovertemplate": "%{text}<br>%{y:.2%}<extra></extra>",
                "showlegend": False,
            },
            {
                "mode": "lines",
                "name": "not beaten in both",
                "x": spent[front],
                "y": accuracy[front],
                "line": {"shape": "hv", "width": 2, "dash": "dot", "color": "var(--st-text-color)"},
                "hoverinfo": "skip",
                "showlegend": True,
            },
        ],
        layout(str(by), accuracy_axis(accuracy), log=True),
        key="sweep-cost",
        height="calc(var(--card) - 4.2rem)",
        alt=f"Validation accuracy over {by} of {len(told)} trials; {len(front)} are on the front.",
        on_click=lambda point: None,
    )
    return told[point["point"]].run.id if point and point["trace"] == 0 else None


def pareto_front(spent: np.ndarray, accuracy: np.ndarray) -> list[int]:
    """The trials for which no other is as accurate at less cost: indices, cheapest first."""
    front: list[int] = []
    for index in np.lexsort((-accuracy, spent)):
        if not front or accuracy[index] > accuracy[front[-1]]:
            front.append(int(index))
    return front


def _events(shown: Shown) -> list[tuple[int, float, Tried]]:
    """The end of every epoch: its time stamp, the accuracy then, and the trial; in their order."""
    events = [
        (end, accuracy, one)
        for one in shown.told
        for end, accuracy in zip(one.ends, one.trial.accuracies, strict=False)
    ]
    return sorted(events, key=lambda event: (event[0], event[2].trial.number))


def accuracy_axis(accuracies: np.ndarray) -> dict[str, Any]:
    """From below the middle trial to the best, for a few that fail would press all others flat."""
    low = max(0.0, float(np.quantile(accuracies, 0.25)))
    low = min(low, float(accuracies.max()) - 0.01)
    margin = 0.08 * (float(accuracies.max()) - low)
    return {
        "title": {"text": ACCURACY, "font": {"size": 12}},
        "tickformat": ".3~%",
        "range": [max(0.0, low - margin), min(1.005, float(accuracies.max()) + margin)],
    }


def layout(x: str, y: dict[str, Any], log: bool = False) -> dict[str, Any]:
    xaxis: dict[str, Any] = {"title": {"text": x, "font": {"size": 12}}, "tickformat": "~g"}
    if log:
        xaxis |= {"type": "log", "dtick": "D2"}
    return {"xaxis": xaxis, "yaxis": y, "hovermode": "closest", "font": {"size": 12}}
