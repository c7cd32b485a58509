"""A closer look at one digit: large, with all that the model said of it."""

import numpy as np
import streamlit as st

from digits.metrics import rank
from digits.pictures import sheet
from digits.run import Run
from digits.tested import Tested
from widgets.plot import plot


def closer_look(tested: Tested, index: int, run: Run, epoch: int) -> None:
    """Show one of the images and its ten probabilities; ``epoch`` 0 means the final model."""
    label, p = int(tested.y[index]), tested.probabilities[index].astype(np.float64)
    predicted = int(p.argmax())
    picture, words = st.columns([2, 3], gap="medium")
    with picture:
        image = sheet(tested.x[index][None, None], 9)
        st.image(image, alt=f"A handwritten {label}", output_format="PNG")
    with words:
        read = f"and read as :green[**{label}**]"
        if predicted != label:
            read = f"but read as :red[**{predicted}**]"
        st.markdown(f"Labelled :green[**{label}**], {read}.")
        _dispute(tested, index)
        loss = rank(np.array([label]), p[None], "loss")[0]
        st.markdown(
            f"Confidence **{p[predicted]:.2%}** · probability of the label **{p[label]:.2%}** · "
            f"loss **{loss:.3f}** nats"
        )
    _probabilities(p, label, predicted)


def _dispute(tested: Tested, index: int) -> None:
    """What five people said of the label, where most of them did not confirm it."""
    if not (entry := tested.disputed.get(index)):
        return
    said = {
        "corrected": f"most of five people read it as {entry.suggested}",
        "split": f"five people were split between {entry.given} and {entry.suggested}",
        "neither": f"most of five people saw neither {entry.given} nor {entry.suggested}",
    }
    source = "https://labelerrors.com"
    st.badge("Disputed label", icon=":material/gavel:", color="orange")
    st.caption(f"{said[entry.verdict].capitalize()} ([Northcutt et al. 2021]({source})).")


def _probabilities(p: np.ndarray, label: int, predicted: int) -> None:
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
    plot([bars], layout, key="closer", height=220, alt=f"Probability of each digit: {words}.")
