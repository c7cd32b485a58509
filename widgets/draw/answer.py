"""One digit that was read: the answer, what the network saw, and the ten probabilities."""

import numpy as np
import streamlit as st

from digits.multidigit.recognize import Recognition
from widgets.draw.preprocessing import switched_off
from widgets.shared.format import percent
from widgets.shared.montage import montage
from widgets.shared.plot import plot


def show_digit(reading: Recognition, strokes: int) -> None:
    """Show what a drawing of so many strokes was read as."""
    p = reading.probabilities
    digit = int(p.argmax())
    row = st.container(horizontal=True, gap="medium")
    with row.container(width=220):
        st.metric("The network reads", f"{digit} · {percent(p[digit])}")
        switched_off(reading.steps[-1].options)
        with st.container(width=168):  # given a width, Streamlit would blur the picture
            alt = "The drawing as the network sees it, enlarged so that its pixels show."
            picture = montage(reading.image[None, None], 12)
            st.image(picture, "What it sees: 28 × 28", "stretch", alt=alt, output_format="PNG")
    with row.container():
        _bars(p, strokes)


def _bars(p: np.ndarray, strokes: int) -> None:
    colors = ["var(--st-border-color)"] * 10
    colors[int(p.argmax())] = "var(--st-primary-color)"
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": p,
        "y": np.arange(10),
        "text": [percent(one) if one >= 0.001 else "" for one in p],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "skip",
        "marker": {"color": colors},
    }
    layout = {
        "xaxis": {"range": [0, 1.35], "visible": False},
        "yaxis": {"dtick": 1, "range": [9.5, -0.5], "showgrid": False},
        "margin": {"t": 0, "l": 24, "r": 0, "b": 0},
    }
    alt = ", ".join(f"{n}: {percent(one)}" for n, one in enumerate(p))
    alt = f"Strokes: {strokes}. Probabilities: {alt}."  # the answer to which drawing
    plot([bars], layout, key="probabilities", height=260, alt=alt)
