"""Everybody's drawings on one screen: a score, the gallery, and what can be done with them."""

import numpy as np
import streamlit as st

from digits.ink import collection
from digits.store.models import ModelRef
from widgets.drawings.browse import browse, selected_drawing, show_drawing
from widgets.drawings.finetune import finetune_controls
from widgets.drawings.transfer import (
    delete_damaged,
    export_drawings,
    import_drawings,
    import_report,
)
from widgets.shared.drawings import accuracy_metric, predict_drawings, score_metric
from widgets.shared.format import as_text


def saved_drawings(model: ModelRef) -> None:
    """Browse, label, pin, export and import drawings, and fine-tune on them."""
    import_report()
    drawings, problems = collection.read_all()
    if problems:
        delete_damaged(drawings, problems)
    if not drawings:
        with st.container(border=True):
            st.info("No drawings yet. Draw a digit and label it, and it appears here.")
            import_drawings()
        return
    y = np.array([drawing.label for drawing in drawings])
    probabilities: np.ndarray | None = None
    try:
        probabilities = predict_drawings(model, drawings)
    except (ValueError, LookupError, OSError) as error:
        st.error(as_text(error), icon=":material/error:")

    row = st.container(horizontal=True, gap="small")
    with row.container(border=True, height="stretch"):
        top = st.container(horizontal=True, gap="medium")
        with top:
            st.metric("Drawings", f"{len(drawings):,}", width="content")
            if model.run:
                score_metric(model.run)
            elif probabilities is not None:
                accuracy_metric(int((probabilities.argmax(axis=1) == y).sum()), len(y))
        index = selected_drawing(drawings)
        if index is None:
            browse(drawings, y, probabilities, top)
        else:
            p = None if probabilities is None else probabilities[index]
            show_drawing(drawings[index], p, model.run)
    with row.container(width=400, height="stretch"):
        with st.container(border=True):
            finetune_controls(drawings, model.run)
        with st.container(border=True):
            st.header("Export and import", anchor=False)
            export_drawings(drawings)
            import_drawings()
