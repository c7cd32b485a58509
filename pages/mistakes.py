"""Every test image that a run got wrong, after any of its epochs: which, how, and why."""

import numpy as np
import streamlit as st

from digits.evaluation.label_errors import disputed_labels
from digits.evaluation.predictions import Predictions
from digits.store.models import FINAL
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
from widgets.mistakes.epochs import choose_epoch, playback_interval
from widgets.mistakes.scores import overall_metrics, per_digit_table
from widgets.mistakes.selection import close_digit, show
from widgets.shared.session import chosen_run, test_set, via_app

via_app()

VIEWS = {
    "Confusions": confusions.view,
    "Learning": learning.view,
    "Labels": label_errors.view,
    "Calibration": calibration.view,
    "Map": embedding_map.view,
    "Sturdiness": robustness.view,
    "A and B": comparison.view,
}


def explore(run: Run, x: np.ndarray, y: np.ndarray) -> None:
    """All that follows the epoch: figures, the chosen view, and the digits that it is about."""
    try:
        tested = _tested(run, choose_epoch(run), x, y)
        overall_metrics(tested)
        view = st.segmented_control(
            "Look at",
            VIEWS,
            default="Confusions",
            required=True,
            key="view",
            bind="query-params",
            on_change=close_digit,
        )
        left, right = st.columns(2, gap="medium")
        with left:
            selection = VIEWS[view](run, tested)
        with right:
            if selection:
                show(selection, run)
        st.subheader("Digit by digit", anchor=False)
        per_digit_table(tested)
    except ValueError as error:
        st.error(str(error), icon=":material/broken_image:")


def _tested(run: Run, epoch: int, x: np.ndarray, y: np.ndarray) -> Predictions:
    final = epoch in (FINAL, run.final_epoch())
    probabilities = run.test_probabilities(FINAL if final else epoch)
    if len(probabilities) != len(y):
        raise ValueError(
            f"This run was tested on {len(probabilities):,} images, but the test set here has "
            f"{len(y):,}. Train it again to see its mistakes."
        )
    return Predictions(
        "Test image", x, y, probabilities, epoch, disputed_labels(run.recipe.dataset, y)
    )


st.title("Mistakes")
run = chosen_run()
try:
    x_test, y_test = test_set(run.recipe.dataset)
except FileNotFoundError as error:
    st.info(str(error), icon=":material/dataset:")
except ValueError as error:
    st.error(str(error), icon=":material/broken_image:")
else:
    st.fragment(explore, run_every=playback_interval())(run, x_test, y_test)
