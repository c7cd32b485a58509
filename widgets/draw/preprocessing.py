"""The drawing at each step of its preparation, what would be read of it, and a switch for each."""

import numpy as np
import streamlit as st

from digits.ink.preprocessing import RESIZED, STAGES, Preprocessing, Stage
from digits.multidigit.recognize import Recognition
from widgets.shared.format import percent
from widgets.shared.montage import montage

WITHOUT = "without"  # in the link: the steps that are left out
WIDTH = 168  # of a card, in screen pixels: six for each of the network's,
SCALE = 12  # and twice as many in the picture, for screens with finer ones
WORDS = {
    RESIZED: ("Shrunk whole", "All of it in 28 × 28 pixels: what most demos do."),
    "crop": ("Crop", "Cut to its ink, wherever on the sheet that is."),
    "fit": ("20 × 20 box", "Scaled into 20 × 20 pixels with a margin, as in MNIST."),
    "center": ("Centre of mass", "Moved until its weight is in the middle, as in MNIST."),
    "redraw": ("Even pen", "Drawn anew with a line as thick as MNIST's, whatever the brush."),
}


def switches() -> Preprocessing:
    """The preparation that the visitor has chosen, here or by the link, which then carries it."""
    state, linked = st.session_state, st.query_params.get_all(WITHOUT)
    how = {step: state.setdefault(_key(step), step not in linked) for step in STAGES}
    without = [step for step in STAGES if not how[step]]
    if without != linked:
        st.query_params[WITHOUT] = without
    return Preprocessing(**how)


def switched_off(how: Preprocessing) -> None:
    """Say which steps are switched off, if any are, above a button that brings them back."""
    if off := [WORDS[step][0].lower() for step in STAGES if not getattr(how, step)]:
        st.markdown(f":orange[:material/toggle_off: **Left out**: {', '.join(off)}]")
        st.button("Switch all on", on_click=_restore, icon=":material/restart_alt:")


def view(reading: Recognition) -> None:
    """A card for each step, with its switch."""
    ink, steps = reading.ink, reading.steps
    taken = {step.name: (step, p) for step, p in zip(steps, reading.said, strict=True)}
    naive, answer = (int(p.argmax()) for p in reading.said[[0, -1]])
    shrunk = "Shrunk whole, as in most demos, this drawing would be read as"
    if len(steps) == 1:
        st.markdown("Every step is left out: this is what most demos do.")
    elif naive == answer:
        st.markdown(
            f"{shrunk} :blue[**{naive}**] too. "
            "Draw it small and in a corner to see what each step is good for."
        )
    else:
        st.markdown(
            f"{shrunk} :orange[**{naive}**]; after the last step it is read as :blue[**{answer}**]."
        )
    grid = st.grid(2 + len(STAGES), min_column_width=160, gap="small")
    with grid.container(width=WIDTH, gap="xsmall"):
        st.markdown(":small[As drawn]")
        _image(ink, "as it is on the sheet")
        st.badge(f"{ink.shape[1]} × {ink.shape[0]}", color="gray")
        st.caption("All of the sheet, before any step.")
    for name, (title, word) in WORDS.items():
        with grid.container(width=WIDTH, gap="xsmall"):
            if name == RESIZED:
                st.markdown(f":small[{title}]")
            else:
                st.toggle(title, key=_key(name), persist_state="session")
            last = name == steps[-1].name
            if name in taken:
                _picture(*taken[name], answer)
            else:
                st.badge("Left out", color="gray")
            st.caption(f"{word} **This is what the network sees.**" if last else word)


def _picture(step: Stage, p: np.ndarray, answer: int) -> None:
    """What there is after a step and what is read of it, marked where it is not the answer."""
    digit = int(p.argmax())
    words = f"{digit} · {percent(p[digit])}" if step.image.any() else "Too little is left"
    _image(
        montage(step.image[None, None], SCALE), f"after the step “{WORDS[step.name][0]}”: {words}"
    )
    if digit == answer and step.image.any():
        st.badge(words, color="blue")
    else:
        st.badge(words, icon=":material/close:", color="orange")


def _image(picture: np.ndarray, what: str) -> None:
    # Given a width, Streamlit would scale the picture itself and blur its edges.
    st.image(picture, width="stretch", alt=f"The drawing {what}.", output_format="PNG")


def _key(step: str) -> str:
    return f"with-{step}"


def _restore() -> None:
    for step in STAGES:
        st.session_state[_key(step)] = True
