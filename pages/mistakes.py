"""Every test image that a run misclassifies, after any of its epochs: which, how, and why."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from digits.store.models import FINAL
from digits.store.runs import Run
from widgets.mistakes import (
    calibration,
    comparison,
    confusions,
    digit,
    embedding_map,
    forgetting,
    label_errors,
    per_class,
    robustness,
    selection,
)
from widgets.mistakes.epochs import (
    choose_epoch,
    offer_fork,
    overall_metrics,
    play_on,
    test_predictions,
)
from widgets.shared.cards import cards, page_heading
from widgets.shared.format import as_text
from widgets.shared.link import choice, forget_ignored, tell_ignored
from widgets.shared.report import report_button
from widgets.shared.session import chosen_run, done_runs, test_set, via_app

VIEWS = {
    "confusion-matrix": ("Confusion matrix", confusions.view, 10),
    "per-class": ("Per class", per_class.view, 10),
    "forgetting": ("Forgetting", forgetting.view, 10),
    "label-errors": ("Label errors", label_errors.view, 7),
    "calibration": ("Calibration", calibration.view, 10),
    "embeddings": ("Embeddings", embedding_map.view, 11),
    "robustness": ("Robustness", robustness.view, 10),
    "compare": ("Compare", comparison.view, 8),
}
FORMER = {"confusions": "confusion-matrix", "learning": "forgetting", "embedding-map": "embeddings"}

via_app()


@st.fragment
def explore(run: Run, x_test: np.ndarray, y_test: np.ndarray, toolbar: DeltaGenerator) -> None:
    """Everything that follows the epoch: metrics, a view, the digits that it selects, and one."""
    try:
        predictions = test_predictions(run, choose_epoch(run, toolbar), x_test, y_test)
        with toolbar:
            overall_metrics(predictions)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            view = choice(
                "View",
                {id: name for id, (name, *_) in VIEWS.items()},
                key="view",
                aliases=FORMER,
                on_change=selection.close_digit,
                label_visibility="collapsed",
            )
            page_heading("Mistakes", "mistakes", opened())
            st.space("stretch")
            offer_fork(run, run.final_epoch() if predictions.epoch == FINAL else predictions.epoch)
            report_button([run])
        ignored = st.container()
        _, select, width = VIEWS[view]
        chart, gallery, details = cards([width, 9, 8], "mistakes")
        with chart:
            selected = select(run, predictions)
        if selected:
            with gallery:
                indices = selection.show(selected)
            with details:
                if digit.show(selected.predictions, indices, run) is None:
                    confusions.most_confused_pairs(predictions)
        with ignored:
            tell_ignored()
        play_on()
    except ValueError as error:
        st.error(as_text(error), icon=":material/broken_image:")


def opened() -> str:
    """The digit that is shown in detail, in the link too when the visitor has just come."""
    index = st.session_state.get("digit", st.query_params.get("digit"))
    return "" if index is None else f"{index}"


if "view" not in st.session_state:
    forget_ignored()
if not done_runs():
    page_heading("Mistakes", "mistakes")  # above the sentence that says what to do
toolbar = st.container(horizontal=True, vertical_alignment="center", gap="small")
with toolbar:
    run = chosen_run()
try:
    x_test, y_test = test_set(run.recipe.dataset)
except FileNotFoundError as error:
    st.info(as_text(error), icon=":material/dataset:")
except ValueError as error:
    st.error(as_text(error), icon=":material/broken_image:")
else:
    explore(run, x_test, y_test, toolbar)
