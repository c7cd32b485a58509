"""Why the network says so: ways to look beneath an answer, of which one is shown at a time."""

import numpy as np
import streamlit as st

from widgets.reasons import layers, neighbours, pixels

VIEWS = {
    "Pixels": pixels.view,
    "Neighbours": neighbours.view,
    "Layers": layers.view,
}


def why(model: str, image: np.ndarray, probabilities: np.ndarray) -> None:
    """Let the visitor choose a way to look, and show that; what fails becomes a sentence.

    ``model`` is "shipped" or a run's id, ``image`` (28, 28) float32 in [0, 1] what it saw, and
    ``probabilities`` (10,) float32 what it said.
    """
    view = st.segmented_control(
        "Why does it say so?", VIEWS, default=next(iter(VIEWS)), required=True, key="why",
        bind="query-params", persist_state="session",
    )  # fmt: skip
    try:
        VIEWS[view](model, image, probabilities)
    except TimeoutError:
        st.error("The worker did not answer in time. Draw on to ask it again.")
    except (LookupError, OSError, ValueError) as error:
        st.error(str(error), icon=":material/error:")
