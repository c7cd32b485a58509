"""The Robustness view: accuracy on rotated, shifted, scaled, noisy, thicker and thinner digits."""

import numpy as np
import streamlit as st

from digits.evaluation.metrics import wilson_interval
from digits.evaluation.predictions import Predictions, Selection
from digits.store.models import ModelRef
from digits.store.run_folder import RobustnessCurve, Run
from widgets.shared.background_job import offer_job
from widgets.shared.format import as_text, counted
from widgets.shared.gallery import montage
from widgets.shared.link import choice
from widgets.shared.plot import plot
from widgets.shared.session import engine

HEIGHT = "max(13rem, calc(var(--card) - 21rem))"
KINDS = {
    "rotation": "Rotation",
    "shift": "Shift",
    "scale": "Scale",
    "noise": "Noise",
    "stroke_width": "Stroke width",
}


def view(run: Run, predictions: Predictions) -> Selection:
    """Accuracy over the strength of a transformation; returns the mistakes on original digits."""
    curves = run.robustness() or {}
    if set(KINDS) - set(curves):
        offer_job(
            run,
            "robustness",
            "Test robustness",
            "Test the final model on all test digits rotated, shifted, scaled, noisy, thicker and "
            "thinner. It takes about half a minute in the background.",
        )
    indices = np.flatnonzero(~predictions.correct)
    title = f"{counted(len(indices), 'mistake')} on the original digits"
    selection = Selection(predictions, indices, title)
    kinds = [kind for kind in KINDS if kind in curves]
    if not kinds:
        return selection
    kind = choice(
        "Transformation",
        {kind: KINDS[kind] for kind in kinds},
        key="kind",
        label_visibility="collapsed",
    )
    curve = curves[kind]
    _chart(kind, curve)
    _weakest_digit(curve)
    _example(run, predictions, kind, curve)
    return selection


def _chart(kind: str, curve: RobustnessCurve) -> None:
    """Each digit as a thin line, all digits as a thick one with 95 % intervals."""
    x, accuracy, n = curve["strengths"], curve["accuracy"], curve["images"]
    low, high = np.array([wilson_interval(round(share * n), n) for share in accuracy]).T
    digits = [
        {
            "name": str(digit),
            "x": x,
            "y": per_strength,
            "mode": "lines",
            "opacity": 0.6,
            "line": {"width": 1, "color": "var(--st-gray-color)"},
            "hovertemplate": f"{digit}: %{{y:.1%}}<extra></extra>",
        }
        for digit, per_strength in enumerate(np.array(curve["per_digit"]).T)
    ]
    blue = {"color": "var(--st-blue-color)"}
    overall = {
        "name": "all digits",
        "x": x,
        "y": accuracy,
        "mode": "lines+markers",
        "line": {**blue, "width": 3},
        "marker": {"size": 7},
        "error_y": {**blue, "array": high - accuracy, "arrayminus": accuracy - low, "width": 3},
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
    plot([*digits, overall], layout, key="mistakes-robustness", height=HEIGHT, alt=alt)
    st.caption("Final model. Thick line: all digits, with 95% intervals. Thin lines: each digit.")


def _weakest_digit(curve: RobustnessCurve) -> None:
    per_digit = np.array(curve["per_digit"])  # (strengths, 10)
    digit = int(per_digit.mean(axis=0).argmin())
    worst = int(per_digit[:, digit].argmin())
    st.markdown(
        f"The weakest digit is **{digit}**: at {curve['strengths'][worst]:g} {curve['unit']} its "
        f"accuracy is {per_digit[worst, digit]:.1%}, against {curve['accuracy'][worst]:.1%} over "
        "all digits."
    )


def _example(run: Run, predictions: Predictions, kind: str, curve: RobustnessCurve) -> None:
    """One digit at every strength, with the final model's prediction."""
    index = int(st.session_state.get("digit") or 0)
    label = predictions.y[index]
    try:
        images = engine().robustness_examples(predictions.x[index], kind)
        predicted = engine().predict(ModelRef(run), images).argmax(axis=1)
    except (ValueError, OSError) as error:
        st.caption(f"No example: {as_text(error)}")
        return
    st.caption(f"Test image {index}, label {label}, with the prediction at each strength:")
    with st.container(horizontal=True, gap="small"):
        for strength, image, digit in zip(curve["strengths"], images, predicted, strict=True):
            mark = "✓" if digit == label else "✗"
            alt = f"Test image {index} at {strength:g} {curve['unit']}, predicted as {digit}"
            st.image(montage(image[None, None], 2), f"{strength:g}: {digit} {mark}", 56, alt=alt)
