"""Every test image that a run got wrong, after any of its epochs: which, how, and why."""

import numpy as np
import streamlit as st

from digits.labels import disputed
from digits.run import Run
from digits.tested import Tested
from widgets.epochs import choose_epoch, pace
from widgets.scores import digit_by_digit, overall
from widgets.selection import leave_digit, show
from widgets.session import chosen_run, test_set, via_app
from widgets.views import calibration, confusion, labels, learning, map, sturdiness, versus

via_app()

VIEWS = {
    "Confusions": confusion.view,
    "Learning": learning.view,
    "Labels": labels.view,
    "Calibration": calibration.view,
    "Map": map.view,
    "Sturdiness": sturdiness.view,
    "A and B": versus.view,
}


def explore(run: Run, x: np.ndarray, y: np.ndarray) -> None:
    """All that follows the epoch: figures, the chosen view, and the digits that it is about."""
    try:
        tested = _tested(run, choose_epoch(run), x, y)
        overall(tested)
        view = st.segmented_control(
            "Look at", VIEWS, default="Confusions", required=True, key="view",
            bind="query-params", on_change=leave_digit,
        )  # fmt: skip
        left, right = st.columns(2, gap="medium")
        with left:
            selection = VIEWS[view](run, tested)
        with right:
            if selection:
                show(selection, run)
        st.subheader("Digit by digit", anchor=False)
        digit_by_digit(tested)
    except ValueError as error:
        st.error(str(error), icon=":material/broken_image:")


def _tested(run: Run, epoch: int, x: np.ndarray, y: np.ndarray) -> Tested:
    kept = epoch in (0, run.kept_epoch())
    probabilities = run.probabilities() if kept else run.test_probabilities(epoch)
    if len(probabilities) != len(y):
        raise ValueError(
            f"This run was tested on {len(probabilities):,} images, but the test set here has "
            f"{len(y):,}. Train it again to see its mistakes."
        )
    return Tested("Test image", x, y, probabilities, epoch, disputed(run.recipe.dataset, y))


st.title("Mistakes")
run = chosen_run()
try:
    x_test, y_test = test_set(run.recipe.dataset)
except FileNotFoundError as error:
    st.info(str(error), icon=":material/dataset:")
except ValueError as error:
    st.error(str(error), icon=":material/broken_image:")
else:
    st.fragment(explore, run_every=pace())(run, x_test, y_test)
