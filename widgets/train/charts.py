"""Loss and accuracy of a run over its epochs, with earlier runs behind them."""

import json
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from digits.store import learning_rate, runs
from digits.store.curves import downsample, smooth, smoothing_window
from digits.store.learning_rate import CHANGES
from digits.store.run_folder import EPOCHS, STATUS, STEPS, Run
from digits.store.status import Status
from widgets.shared.format import chart_text
from widgets.shared.plot import figure, fresh, run_color, show

POINTS = 250  # of a curve, which is about as wide in pixels
TITLES = {"loss": "Loss (nats)", "accuracy": "Accuracy"}
LEAST_HEIGHT = 310  # pixels
HEIGHT = f"clamp({LEAST_HEIGHT}px, 100vh - 650px, 480px)"  # with the latest runs below
ALONE = f"clamp({LEAST_HEIGHT}px, min(100vh - 24rem, 60vw), 560px)"  # where nothing is below
EXAMPLE = Path(__file__).with_name("example.json")  # fast on MNIST, seed 0

NUMBER_HEIGHT = 18  # pixels of a chart that the number of a run takes
AXES: dict[str, dict[str, Any]] = {
    "loss": {"type": "log", "dtick": "D2", "tickformat": "~g"},
    "accuracy": {"tickformat": ".0%", "nticks": 6},
}
Range = tuple[float, float]  # of an axis: logarithms for the loss
EMPTY: dict[str, Range] = {"loss": (-1.2, 0.45), "accuracy": (-0.01, 1.002)}

# Epochs and smoothed metric of at most POINTS batches, and the metrics of each epoch.
Curve = tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]


def chart(
    run: Run,
    status: Status,
    metric: str,
    earlier: list[Run],
    overfits_from: int | None,
    feed: str | None,
) -> None:
    """One metric, "loss" or "accuracy", of ``run`` and fainter of ``earlier`` ones.

    ``feed`` is the address of what ``fresh_curves`` gives, while the run goes on.
    """
    changed = run.file_stamps(STATUS, EPOCHS, CHANGES)
    behind = tuple((other, other.file_stamps(STEPS, EPOCHS)) for other in earlier)
    drawn, alt = _figure(run, status.epochs, status.steps, metric, changed, behind, overfits_from)
    follows = (feed, metric) if feed else None
    show(drawn, key=f"train-curve-{metric}", height=HEIGHT, alt=alt, feed=follows)


def fresh_curves(run: Run, status: Status) -> dict[str, Any]:
    """Of each metric, what its chart has of the run itself, as ``plot.fresh`` gives it."""
    return {
        metric: _fresh(_curve(run, status.epochs, status.steps, metric), metric)
        for metric in TITLES
    }


def _fresh(curve: Curve, metric: str) -> dict[str, Any]:
    x, smoothed, ends = curve
    val = ends[f"val_{metric}"]
    traces = [{"x": x, "y": smoothed}, {"x": ends["epoch"], "y": val}]
    return fresh(traces, _range(metric, smoothed, val), _alt(metric, smoothed))


@lru_cache(maxsize=64)
def _figure(
    run: Run,
    epochs: int,
    steps: int,
    metric: str,
    changed: tuple[int, ...],
    behind: tuple[tuple[Run, tuple[int, ...]], ...],
    overfits_from: int | None,
) -> tuple[str, str]:
    """Figure and words, made once for all who watch until a file changes.

    The status follows the steps a few times a second; steps alone may be written far more often.
    """
    faint = [trace for other, stamps in behind for trace in _faint(other, metric, stamps)]
    name = chart_text(runs.summary(run).label)
    curve = _curve(run, epochs, steps, metric)
    marks = [
        (step * epochs / max(1, steps), words)
        for step, words in learning_rate.changes_in_words(run)
    ]
    return _draw(name, run_color(run), curve, epochs, metric, faint, overfits_from, marks)


def example(metric: str) -> None:
    """One metric of a run that was recorded, for visitors who have none."""
    x, y, val = (np.array(values) for values in _recorded()[metric])
    ends = {"epoch": np.arange(1.0, len(val) + 1), f"val_{metric}": val}
    drawn, alt = _draw("Example", "color(0)", (x, y, ends), len(val), metric, [], None)
    show(drawn, key=f"train-curve-{metric}", height=ALONE, alt=alt)


@cache
def _recorded() -> dict[str, list[list[float]]]:
    """Of each metric: epochs, its smoothed values, and its validation after each epoch."""
    recorded: dict[str, list[list[float]]] = json.loads(EXAMPLE.read_text())
    return recorded


def _draw(
    name: str,
    color: str,
    curve: Curve,
    epochs: int,
    metric: str,
    behind: list[dict[str, Any]],
    overfits_from: int | None,
    marks: Sequence[tuple[float, str]] = (),
) -> tuple[str, str]:
    """The figure of a run before the traces ``behind`` it, and its words.

    Its own traces are the last two, as ``_fresh`` has them. ``marks`` are epochs, each with what
    was changed there.
    """
    x, smoothed, ends = curve
    own = {"color": color}
    faint = [
        _range(metric, training["y"], validation["y"])
        for training, validation in zip(behind[::2], behind[1::2], strict=True)
    ]
    always = _union(faint)
    shown = _union([always, _range(metric, smoothed, ends[f"val_{metric}"])]) or EMPTY[metric]
    traces = [
        *behind,
        {
            "name": f"{name}, training",
            "showlegend": False,
            "x": x,
            "y": smoothed,
            "mode": "lines",
            "line": {"width": 2.5, **own},
            "hovertemplate": "%{y:.4f}",
        },
        {
            "name": f"{name}, validation",
            "showlegend": False,
            "x": ends["epoch"],
            "y": ends[f"val_{metric}"],
            "mode": "lines+markers",
            "marker": {"size": 8, "line": {"width": 1.5, "color": "var(--st-background-color)"}},
            "hovertemplate": "%{y:.4f}",
            "line": {"width": 1.5, "dash": "dot", **own},
        },
    ]
    layout: dict[str, Any] = {
        "title": {
            "text": f"{TITLES[metric]} <span style='font-size:12px'>line: training, "
            "dots: validation</span>",
            "font": {"size": 14},
            "x": 0,
            "y": 0.97,
        },
        "font": {"size": 12},
        "xaxis": {
            "title": {"text": "Epoch", "font": {"size": 12}},
            "range": [0, epochs * 1.03],
            "tickformat": "d",
            "nticks": min(8, epochs + 1),
        },
        "yaxis": {**AXES[metric], "range": shown},
        "meta": always,  # the range that the axis has at least while the run's own curve grows
        "hovermode": "x",
        "margin": {"t": 36},
        "annotations": [
            *_numbers(behind, epochs, metric, shown),
            *(_words(epoch, words, epochs, metric) for epoch, words in marks),
        ],
        "shapes": [
            *([_shade(overfits_from, epochs)] if overfits_from else []),
            *(_line(epoch) for epoch, _ in marks),
        ],
    }
    return figure(traces, layout), _alt(metric, smoothed)


def _alt(metric: str, smoothed: np.ndarray) -> str:
    latest = f"{smoothed[-1]:.3f}" if len(smoothed) else "not begun"
    return f"{TITLES[metric]} over the epochs, training and validation; training: {latest}."


def _curve(run: Run, epochs: int, steps: int, metric: str) -> Curve:
    batches, ends = run.step_metrics(), run.epoch_metrics()
    points = downsample(len(batches["step"]), POINTS)
    x = (batches["step"] * epochs / max(1, steps))[points]
    return x, smooth(batches[metric], smoothing_window(len(batches["step"])))[points], ends


@lru_cache(maxsize=64)
def _faint(run: Run, metric: str, changed: tuple[int, ...]) -> list[dict[str, Any]]:
    """The curves of an earlier run; none of a damaged one, of which its own page tells."""
    try:
        status = run.status
        x, smoothed, ends = _curve(run, status.epochs, status.steps, metric)
    except ValueError:
        return []
    name = chart_text(runs.summary(run).label)
    line = {"width": 1.5, "color": run_color(run)}
    return [
        {
            "name": name,
            # At the end of the curve.
            "text": str(runs.summary(run).number or "") if len(x) else "",
            "showlegend": False,
            "x": x,
            "y": smoothed,
            "mode": "lines",
            "line": line,
            "opacity": 0.5,
            "hoverinfo": "skip",
        },
        {
            "name": name,
            "text": "",
            "showlegend": False,
            "x": ends["epoch"],
            "y": ends[f"val_{metric}"],
            "mode": "lines+markers",
            "marker": {"size": 5},
            "line": {**line, "dash": "dot"},
            "opacity": 0.6,
            "hovertemplate": f"%{{y:.4f}} {name}<extra></extra>",
        },
    ]


def _numbers(
    behind: list[dict[str, Any]], epochs: int, metric: str, shown: Range
) -> list[dict[str, Any]]:
    """The numbers of the earlier runs at the ends of their curves, none upon another.

    That of a run of more epochs stands where its curve leaves the frame.
    """
    ends = [(*_end(trace, epochs, metric, shown), trace) for trace in behind if trace["text"]]
    gap = (shown[1] - shown[0]) * NUMBER_HEIGHT / LEAST_HEIGHT
    placed, numbers = float("-inf"), []
    for y, x, trace in sorted(ends, key=lambda end: end[0]):
        placed = max(y, placed + gap)
        numbers.append(
            {
                "text": trace["text"],
                "x": x,
                "y": placed,
                "xanchor": "left",
                "yanchor": "middle",
                "showarrow": False,
                "font": {"size": 11},
                "bgcolor": "var(--st-background-color)",  # it may lie upon another curve
            }
        )
    return numbers


def _end(trace: dict[str, Any], epochs: int, metric: str, shown: Range) -> tuple[float, float]:
    """Where a curve ends on the axes, or leaves them after the last of ``epochs``: y and x."""
    x = min(float(trace["x"][-1]), float(epochs))
    y = _place(metric, float(np.interp(x, trace["x"], trace["y"])))
    return float(np.clip(y, *shown)), x


def _line(epoch: float) -> dict[str, Any]:
    """A thin line where something was changed while the run trained."""
    line = {"width": 1, "color": "var(--st-gray-color)"}
    ends = {"x0": epoch, "x1": epoch, "y0": 0, "y1": 1}
    return {"type": "line", "xref": "x", "yref": "paper", "line": line, **ends}


def _words(epoch: float, words: str, epochs: int, metric: str) -> dict[str, Any]:
    """What was changed there, beside the line where there is room: a loss falls from the top."""
    top = metric == "loss"
    return {
        "text": words,
        "x": epoch,
        "y": 1 if top else 0,
        "yref": "paper",
        "xanchor": "left" if epoch < epochs / 2 else "right",
        "yanchor": "top" if top else "bottom",
        "showarrow": False,
        "font": {"size": 11},
        "bgcolor": "var(--st-background-color)",
    }


def _shade(first: int, epochs: int) -> dict[str, Any]:
    """A ground behind the epochs in which a run overfits."""
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": first,
        "x1": epochs * 1.03,
        "y0": 0,
        "y1": 1,
        "fillcolor": "var(--st-orange-color)",
        "opacity": 0.1,
        "line": {"width": 0},
        "layer": "below",
    }


def _place(metric: str, value: float) -> float:
    """Where a value is on its axis: the loss has powers of ten."""
    return float(np.log10(max(value, 1e-4))) if metric == "loss" else float(value)


def _range(metric: str, smoothed: np.ndarray, val: np.ndarray) -> Range | None:
    """Room for the curves of a run, not for the noise of single batches; ``None`` before any."""
    if metric == "accuracy":  # what matters happens near the top, after the first tenth
        smoothed = smoothed[len(smoothed) // 10 :]
    curves = np.append(smoothed, val)
    if not len(curves):
        return None
    low, high = _place(metric, curves.min()), _place(metric, curves.max())
    return (min(0.9, low) - 0.01, 1.002) if metric == "accuracy" else (low - 0.18, high + 0.08)


def _union(ranges: Sequence[Range | None]) -> Range | None:
    known = [one for one in ranges if one]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None
