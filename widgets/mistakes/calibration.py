"""Can its probabilities be believed? Of the digits read with 90 %, are nine in ten right?"""

from itertools import pairwise
from typing import Any

import numpy as np
import streamlit as st

from digits.evaluation.calibration import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    Reliability,
    reliability,
    scale,
    temperature,
    temperature_interval,
)
from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.selection import close_digit
from widgets.mistakes.validation import validation
from widgets.shared.format import counted
from widgets.shared.plot import plot

EDGES = (0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997, 0.999)
BINS = [
    f"below {EDGES[0]:.0%}",
    *[f"{low * 100:g} – {high * 100:g}%" for low, high in pairwise(EDGES)],
    f"above {EDGES[-1]:.1%}",
]
TICKS = {0.1: "10%", 0.5: "50%", 0.9: "90%", 0.99: "99%", 0.999: "99.9%"}
NONE, ALL = 0.02, 1 - 1 / 20_000  # where 0 % and 100 % are drawn, which log-odds have no place for
NOISE = 0.2  # over √images: two standard deviations of how scaling changes the error, by bootstrap


def view(run: Run, tested: Predictions) -> Selection:
    """The reliability diagram; gives the digits of a bin, or the most confident mistakes."""
    curves = {"As stated": tested.probabilities}
    try:
        y_val, p_val = validation(run, tested.epoch)
    except ValueError as error:
        _metrics(
            [
                (
                    "Calibration error",
                    f"{reliability(tested.y, tested.probabilities).error:.2%}",
                    f"of {len(tested.y):,} test images",
                )
            ]
        )
        st.info(f"{error} So no temperature can be fitted.", icon=":material/thermostat:")
    else:
        t = temperature(y_val, p_val)
        low, high = temperature_interval(y_val, p_val, t)
        scaled = scale(tested.probabilities, t)
        errors = [reliability(tested.y, p).error for p in (tested.probabilities, scaled)]
        _metrics(
            [
                ("Calibration error", f"{errors[0]:.2%}", f"of {len(tested.y):,} test images"),
                ("After scaling", f"{errors[1]:.2%}", f"from {len(y_val):,} validation images"),
                ("Temperature", f"{t:.2f}", f"95% interval {low:.2f} – {high:.2f}"),
            ]
        )
        smoothed = run.recipe.label_smoothing > 0
        noise = NOISE / len(tested.y) ** 0.5
        st.markdown(judge(low, high, errors[0], errors[1], noise, smoothed=smoothed))
        curves["Scaled"] = scaled
    _chart(tested, curves)
    return _selection(tested, curves)


def judge(
    low: float, high: float, before: float, after: float, noise: float, *, smoothed: bool
) -> str:
    """In Markdown, whether a network is too sure: by the interval of its temperature, 95 %.

    ``before`` and ``after`` are the calibration errors without and with scaling, 0 to 1, and
    ``noise`` is the difference that chance makes.
    """
    if low <= MIN_TEMPERATURE * 1.01 or high >= MAX_TEMPERATURE / 1.01:
        return "The validation images do not tell how sure it should be: too few are read wrongly."
    if low <= 1 <= high:
        return "It is **as sure as it should be**, as far as the validation images can tell."
    word = "too sure" if low > 1 else "not sure enough"
    cause = ", as label smoothing teaches" if smoothed and high < 1 else ""
    if before - after > noise:
        effect = f"Scaling mends it: the error falls from {before:.2%} to {after:.2%}."
    elif after - before > noise:
        effect = f"But on the test images scaling does harm: {after:.2%} instead of {before:.2%}."
    else:
        effect = (
            "But it matters for few digits only: scaling changes the calibration error by no more "
            "than chance does."
        )
    return f"It is **{word}**{cause}. {effect}"


def _metrics(figures: list[tuple[str, str, str]]) -> None:
    helps = {
        "Calibration error": "How far confidence and accuracy lie apart on average, in 15 groups "
        "of equally many digits: expected calibration error. Of 10,000 digits chance alone makes "
        "about 0.1%.",
        "After scaling": "The same after the logits were divided by the temperature. No prediction "
        "changes by that, only how sure it is.",
        "Temperature": "What the logits must be divided by for the best cross-entropy on the "
        "validation images (Guo et al. 2017): above 1 where it was too sure.",
    }
    with st.container(horizontal=True, gap="medium"):
        for name, value, note in figures:
            st.metric(
                name,
                value,
                note,
                delta_color="off",
                delta_arrow="off",
                width="content",
                help=helps[name],
            )


def _chart(tested: Predictions, curves: dict[str, np.ndarray]) -> None:
    drawn = {name: reliability(tested.y, p, EDGES) for name, p in curves.items()}
    stated = drawn["As stated"]
    if len(stated.count) == 1:
        st.info(
            f"It is about equally sure of every digit, {stated.confidence[0]:.1%} on average, and "
            f"right in {stated.accuracy[0]:.1%}: there is no curve to draw.",
            icon=":material/horizontal_rule:",
        )
        return
    places = _log_odds(np.array([NONE, *TICKS, ALL]))
    axis: dict[str, Any] = {"tickvals": places, "ticktext": ["0%", *TICKS.values(), "100%"]}
    left, bottom, top = places[1] - 0.25, places[0] - 0.25, places[-1] + 0.25
    layout = {
        "xaxis": {**axis, "range": [left, top], "title": {"text": "Confidence"}},
        "yaxis": {**axis, "range": [bottom, top], "title": {"text": "Accuracy"}},
        "shapes": [
            {
                "type": "line",
                "x0": left,
                "x1": top,
                "y0": left,
                "y1": top,
                "layer": "below",
                "line": {"color": "var(--st-gray-color)", "dash": "dot"},
            }
        ],
    }
    colors = ("var(--st-blue-color)", "var(--st-orange-color)")
    traces = [
        _trace(name, each, color)
        for (name, each), color in zip(drawn.items(), colors, strict=False)
    ]
    outside = (stated.confidence < stated.low) | (stated.confidence > stated.high)
    alt = (
        f"Accuracy over confidence in {len(stated.count)} groups of digits; in {outside.sum()} of "
        "them the confidence lies outside the 95% interval of the accuracy."
    )

    def choose(point: dict[str, Any]) -> None:
        name = list(drawn)[point["trace"]]
        at = np.digitize(drawn[name].confidence[point["point"]], EDGES)
        st.session_state.update(sure=int(at), of_curve=name)
        close_digit()

    plot(traces, layout, key="reliability", height=420, alt=alt, on_click=choose)
    st.caption(
        "On the dotted line confidence is accuracy; below it the network is too sure. Larger "
        "points are more digits, bars 95% intervals. From 90% to 99% and from 99% to 99.9% are "
        "equal steps: each time only a tenth as many go wrong. Click a point to see its digits."
    )


def _trace(name: str, each: Reliability, color: str) -> dict[str, Any]:
    y, low, high = (_log_odds(share) for share in (each.accuracy, each.low, each.high))
    shares = (each.confidence, each.accuracy, each.low, each.high, each.count)
    words = [
        f"confidence {said:.2%}<br>accuracy {right:.2%} ({low:.2%} – {high:.2%})<br>"
        f"{count:,} {'digit' if count == 1 else 'digits'}"
        for said, right, low, high, count in zip(*shares, strict=True)
    ]
    return {
        "name": name,
        "x": _log_odds(each.confidence),
        "y": y,
        "mode": "markers",
        "error_y": {
            "type": "data",
            "array": high - y,
            "arrayminus": y - low,
            "stroke_width": 1.2,
            "width": 4,
        },
        "marker": {"size": 6 + 2.5 * np.log10(each.count), "color": color, "opacity": 1},
        "text": words,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _log_odds(share: np.ndarray) -> np.ndarray:
    """Decades of right to wrong; what is nearer to 0 or 1 than the chart goes stays within it."""
    share = np.clip(share, NONE, ALL)
    return np.log10(share / (1 - share))


def _selection(tested: Predictions, curves: dict[str, np.ndarray]) -> Selection:
    chosen = st.selectbox(
        "Confidence",
        range(len(BINS)),
        index=None,
        placeholder="All mistakes",
        key="sure",
        format_func=BINS.__getitem__,
        on_change=_as_stated,
        bind="query-params",
        width=180,
    )
    name = st.session_state.get("of_curve")
    name = name if name in curves else "As stated"
    confidence = curves[name].max(axis=1)
    among = ~tested.right if chosen is None else np.digitize(confidence, EDGES) == chosen
    found = np.flatnonzero(among)
    found = found[np.lexsort((-confidence[found], tested.right[found]))]
    notes = [f"{share:.1%}" for share in confidence[found].tolist()]
    if chosen is None:
        title = f"{counted(len(found), 'mistake')}, the most confident first"
    else:
        wrong = int((~tested.right[found]).sum())
        title = (
            f"{counted(len(found), 'digit')} with a {'scaled ' * (name == 'Scaled')}confidence "
            f"{BINS[chosen]}, **{wrong:,}** of them read wrongly"
        )
    return Selection(tested, found, title, ranked=True, notes=notes)


def _as_stated() -> None:
    """The list of bins is about confidence as stated."""
    st.session_state["of_curve"] = "As stated"
    close_digit()
