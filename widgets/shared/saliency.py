"""Which pixels decided: what speaks for the digit that was read, and what for any other."""

import numpy as np
import streamlit as st

from digits.multidigit.recognize import Recognition
from digits.store.models import ModelRef
from widgets.shared.session import engine

OTHER = "speaks-for"  # keys of the session's state: the pills, and
WISH = "speaks-for-clicked"  # the digit that the visitor chose there


def view(reading: Recognition) -> None:
    """The pixels for the prediction beside those for the runner-up, or for a digit of choice."""
    predicted, runner_up = (int(digit) for digit in np.argsort(-reading.probabilities)[:2])
    wish = st.session_state.get(WISH)
    other = st.session_state[OTHER] = runner_up if wish in (None, predicted) else wish
    st.pills(
        f"What speaks for {predicted}, and what for",
        range(10),
        key=OTHER,
        on_change=_note,
        wrap=True,
    )
    saliency_maps(reading.model, reading.image, (predicted, other), width=280)


def saliency_maps(
    model: ModelRef, image: np.ndarray, digits: tuple[int, int], *, width: int
) -> None:
    """Which pixels speak for each of the digits, side by side, each ``width`` wide or less.

    ``image`` is (28, 28), uint8 or float32 in [0, 1]; ``model`` and ``epoch`` are as in
    ``Engine.saliency``, which also says what is raised.
    """
    with st.spinner("Asking the network which pixels decided …"):
        both = _saliency(model, image, digits)
    most = float(np.abs(both).max()) or 1.0
    with st.container(horizontal=True, gap="small", width=2 * width + 16):
        for digit, pixels in zip(digits, both, strict=True):
            alt = f"Pixels that speak for {digit} in orange, against it in blue"
            picture = _coloured(image / 255, pixels / most).repeat(10, axis=0).repeat(10, axis=1)
            with st.container():  # both of the same width, whatever their captions
                st.image(picture, f"for {digit}: {pixels.sum():+.1f}", "stretch", alt=alt)
    st.caption(
        "Orange ink speaks for the digit, blue against it; together they come to the figure "
        "under it, the change of its logit from an empty sheet (integrated gradients)."
    )


@st.cache_data(max_entries=500, show_spinner=False)
def _saliency(model: ModelRef, image: np.ndarray, digits: tuple[int, int]) -> np.ndarray:
    return engine().saliency(model, image, list(digits))


def _coloured(ink: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Ink from 0 to 1 in grey, with shares from −1 to 1 as colour: one (28, 28, 3) picture."""
    strength = np.abs(share[..., None]) ** 0.5  # small shares show too
    colour = np.where(share[..., None] > 0, (255, 140, 0), (60, 140, 255))
    mixed = ink[..., None] * 115 * (1 - strength) + colour * strength
    return mixed.round().astype(np.uint8)


def _note() -> None:
    st.session_state[WISH] = st.session_state[OTHER]
