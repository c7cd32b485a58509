"""What runs reached, and in what time: the listed ones, or ticked ones too many to compare."""

from typing import Any

import streamlit as st

from digits.store import runs
from digits.store.run_folder import Run
from widgets.runs.selection import set_ticked
from widgets.shared.format import chart_text
from widgets.shared.plot import plot, run_color

HEIGHT = "min(95vw, max(20rem, 100vh - 15.5rem))"  # of the chart, down to the window's foot


def overview(shown: list[Run], sentence: str) -> None:
    """A sentence, and accuracy over time, a point a run; a click on one ticks it alone."""
    st.markdown(sentence, width="content")
    summaries = [one for one in map(runs.summary, shown) if one.result]
    if not summaries:
        return

    def tick(point: dict[str, Any]) -> None:
        set_ticked([summaries[point["point"]].run.id])

    results = [one.result for one in summaries if one.result]
    accuracies = [one["val_accuracy"] for one in results]
    low, high = min(accuracies), max(accuracies)
    margin = max(0.005, 0.1 * (high - low))  # also around a single run
    plot(
        [
            {
                "mode": "markers",
                "x": [one["seconds"] for one in results],
                "y": accuracies,
                "text": [chart_text(one.label) for one in summaries],
                "hovertemplate": "%{text}<br>%{y:.2%} in %{x:.1f} s<extra></extra>",
                "marker": {"size": 11, "color": [run_color(one.run) for one in summaries]},
            }
        ],
        {
            "xaxis": {
                "type": "log",
                "dtick": "D2",
                "tickformat": "~g",
                "title": {"text": "Seconds"},
            },
            "yaxis": {
                "tickformat": ".3~%",
                "title": {"text": "Validation accuracy"},
                "range": [low - margin, min(high + margin, 1 + margin / 5)],
            },
            "hovermode": "closest",
        },
        key="runs-overview",
        height=HEIGHT,
        alt=f"Validation accuracy over seconds of training, {len(results)} runs.",
        on_click=tick,
    )
