"""Why the network says so: ways to look beneath an answer, of which one is shown at a time."""

import streamlit as st

from digits.multidigit.recognize import Recognition
from widgets.draw import activations, preprocessing
from widgets.shared import neighbors, saliency

VIEWS = {
    "Preparation": preprocessing.view,
    "Pixels": saliency.view,
    "Neighbours": neighbors.view,
    "Layers": activations.view,
}


def explain(reading: Recognition) -> None:
    """Let the visitor choose a way to look, and show that; what fails becomes a sentence."""
    view = st.segmented_control(
        "Why does it say so?",
        VIEWS,
        default=next(iter(VIEWS)),
        required=True,
        key="why",
        bind="query-params",
        persist_state="session",
    )
    try:
        VIEWS[view](reading)
    except TimeoutError:
        st.error("The worker did not answer in time. Draw on to ask it again.")
    except (LookupError, OSError, ValueError) as error:
        st.error(str(error), icon=":material/error:")
