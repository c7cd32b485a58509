"""How far digits may be turned, moved, resized, blurred by noise or fattened and still be read."""

from typing import Any

import numpy as np
import streamlit as st

from digits.evaluation.metrics import wilson_interval
from digits.evaluation.predictions import Predictions, Selection
from digits.store.models import ModelRef
from digits.store.runs import Run
from widgets.shared.background_job import offer_job
from widgets.shared.format import counted
from widgets.shared.montage import montage
from widgets.shared.plot import plot
from widgets.shared.session import engine

KINDS = {
    "rotation": "Rotation",
    "shift": "Shift",
    "scale": "Scale",
    "noise": "Noise",
    "stroke_width": "Thickness",
}


def view(run: Run, tested: Predictions) -> Selection | None:
    """Accuracy over the strength of a change; gives the mistakes on the digits as they are."""
    curves = run.robustness() or {}
    if set(KINDS) - set(curves):
        offer_job(
            run,
            "robustness",
            "Test how sturdy it is",
            "The final model would read all test digits again: turned, shifted, resized, noisy, "
            "thinner and thicker. It takes about half a minute in the background.",
        )
    done = [kind for kind in KINDS if kind in curves]
    if not done:
        return None
    kind = st.segmented_control(
        "Test digits changed by",
        done,
        default=done[0],
        required=True,
        key="kind",
        format_func=KINDS.__getitem__,
        bind="query-params",
    )
    curve = curves[kind]
    _chart(kind, curve)
    per_digit = np.array(curve["per_digit"])
    weakest = int(per_digit.mean(axis=0).argmin())
    at = int(per_digit[:, weakest].argmin())
    st.markdown(
        f"The weakest digit is **{weakest}**: {per_digit[at, weakest]:.1%} of them are read right "
        f"at {curve['strengths'][at]:g} {curve['unit']}, of all digits {curve['accuracy'][at]:.1%}."
    )
    _example(run, tested, kind, curve)
    found = np.flatnonzero(~tested.right)
    return Selection(tested, found, f"{counted(len(found), 'mistake')} on the digits as they are")


def _chart(kind: str, curve: dict[str, Any]) -> None:
    """Every digit as a thin line, all of them as a thick one with its 95 % interval."""
    x, accuracy, n = curve["strengths"], curve["accuracy"], curve["images"]
    low, high = np.array([wilson_interval(round(share * n), n) for share in accuracy]).T
    digits = [
        {
            "name": str(digit),
            "x": x,
            "y": line,
            "mode": "lines",
            "showlegend": False,
            "line": {"width": 1, "color": "var(--st-gray-color)"},
            "opacity": 0.6,
            "hovertemplate": f"{digit}: %{{y:.1%}}<extra></extra>",
        }
        for digit, line in enumerate(np.array(curve["per_digit"]).T)
    ]
    overall = {
        "name": "all digits",
        "x": x,
        "y": accuracy,
        "mode": "lines+markers",
        "line": {"width": 3, "color": "var(--st-blue-color)"},
        "marker": {"size": 7},
        "error_y": {
            "type": "data",
            "array": high - accuracy,
            "arrayminus": accuracy - low,
            "width": 3,
            "color": "var(--st-blue-color)",
        },
        "hovertemplate": "%{y:.2%} at %{x}<extra></extra>",
    }
    layout = {
        "xaxis": {"title": {"text": f"{KINDS[kind]} ({curve['unit']})"}},
        "yaxis": {"tickformat": ".0%", "range": [0, 1.03], "title": {"text": "Accuracy"}},
        "showlegend": False,
    }
    worst = int(np.argmin(accuracy))
    alt = (
        f"Accuracy over {KINDS[kind].lower()}: {max(accuracy):.1%} at best, "
        f"{accuracy[worst]:.1%} at {x[worst]:g} {curve['unit']}."
    )
    plot([*digits, overall], layout, key="sturdy", height=330, alt=alt)
    st.caption("Thick: all digits, with 95% intervals. Thin: each digit. By the final model.")


def _example(run: Run, tested: Predictions, kind: str, curve: dict[str, Any]) -> None:
    """One digit at every strength, and how it is read there."""
    one = st.session_state.get("digit")
    one = 0 if one is None else int(one)
    try:
        pictures = engine().robustness_examples(tested.x[one], kind)
        read = engine().predict(ModelRef(run), pictures).argmax(axis=1)
    except (TimeoutError, LookupError, OSError) as error:
        st.caption(f"No example: {error or 'the worker did not answer'}.")
        return
    st.caption(f"Test image {one}, a {tested.y[one]}, as it was given to the network:")
    with st.container(horizontal=True, gap="small"):
        for strength, picture, digit in zip(curve["strengths"], pictures, read, strict=True):
            mark = "✓" if digit == tested.y[one] else "✗"
            alt = f"Test image {one} at {strength:g} {curve['unit']}, read as {digit}"
            st.image(montage(picture[None, None], 2), f"{strength:g}: {digit} {mark}", 56, alt=alt)
