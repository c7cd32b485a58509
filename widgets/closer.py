"""A closer look at one digit: large, beside the page, with all that the model said of it."""

import numpy as np
import streamlit as st

from digits.metrics import rank
from digits.pictures import sheet
from widgets.plot import plot


@st.dialog("A closer look", position="right")
def closer_look(image: np.ndarray, label: int, p: np.ndarray, where: str) -> None:
    """Open it for a (28, 28) uint8 image, its label and its (10,) probabilities.

    ``where`` says which image of which set it is.
    """
    predicted = int(p.argmax())
    st.image(sheet(image[None, None], 9), alt=f"A handwritten {label}", output_format="PNG")
    read = f"and read as :green[**{label}**]"
    if predicted != label:
        read = f"but read as :red[**{predicted}**]"
    st.markdown(f"Labelled :green[**{label}**], {read}.")
    colors = ["var(--st-gray-color)"] * 10
    colors[predicted], colors[label] = "var(--st-red-color)", "var(--st-green-color)"
    bars = {
        "type": "bar", "x": list(range(10)), "y": p, "marker": {"color": colors},
        "text": [f"{share:.1%}" if share >= 0.0005 else "" for share in p.tolist()],
        "textposition": "outside", "cliponaxis": False,
        "hovertemplate": "%{y:.4%}<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"dtick": 1, "showgrid": False, "ticks": ""},
        "yaxis": {"range": [0, 1.1], "visible": False},
    }
    words = ", ".join(f"{digit} {share:.1%}" for digit, share in enumerate(p.tolist()))
    plot([bars], layout, key="closer", height=260, alt=f"Probability of each digit: {words}.")
    loss = rank(np.array([label]), p[None], "loss")[0]
    st.markdown(
        f"Confidence **{p[predicted]:.2%}** · probability of the label **{p[label]:.2%}** · "
        f"loss **{loss:.3f}** nats"
    )
    st.caption(where)
