"""The ticked runs side by side: their curves in one chart, and the settings that differ."""

from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from digits.recipes.differences import differences
from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.store import curves, runs
from digits.store.run_folder import EPOCHS, STATUS, STEPS, Run
from digits.store.runs import Summary
from digits.store.status import UNFINISHED
from widgets.runs.listing import test_cell
from widgets.runs.selection import linked_ids, set_ticked
from widgets.shared.drawings import score_line
from widgets.shared.format import as_text, chart_text, duration
from widgets.shared.plot import plot, run_color
from widgets.shared.table import Cell, Column, Row, table

TITLES = {
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "accuracy": "Training accuracy",
    "loss": "Training loss",
}
DASHES = ("solid", "dot", "dash", "dashdot")  # of runs that share a color
HEIGHT = 300  # of the chart, in pixels
OVERVIEW_HEIGHT = 460  # of the one that stands alone
ROOM = "max(14rem, calc(100vh - 38rem))"  # what the window leaves below the chart


def comparison(ticked: list[Run], listed: list[Run]) -> None:
    """Curves and differences of the ticked runs; followed while one of them trains.

    Before any is ticked it shows what the listed runs reached, and in what time.
    """
    if ticked:
        metric, over = _controls()
        active = any(runs.summary(run).state in UNFINISHED for run in ticked)
        st.fragment(_comparison, run_every=1 if active else None)(ticked, metric, over)
    else:
        _overview(listed)
    if missing := len(linked_ids()) - len(ticked):
        st.caption(f"{missing} of the runs in the link no longer exist.")


def _overview(listed: list[Run]) -> None:
    """Accuracy over time, a point a run; a click on one ticks it."""
    st.markdown("**Tick two runs** to compare their curves and settings.", width="content")
    summaries = [one for one in map(runs.summary, listed) if one.result]
    if not summaries:
        return

    def tick(point: dict[str, Any]) -> None:
        set_ticked([summaries[point["point"]].run.id])

    results = [one.result for one in summaries if one.result]
    plot(
        [
            {
                "mode": "markers",
                "x": [one["seconds"] for one in results],
                "y": [one["val_accuracy"] for one in results],
                "text": [chart_text(one.label) for one in summaries],
                "hovertemplate": "%{text}<br>%{y:.2%} in %{x:.1f} s<extra></extra>",
                "marker": {"size": 11, "color": [run_color(one.run) for one in summaries]},
            }
        ],
        {
            "xaxis": {"type": "log", "dtick": "D2", "tickformat": "~g", "title": _title("Seconds")},
            "yaxis": {"tickformat": ".3~%", "title": _title(TITLES["val_accuracy"])},
            "hovermode": "closest",
        },
        key="runs-overview",
        height=OVERVIEW_HEIGHT,
        alt=f"Validation accuracy over seconds of training, {len(results)} runs.",
        on_click=tick,
    )


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": 13}}


def _controls() -> tuple[str, str]:
    """The metric and the axis that the visitor picks."""
    with st.container(horizontal=True, vertical_alignment="center"):
        metric = st.selectbox(
            "Curve",
            TITLES,
            format_func=TITLES.__getitem__,
            key="curve",
            width=190,
            bind="query-params",
            label_visibility="collapsed",
        )
        over = st.segmented_control(
            "Over",
            ["Epochs", "Seconds"],
            default="Epochs",
            required=True,
            key="over",
            bind="query-params",
            label_visibility="collapsed",
        )
    return metric, over


def _comparison(ticked: list[Run], metric: str, over: str) -> None:
    _curves(ticked, metric, over)
    if len(ticked) == 1:
        st.caption("Tick another run to see which settings differ.")
    elif ticked:
        _differences(ticked)
    for run in ticked:
        score_line(run, st.empty())


def _curves(ticked: list[Run], metric: str, over: str) -> None:
    """One curve a run."""
    traces: list[dict[str, Any]] = []
    colors: list[str] = []
    for run in ticked:
        summary, color = runs.summary(run), run_color(run)
        try:
            stamps = run.file_stamps(STEPS, EPOCHS, STATUS)
            x, y = _curve(run, metric, over == "Seconds", stamps)
        except ValueError as error:
            st.error(as_text(error), icon=":material/broken_image:")
            continue
        name = summary.label if summary.number else f"{summary.name} · {run.created:%d %b %H:%M}"
        dash = DASHES[colors.count(color) % len(DASHES)]
        colors.append(color)
        traces.append(
            {
                "name": chart_text(name),
                "x": x,
                "y": y,
                "hovertemplate": "%{y:.4f}",
                "mode": "lines+markers" if len(x) < 30 else "lines",
                "line": {"width": 2, "color": color, "dash": dash},
            }
        )
    accuracy = metric.endswith("accuracy")
    title = f"{TITLES[metric]} over {'epochs' if over == 'Epochs' else 'seconds of training'}"
    layout = {
        "xaxis": {"rangemode": "tozero"},
        "yaxis": {"tickformat": ".3~%"} if accuracy else {"type": "log", "tickformat": "~g"},
        "hovermode": "closest",
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
    }
    alt = f"{title}, {len(traces)} run{'s' * (len(traces) != 1)}."
    plot(traces, layout, key="runs-curves", height=HEIGHT, alt=alt)


@lru_cache(maxsize=256)
def _curve(
    run: Run, metric: str, seconds: bool, changed: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """A run's curve, read once for all visitors until ``changed`` changes."""
    return curves.curve(run, metric, seconds=seconds)


def _differences(ticked: list[Run]) -> None:
    """The settings that are not the same in all ticked runs, then what the runs reached."""
    summaries, recipes = [], []
    for run in ticked:
        try:
            recipes.append(run.recipe)
            summaries.append(runs.summary(run))
        except ValueError as error:
            st.error(as_text(error), icon=":material/broken_image:")
    if not recipes:
        return
    rows = differing(recipes)
    for name, cells in _reached(summaries).items():
        rows.append(Row(name, name, [Cell(name), *cells]))
    columns = [Column("Settings that differ", wrap=True, pin=("0", "9rem"))] + [
        Column(str(one.number or one.name), color=run_color(one.run), help=one.name, wrap=True)
        for one in summaries
    ]
    table(columns, rows, key="runs-differences", label="Settings that differ", height=ROOM)


def differing(recipes: list[Recipe]) -> list[Row]:
    """A row for each setting in which any of the recipes differs from the first."""
    changed = {name for recipe in recipes for name in differences(recipe, recipes[0])}
    rows = []
    for name in [name for name in HYPERPARAMETERS if name in changed]:
        values = [Cell(in_table(name, getattr(recipe, name))) for recipe in recipes]
        rows.append(Row(name, name, [Cell(HYPERPARAMETERS[name].label), *values]))
    bases = [recipe.finetune.base_run if recipe.finetune else "–" for recipe in recipes]
    if len(set(bases)) > 1:
        rows.append(Row("finetune", "finetune", [Cell("Fine-tuned from"), *map(Cell, bases)]))
    return rows or [Row("none", "none", [Cell("None"), *[Cell()] * len(recipes)])]


def in_table(name: str, value: Any) -> str:
    """A hyperparameter's value beside those of other runs."""
    described = HYPERPARAMETERS[name]
    if isinstance(value, bool):
        return "on" if value else "off"
    if described.parts:
        return " – ".join(map(str, value)) or "none"
    return described.display(value)


def _reached(summaries: list[Summary]) -> dict[str, list[Cell]]:
    """Accuracies and time of each run, empty cells for one without a result."""
    rows: dict[str, list[Cell]] = {"Validation accuracy": [], "Test accuracy": [], "Time": []}
    for result in (summary.result for summary in summaries):
        if not result:
            cells = [Cell("–")] * 3
        else:
            val = Cell(f"{result['val_accuracy']:.2%}")
            cells = [val, test_cell(result), Cell(duration(result["seconds"]))]
        for row, cell in zip(rows.values(), cells, strict=True):
            row.append(cell)
    return rows
