"""Every test image that a run misclassifies, after any of its epochs: which, how, and why."""

import numpy as np
import streamlit as st

from digits.store.runs import Run
from widgets.mistakes import (
    calibration,
    comparison,
    confusions,
    embedding_map,
    label_errors,
    learning,
    robustness,
)
from widgets.mistakes.epochs import (
    choose_epoch,
    overall_metrics,
    per_digit_table,
    playback_interval,
    test_predictions,
)
from widgets.mistakes.selection import close_digit, show
from widgets.shared.format import as_text
from widgets.shared.session import chosen_run, test_set, via_app

VIEWS = {
    "Confusions": confusions.view,
    "Learning": learning.view,
    "Label errors": label_errors.view,
    "Calibration": calibration.view,
    "Embedding map": embedding_map.view,
    "Robustness": robustness.view,
    "Compare": comparison.view,
}

via_app()


@st.fragment(run_every=playback_interval())
def explore(run: Run, x_test: np.ndarray, y_test: np.ndarray) -> None:
    """Everything that follows the epoch: metrics, a view, and the digits that it selects."""
    try:
        predictions = test_predictions(run, choose_epoch(run), x_test, y_test)
        overall_metrics(predictions)
        view = st.segmented_control(
            "View",
            VIEWS,
            default="Confusions",
            required=True,
            key="view",
            bind="query-params",
            on_change=close_digit,
        )
        left, right = st.columns(2, gap="medium")
        with left:
            selection = VIEWS[view](run, predictions)
        with right:
            if selection:
                show(selection, run)
        st.subheader("Scores of each digit", anchor=False)
        per_digit_table(predictions)
    except ValueError as error:
        st.error(as_text(error), icon=":material/broken_image:")


st.title("Mistakes")
run = chosen_run()
try:
    x_test, y_test = test_set(run.recipe.dataset)
except FileNotFoundError as error:
    st.info(as_text(error), icon=":material/dataset:")
except ValueError as error:
    st.error(as_text(error), icon=":material/broken_image:")
else:
    explore(run, x_test, y_test)
