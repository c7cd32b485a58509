"""The Calibration view: the reliability diagram, and the effect of temperature scaling."""

from itertools import pairwise
from typing import Any

import numpy as np
import streamlit as st

from digits.evaluation.calibration import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    Reliability,
    fit_temperature,
    reliability,
    scale,
    temperature_interval,
)
from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.epochs import val_predictions
from widgets.mistakes.selection import close_digit
from widgets.shared.format import counted
from widgets.shared.plot import plot

UNSCALED, SCALED = "Unscaled", "Scaled"  # the two curves
CURVE = "mistakes-curve"  # session key: the curve whose point was clicked
EDGES = (0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997, 0.999)
BINS = [
    f"below {EDGES[0]:.0%}",
    *[f"{low * 100:g} – {high * 100:g}%" for low, high in pairwise(EDGES)],
    f"above {EDGES[-1]:.1%}",
]
TICKS = {0.1: "10%", 0.5: "50%", 0.9: "90%", 0.99: "99%", 0.999: "99.9%"}
HEIGHT = "max(15rem, calc(var(--card) - 15.5rem))"
ZERO, ONE = 0.02, 1 - 1 / 20_000  # where 0 % and 100 % are drawn: their log-odds are infinite
NOISE = 0.2  # over √images: two standard deviations of how scaling changes the error, by bootstrap
HELP = {
    "Calibration error": "Expected calibration error: the mean gap between confidence and "
    "accuracy over 15 bins of equally many digits. On 10,000 digits, chance alone gives about "
    "0.1%.",
    "After scaling": "The calibration error after dividing the logits, the outputs before the "
    "softmax, by the temperature. The predictions stay the same; only their confidence changes.",
    "Temperature": "The divisor of the logits that minimizes the cross-entropy on the validation "
    "images (Guo et al. 2017); above 1 for an overconfident model.",
}


def view(run: Run, predictions: Predictions) -> Selection:
    """The reliability diagram; returns the digits of a bin, or the most confident mistakes."""
    y, p = predictions.y, predictions.probabilities
    curves = {UNSCALED: p}
    error = reliability(y, p).error
    metrics = [("Calibration error", f"{error:.2%}", f"on {len(y):,} test images")]
    try:
        y_val, p_val = val_predictions(run, predictions.epoch)
    except ValueError as missing:
        _metrics(metrics)
        st.info(f"{missing} No temperature can be fitted.", icon=":material/thermostat:")
    else:
        temperature = fit_temperature(y_val, p_val)
        low, high = temperature_interval(y_val, p_val, temperature)
        curves[SCALED] = scale(p, temperature)
        scaled_error = reliability(y, curves[SCALED]).error
        fitted_on = f"fitted on {len(y_val):,} validation images"
        interval = f"95% interval {low:.2f} – {high:.2f}"
        metrics.append(("After scaling", f"{scaled_error:.2%}", fitted_on))
        metrics.append(("Temperature", f"{temperature:.2f}", interval))
        _metrics(metrics)
        smoothed, noise = run.recipe.label_smoothing > 0, NOISE / len(y) ** 0.5
        st.markdown(verdict(low, high, error, scaled_error, noise, smoothed=smoothed))
    _chart(y, curves)
    return _selection(predictions, curves)


def verdict(
    low: float, high: float, error: float, scaled_error: float, noise: float, *, smoothed: bool
) -> str:
    """Whether a model is over- or underconfident, and whether scaling helps, in Markdown.

    ``low`` and ``high`` are the 95 % interval of its temperature, ``error`` and ``scaled_error``
    the calibration errors, 0 to 1, ``noise`` their difference by chance; ``smoothed`` says that
    the model was trained with label smoothing.
    """
    if low <= MIN_TEMPERATURE * 1.01 or high >= MAX_TEMPERATURE / 1.01:
        return "Too few validation images are misclassified to determine a temperature."
    if low <= 1 <= high:
        return "The model is **well calibrated**, as far as the validation images can show."
    finding = "overconfident" if low > 1 else "underconfident"
    cause = ", as expected from label smoothing" if smoothed and high < 1 else ""
    if error - scaled_error > noise:
        effect = f"Scaling helps: the error falls from {error:.2%} to {scaled_error:.2%}."
    elif scaled_error - error > noise:
        effect = f"Yet scaling raises the test error from {error:.2%} to {scaled_error:.2%}."
    else:
        effect = "Scaling makes little difference: the error changes by no more than chance."
    return f"The model is **{finding}**{cause}. {effect}"


def _metrics(metrics: list[tuple[str, str, str]]) -> None:
    with st.grid(3, min_column_width=80, gap="xsmall"):
        for label, value, note in metrics:
            st.metric(label, value, help=f"{HELP[label]} Here: {note}.")


def _chart(y: np.ndarray, curves: dict[str, np.ndarray]) -> None:
    bins = {name: reliability(y, p, EDGES) for name, p in curves.items()}
    unscaled = bins[UNSCALED]
    if len(unscaled.count) == 1:
        st.info(
            "The model is about equally confident on every digit: "
            f"{unscaled.confidence[0]:.1%} on average, with {unscaled.accuracy[0]:.1%} accuracy. "
            "There is no curve to draw.",
            icon=":material/horizontal_rule:",
        )
        return
    ticks = _log_odds(np.array([ZERO, *TICKS, ONE]))
    left, bottom, top = ticks[1] - 0.25, ticks[0] - 0.25, ticks[-1] + 0.25
    axis: dict[str, Any] = {"tickvals": ticks, "ticktext": ["0%", *TICKS.values(), "100%"]}
    dots = {"color": "var(--st-gray-color)", "dash": "dot"}
    diagonal = {"type": "line", "x0": left, "x1": top, "y0": left, "y1": top, "line": dots}
    layout = {
        "xaxis": {**axis, "range": [left, top], "title": {"text": "Confidence"}},
        "yaxis": {**axis, "range": [bottom, top], "title": {"text": "Accuracy"}},
        "shapes": [{**diagonal, "layer": "below"}],
    }
    colors = {UNSCALED: "var(--st-blue-color)", SCALED: "var(--st-orange-color)"}
    traces = [_trace(name, bins[name], colors[name]) for name in bins]
    outside = (unscaled.confidence < unscaled.low) | (unscaled.confidence > unscaled.high)
    alt = (
        f"Accuracy over confidence in {len(unscaled.count)} bins; in {outside.sum()} of them the "
        "confidence lies outside the 95% interval of the accuracy."
    )

    def select_bin(point: dict[str, Any]) -> None:
        name = list(bins)[point["trace"]]
        index = np.digitize(bins[name].confidence[point["point"]], EDGES)
        st.session_state.update({"confidence": int(index), CURVE: name})
        close_digit()

    plot(traces, layout, key="mistakes-reliability", height=HEIGHT, alt=alt, on_click=select_bin)
    st.caption(
        "Below the dotted line the model is overconfident. Click a point to see its digits.",
        help="On the dotted line, confidence equals accuracy. Larger points are more digits; bars "
        "are 95% intervals. Axes are in log-odds: from 90% to 99% is as far as from 99% to 99.9%.",
    )


def _trace(name: str, bins: Reliability, color: str) -> dict[str, Any]:
    y, low, high = (_log_odds(share) for share in (bins.accuracy, bins.low, bins.high))
    columns = (bins.confidence, bins.accuracy, bins.low, bins.high, bins.count)
    text = [
        f"confidence {confidence:.2%}<br>accuracy {accuracy:.2%} ({below:.2%} – {above:.2%})<br>"
        f"{count:,} {'digit' if count == 1 else 'digits'}"
        for confidence, accuracy, below, above, count in zip(*columns, strict=True)
    ]
    return {
        "name": name,
        "x": _log_odds(bins.confidence),
        "y": y,
        "mode": "markers",
        "error_y": {"array": high - y, "arrayminus": y - low, "thickness": 1.2, "width": 4},
        "marker": {"size": 6 + 2.5 * np.log10(bins.count), "color": color, "opacity": 1},
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _log_odds(share: np.ndarray) -> np.ndarray:
    """Log-odds to base 10, clipped to the range of the chart."""
    share = np.clip(share, ZERO, ONE)
    return np.log10(share / (1 - share))


def _selection(predictions: Predictions, curves: dict[str, np.ndarray]) -> Selection:
    bin_index = st.selectbox(
        "Confidence",
        range(len(BINS)),
        index=None,
        placeholder="All mistakes",
        key="confidence",
        format_func=BINS.__getitem__,
        on_change=_choose_unscaled,
        bind="query-params",
        label_visibility="collapsed",
        width=220,
    )
    curve = st.session_state.get(CURVE)
    curve = curve if curve in curves else UNSCALED
    confidence, correct = curves[curve].max(axis=1), predictions.correct
    mask = ~correct if bin_index is None else np.digitize(confidence, EDGES) == bin_index
    indices = np.flatnonzero(mask)
    indices = indices[np.lexsort((-confidence[indices], correct[indices]))]
    if bin_index is None:
        title = f"{counted(len(indices), 'mistake')}, most confident first"
    else:
        name = "scaled confidence" if curve == SCALED else "confidence"
        wrong = int((~correct[indices]).sum())
        title = f"{counted(len(indices), 'digit')} with {name} {BINS[bin_index]}, "
        title += f"**{wrong:,}** misclassified"
    notes = [f"{share:.1%}" for share in confidence[indices].tolist()]
    return Selection(predictions, indices, title, ranked=True, notes=notes)


def _choose_unscaled() -> None:
    """The list of bins offers the unscaled confidence."""
    st.session_state[CURVE] = UNSCALED
    close_digit()
