"""The training digits that a network finds most like what it was shown."""

import numpy as np
import streamlit as st

from digits.multidigit.recognize import Recognition
from digits.store.models import ModelRef, results_folder
from widgets.shared.background_job import start_job
from widgets.shared.gallery import gallery
from widgets.shared.session import engine

FIRST = "The network looks at all training digits once, which takes some seconds …"


def view(reading: Recognition) -> None:
    """The nearest, of whatever label."""
    st.caption("The training digits that the network finds most like the drawing, nearest first.")
    nearest_neighbors(reading.model, reading.image, size=56)


def nearest_neighbors(model: ModelRef, image: np.ndarray, *, size: int) -> None:
    """Twelve training digits, the nearest first, ``size`` screen pixels wide; at first, a wait.

    ``image`` is (28, 28), uint8 or float32 in [0, 1]; ``model`` is as in ``Engine.neighbours``,
    which also says what is raised.
    """
    kept = results_folder(model)
    if not kept.has_embeddings:
        start_job(kept, "embeddings", FIRST)
        return
    images, labels, distances = _nearest(model, kept.id, image)
    found = list(zip(labels, distances, strict=True))
    gallery(
        images,
        [f"{label}\n{far:.2f}" for label, far in found],
        names=[f"A training {label}, {far:.2f} away" for label, far in found],
        key="neighbours",
        size=size,
    )
    st.caption("Below each its label and its distance in the features of the last layer.")


@st.cache_data(max_entries=200, show_spinner=False)
def _nearest(model: ModelRef, kept: str, image: np.ndarray) -> tuple[np.ndarray, ...]:
    return engine().nearest_neighbors(model, image)
