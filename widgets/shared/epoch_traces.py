"""What a run's networks say of drawings, epoch by epoch; pinned ones also while it trains."""

import numpy as np
import streamlit as st

from digits.ink import collection
from digits.ink.collection import Drawing
from digits.store.run_folder import Run, weights_file
from widgets.shared.probabilities import over_epochs
from widgets.shared.session import engine

MOST = 6  # pinned drawings that are shown


def probabilities_at_epochs(one: Run, epochs: list[int], x: np.ndarray) -> np.ndarray:
    """Probabilities after these epochs, in order, (epochs, n, 10), each asked for once.

    Epoch 0 is before the first. ``x`` is (n, 28, 28) uint8. Raises as ``Engine.trace`` does.
    """
    known = _known(one.id, x.tobytes())
    # A run that goes on from a checkpoint writes the weights of an epoch anew.
    marks = {epoch: one.file_stamps(weights_file(epoch)) for epoch in sorted(epochs)}
    if missing := [epoch for epoch in marks if known.get(epoch, (None,))[0] != marks[epoch]]:
        for epoch, p in zip(missing, engine().predict_at_epochs(one, missing, x), strict=True):
            known[epoch] = marks[epoch], p
    return np.array([known[epoch][1] for epoch in marks]).reshape(-1, len(x), 10)


@st.cache_resource(max_entries=100, show_spinner=False)
def _known(id: str, pixels: bytes) -> dict[int, tuple[tuple[int, ...], np.ndarray]]:
    return {}


def pinned_drawings(one: Run) -> None:
    """Every pinned drawing through the epochs that the run has kept so far."""
    if not (kept := [drawing for drawing in collection.all() if drawing.pinned]):
        return
    epochs, shown = [0, *one.saved_epochs()], kept[:MOST]
    if len(epochs) == 1:
        return
    x, _ = collection.images(shown)
    try:
        answers = probabilities_at_epochs(one, epochs, x)
    except (ValueError, LookupError, OSError) as error:
        st.caption(f"Pinned drawings: {error}")
        return
    st.markdown("**Pinned drawings through the epochs**")
    for first in range(0, len(shown), 3):
        columns = st.columns(3, gap="medium")
        for number, column in zip(range(first, len(shown)), columns, strict=False):
            with column:
                drawing_over_epochs(
                    shown[number], epochs, answers[:, number], key=f"pinned-{number}"
                )
    if len(kept) > MOST:
        st.caption(f"The newest {MOST} of {len(kept)} are shown.")


def drawing_over_epochs(drawing: Drawing, epochs: list[int], p: np.ndarray, *, key: str) -> None:
    """The ten probabilities of a drawing, (epochs, 10), as a map with its label framed."""
    last, share = int(p[-1].argmax()), p[-1].max()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(drawing.image, width=48, alt=f"A drawn {drawing.label}")
        st.caption(f"A {drawing.label}, read as {last} ({share:.1%}) after epoch {epochs[-1]}")
    alt = f"Probabilities of a drawn {drawing.label} after each epoch; at last {last}."
    over_epochs(epochs, p, drawing.label, key=key, alt=alt)
