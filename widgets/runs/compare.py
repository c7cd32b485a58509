"""The ticked runs side by side: a verdict, their curves in one chart, and settings that differ."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from digits.evaluation.seeds import Band, band, mean_in_words
from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.store import cross_validation, curves, runs
from digits.store.ensemble import ensemble_accuracy
from digits.store.forks import origin
from digits.store.run_folder import EPOCHS, STATUS, STEPS, Run
from digits.store.status import DONE, UNFINISHED
from digits.store.verdict import verdict
from widgets.runs.groups import Group, choose_groups
from widgets.runs.listing import accuracy_cell, test_cell
from widgets.runs.notes import notes
from widgets.runs.overview import overview
from widgets.runs.selection import LINKED, ticked_ids
from widgets.shared.drawings import score, score_line
from widgets.shared.format import as_text, chart_text, duration, training_time
from widgets.shared.plot import plot
from widgets.shared.table import Cell, Column, Row, table

TITLES = {
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "accuracy": "Training accuracy",
    "loss": "Training loss",
}
DASHES = ("solid", "dot", "dash", "dashdot")  # of runs that share a color
OPACITY = 0.18  # of a band
HEIGHT = "clamp(15rem, 100vh - 46rem, 28rem)"  # of the chart
ROOM = "max(14rem, calc(100vh - 35rem))"  # what the window leaves below the chart
ENSEMBLE = "Test accuracy, ensemble"
SCORES = "runs-scores"  # in the session: accuracy on drawings of runs, as last computed


def comparison(ticked: list[Run], listed: list[Run]) -> None:
    """Verdict, curves and differences of the ticked runs; followed while one of them trains.

    Before any is ticked it shows what the listed runs reached, and in what time; so it does of the
    ticked ones where these are too many.
    """
    if len(ticked) > LINKED:
        overview(
            ticked, f"**{len(ticked):,} runs are ticked.** Curves are drawn of up to {LINKED}."
        )
    elif ticked:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            metric, over = _controls()
            groups = choose_groups(ticked)
        active = any(runs.summary(run).state in UNFINISHED for run in ticked)
        st.fragment(_comparison, run_every=1 if active else None)(groups, metric, over)
        if len(ticked) == 1:
            notes(ticked[0])
    else:
        overview(listed, "**Tick two runs** to compare their curves and settings.")
    if missing := len(ticked_ids()) - len(ticked):
        st.caption(f"{missing} of the runs in the link no longer exist.")


def _controls() -> tuple[str, str]:
    """The metric and the axis that the visitor picks."""
    metric = st.selectbox(
        "Curve",
        TITLES,
        format_func=TITLES.__getitem__,
        key="curve",
        width=180,
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


def _comparison(groups: list[Group], metric: str, over: str) -> None:
    if len(groups) == 2:
        _verdict(groups)
    _curves(groups, metric, over)
    if len(groups) > 1:
        _differences(groups)
        _score(groups)
        return
    if len(groups[0].runs) == 1:
        st.caption("Tick another run to see which settings differ, and which is better.")
    else:
        _mean(groups[0])
        st.caption("Tick runs of another setting to see which is better.")
    for run in groups[0].runs:
        score_line(run, st.empty())


def _score(groups: list[Group]) -> None:
    """Score the runs on drawings, below the table, which a worker may keep waiting."""
    scores = {}
    try:
        for run in (run for group in groups for run in group.runs):
            if runs.summary(run).state in DONE and (correct_of := score(run)):
                scores[run.id] = correct_of
    except (ValueError, LookupError, OSError) as error:
        st.caption(f"Accuracy on drawings: {as_text(error)}")
    if scores != st.session_state.get(SCORES, {}):
        st.session_state[SCORES] = scores
        st.rerun()


def _mean(group: Group) -> None:
    """What a group that stands alone reached: on its folds, if it has some, and the test images."""
    try:
        if told := cross_validation.in_words(group.runs):
            st.markdown(f"**{told}**")
    except (ValueError, OSError) as error:
        st.caption(as_text(error))
    results = [result for run in group.runs if (result := runs.summary(run).result)]
    if results:
        told = f"**{mean_in_words([result['test_accuracy'] for result in results])}**"
        if together := _ensemble(group):
            told += f" As an ensemble, by their mean probabilities: {together}."
        st.markdown(told)


def _ensemble(group: Group) -> str:
    """The test accuracy of a group's runs read as one model, "" where there is none."""
    try:
        accuracy = ensemble_accuracy(group.runs)
    except (ValueError, OSError):
        return ""  # the verdict and the run's own row say what is damaged
    return "" if accuracy is None else f"{accuracy:.2%}"


def _verdict(groups: list[Group]) -> None:
    """Which of the two is better on the test images."""
    try:
        sentence = verdict([group.runs for group in groups], [group.name for group in groups])
    except (ValueError, OSError) as error:
        st.caption(as_text(error))
    else:
        st.markdown(f"**{as_text(sentence)}**".replace("p = ", "p\u00a0=\u00a0"))


def _curves(groups: list[Group], metric: str, over: str) -> None:
    """One curve a run, or the mean of a group's runs that have one in the band of their range."""
    traces: list[dict[str, Any]] = []
    colors: list[str] = []
    for group in groups:
        curves_of = [_read(run, metric, over == "Seconds") for run in group.runs]
        read = [curve for curve in curves_of if curve and len(curve[0])]
        if not read:
            continue
        dash = DASHES[colors.count(group.color) % len(DASHES)]
        colors.append(group.color)
        if len(group.runs) == 1:
            traces.append(_line(group, *read[0], dash))
        elif between := band(read):
            traces += [*_range(group, between), _line(group, between.x, between.mean, dash)]
    accuracy = metric.endswith("accuracy")
    title = f"{TITLES[metric]} over {'epochs' if over == 'Epochs' else 'seconds of training'}"
    shares = {"tickformat": ".3~%"} if traces else {"tickformat": ".3~%", "range": [0, 1]}
    layout = {
        "xaxis": {"rangemode": "tozero"},
        "yaxis": shares if accuracy else {"type": "log", "tickformat": "~g"},
        "hovermode": "closest",
        "margin": {"t": 8},
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
    }
    count = sum(len(group.runs) for group in groups)
    bands = any(len(group.runs) > 1 for group in groups)
    alt = f"{title}, {count} run{'s' * (count != 1)}{' as means in their ranges' * bands}."
    plot(traces, layout, key="runs-curves", height=HEIGHT, alt=alt)


def _line(group: Group, x: np.ndarray, y: np.ndarray, dash: str) -> dict[str, Any]:
    return {
        "name": chart_text(group.name),
        "x": x,
        "y": y,
        "hovertemplate": "%{y:.4f}",
        "mode": "lines+markers" if len(x) < 30 else "lines",
        "line": {"width": 2, "color": group.color, "dash": dash},
    }


def _range(group: Group, between: Band) -> list[dict[str, Any]]:
    """The band from the lowest to the highest of a group's runs, as two traces."""
    edge = {
        "x": between.x,
        "mode": "lines",
        "line": {"width": 0},
        "showlegend": False,
        "hoverinfo": "skip",
    }
    filled = {"fill": "tonexty", "fillcolor": group.color.replace(")", f",{OPACITY})")}
    return [{**edge, "y": between.low}, {**edge, **filled, "y": between.high}]


def _read(run: Run, metric: str, seconds: bool) -> tuple[np.ndarray, np.ndarray] | None:
    """A run's curve; a sentence in its place where a file is damaged."""
    try:
        return _curve(run, metric, seconds, run.file_stamps(STEPS, EPOCHS, STATUS))
    except ValueError as error:
        st.error(as_text(error), icon=":material/broken_image:")
        return None


@lru_cache(maxsize=256)
def _curve(
    run: Run, metric: str, seconds: bool, changed: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """A run's curve, read once for all visitors until ``changed`` changes."""
    return curves.curve(run, metric, seconds=seconds)


def _differences(groups: list[Group]) -> None:
    """The settings that are not the same in all groups, then what their runs reached."""
    shown: list[Group] = []
    recipes: list[list[Recipe]] = []
    for group in groups:
        try:
            recipes.append([run.recipe for run in group.runs])
            shown.append(group)
        except ValueError as error:
            st.error(as_text(error), icon=":material/broken_image:")
    if not recipes:
        return
    rows = differing(recipes)
    origins = [_origin(group) for group in shown]
    if any(origins):
        rows = [row for row in rows if row.id != "none"]
        rows.append(Row("fork", "fork", [Cell("Forked from"), *(Cell(o or "–") for o in origins)]))
    for name, cells in _reached(shown).items():
        rows.append(Row(name, name, [Cell(name), *cells]))
    columns = [Column("Settings that differ", wrap=True, pin=("0", "9rem", "9rem"))]
    for group in shown:
        summary, single = runs.summary(group.runs[0]), len(group.runs) == 1
        head = str(summary.number or summary.name) if single else group.name
        columns.append(Column(head, color=group.color, help=group.name, wrap=True))
    table(columns, rows, key="runs-differences", label="Settings that differ", height=ROOM)


def differing(groups: Sequence[Sequence[Recipe]]) -> list[Row]:
    """A row for each setting that is not the same in all groups of recipes."""
    rows = []
    for name, described in HYPERPARAMETERS.items():
        values = [{getattr(recipe, name) for recipe in recipes} for recipes in groups]
        if len({len(some) if len(some) > 1 else some.copy().pop() for some in values}) > 1:
            cells = [Cell(_values_in_table(name, some)) for some in values]
            rows.append(Row(name, name, [Cell(described.label), *cells]))
    bases = [_base(recipes) for recipes in groups]
    if len(set(bases)) > 1:
        rows.append(Row("finetune", "finetune", [Cell("Fine-tuned from"), *map(Cell, bases)]))
    return rows or [Row("none", "none", [Cell("None"), *[Cell()] * len(groups)])]


def _values_in_table(name: str, values: set[Any]) -> str:
    return in_table(name, values.copy().pop()) if len(values) == 1 else f"{len(values)} values"


def _base(recipes: Sequence[Recipe]) -> str:
    """The run whose model a group's runs began with."""
    bases = {recipe.finetune.base_run if recipe.finetune else "–" for recipe in recipes}
    return bases.pop() if len(bases) == 1 else f"{len(bases)} runs"


def _origin(group: Group) -> str:
    """The run whose weights a group's runs began with, and its epoch; "" for no forks."""
    origins = {origin(run).removeprefix("Forked from ").rstrip(".") for run in group.runs}
    return origins.pop() if len(origins) == 1 else f"{len(origins)} origins"


def in_table(name: str, value: Any) -> str:
    """A hyperparameter's value beside those of other runs."""
    described = HYPERPARAMETERS[name]
    if isinstance(value, bool):
        return "on" if value else "off"
    if described.parts:
        return " – ".join(map(str, value)) or "none"
    return described.display(value)


def _reached(groups: list[Group]) -> dict[str, list[Cell]]:
    """Accuracies and time of each group, empty cells for one without a result."""
    rows: dict[str, list[Cell]] = {
        "Validation accuracy": [],
        "Test accuracy": [],
        ENSEMBLE: [],
        "Time": [],
    }
    for group in groups:
        results = [result for run in group.runs if (result := runs.summary(run).result)]
        cells = [Cell("–")] * len(rows)
        if len(results) == 1:
            [result] = results
            val = Cell(f"{result['val_accuracy']:.2%}")
            cells = [val, test_cell(result), Cell("–"), Cell(training_time(result))]
        elif results:
            val, test = (
                _mean_cell([result[key] for result in results])
                for key in ("val_accuracy", "test_accuracy")
            )
            seconds = sum(result["seconds"] for result in results) / len(results)
            time = Cell(duration(seconds), more=f"mean of {len(results)}")
            cells = [val, test, Cell(_ensemble(group) or "–"), time]
        for row, cell in zip(rows.values(), cells, strict=True):
            row.append(cell)
    if all(len(group.runs) == 1 for group in groups):
        del rows[ENSEMBLE]
    if any(drawn := [_score_cell(group) for group in groups]):
        rows["Drawings"] = [cell or Cell("–") for cell in drawn]
    return rows


def _score_cell(group: Group) -> Cell | None:
    """The accuracy on drawings, once it is there, as that on the test images has it."""
    known = st.session_state.get(SCORES, {})
    scores = [known[run.id] for run in group.runs if run.id in known]
    if len(scores) == 1:
        [(correct, total)] = scores
        return accuracy_cell(correct, total, f"{correct:,} of {total:,} drawings, 95% interval")
    return _mean_cell([correct / total for correct, total in scores]) if scores else None


def _mean_cell(shares: list[float]) -> Cell:
    """The mean, with the range beside it."""
    low, high, mean = min(shares), max(shares), sum(shares) / len(shares)
    return Cell(f"{mean:.2%}", more=f"{100 * low:.2f} – {high:.2%}")
