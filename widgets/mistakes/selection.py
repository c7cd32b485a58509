"""The digits that a view selects: as a gallery, or one of them in detail."""

from typing import get_args

import numpy as np
import streamlit as st

from digits.evaluation.forgetting import learning_events
from digits.evaluation.metrics import Order, rank
from digits.evaluation.predictions import Predictions, Selection
from digits.store.models import FINAL, ModelRef
from digits.store.runs import Run
from widgets.shared.explanations import nearest_neighbors, saliency_maps
from widgets.shared.format import as_text, counted
from widgets.shared.gallery import gallery, montage
from widgets.shared.probabilities import bars, over_epochs

PER_PAGE = 200


def close_digit() -> None:
    """Return from the details of a digit to the first page of the gallery."""
    st.session_state.update(digit=None, page=1)


def show(selection: Selection, run: Run) -> None:
    """The gallery, or the details of the digit chosen in it."""
    st.markdown(selection.title)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        indices = _sorted(selection)
        index = _choose_index(selection, indices)
    if index is not None and index < len(selection.predictions.y):
        _details(selection.predictions, index, run)
    elif len(indices):
        _gallery(selection, indices)
    else:
        name = selection.predictions.name.lower()
        st.info(f"No matching {name}s.", icon=":material/search_off:")


def _sorted(selection: Selection) -> np.ndarray:
    """The indices in viewing order: the selection's own, or the visitor's."""
    if selection.ranked or not len(selection.indices):
        return selection.indices
    order: Order = st.segmented_control(
        "Highest first",
        get_args(Order),
        default="confidence",
        required=True,
        key="sort",
        format_func=str.capitalize,
        on_change=close_digit,
        bind="query-params",
        help="Confidence is the probability of the prediction; loss is −log of the label's "
        "probability; margin is the prediction's probability minus the label's.",
    )
    predictions, indices = selection.predictions, selection.indices
    values = rank(predictions.y[indices], predictions.probabilities[indices], order)
    return indices[np.argsort(-values, kind="stable")]


def _choose_index(selection: Selection, indices: np.ndarray) -> int | None:
    """The digit to show in detail: by its number, or by stepping through the selection."""
    index = st.number_input(
        f"{selection.predictions.name} number",
        0,
        max(0, len(selection.predictions.y) - 1),
        None,
        key="digit",
        bind="query-params",
        placeholder="Any",
        width=150,
    )
    if index is None:
        return None
    position = np.flatnonzero(indices == index)  # empty for a digit outside the selection
    before = indices[position[0] - 1] if len(position) and position[0] else None
    after = indices[position[0] + 1] if len(position) and position[0] + 1 < len(indices) else None
    st.button("All", icon=":material/apps:", key="mistakes-all", on_click=_open, args=[None])
    steps = (("Previous", "arrow_back", before), ("Next", "arrow_forward", after))
    for label, icon, target in steps:
        st.button(
            label,
            icon=f":material/{icon}:",
            disabled=target is None,
            key=f"mistakes-{label.lower()}",
            on_click=_open,
            args=[target],
        )
    return index


def _open(index: int | None) -> None:
    """Show the details of that digit; ``None`` shows the gallery."""
    st.session_state["digit"] = None if index is None else int(index)


def _gallery(selection: Selection, indices: np.ndarray) -> None:
    predictions, pages = selection.predictions, -(-len(indices) // PER_PAGE)
    notes = dict(zip(selection.indices.tolist(), selection.notes, strict=False))
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    page_indices = indices[PER_PAGE * (page - 1) : PER_PAGE * page]
    captions, names = [], []
    for i in page_indices.tolist():
        label, predicted = predictions.y[i], predictions.predicted[i]
        note = notes.get(i) or f"{predictions.probabilities[i].max():.1%}"
        disputed = i in predictions.disputed
        captions.append(f"{label} → {predicted}\n{note}" + "\ndisputed" * disputed)
        name = f"{predictions.name} {i}: {label} predicted as {predicted}"
        names.append(name + ", a disputed label" * disputed)
    with st.container(height=500 if len(page_indices) > 20 else "content", border=False):
        gallery(
            predictions.x[page_indices],
            captions,
            names=names,
            key="mistakes-gallery",
            on_click=lambda place: _open(page_indices[place]),
        )


def _details(predictions: Predictions, index: int, run: Run) -> None:
    """One image with its ten probabilities, saliency, learning events and nearest neighbors."""
    label, p = int(predictions.y[index]), predictions.probabilities[index].astype(np.float64)
    predicted = int(p.argmax())
    image_column, text_column = st.columns([2, 3], gap="medium")
    with image_column:
        image = montage(predictions.x[index][None, None], 9)
        st.image(image, alt=f"A handwritten {label}", output_format="PNG")
    with text_column:
        color = "green" if predicted == label else "red"
        st.markdown(f"Label :green[**{label}**], predicted as :{color}[**{predicted}**].")
        _dispute(predictions, index)
        loss = rank(np.array([label]), p[None], "loss")[0]
        st.markdown(
            f"Confidence **{p[predicted]:.2%}** · probability of the label **{p[label]:.2%}** · "
            f"loss **{loss:.3f}** nats"
        )
    bars(p, label, key="mistakes-probabilities")
    alternative = predicted if predicted != label else int(np.argsort(p)[-2])
    try:
        st.markdown("**Saliency**: the pixels that decided")
        is_final = predictions.epoch == run.final_epoch()
        model = ModelRef(run, FINAL if is_final else predictions.epoch)
        saliency_maps(model, predictions.x[index], (label, alternative), width=140)
        if predictions.name == "Test image":
            _history(run, index, label, predictions.epoch)
        st.markdown("**Nearest training digits** in the final model's embedding space")
        nearest_neighbors(ModelRef(run), predictions.x[index], size=44)
    except (ValueError, OSError) as error:
        st.error(as_text(error), icon=":material/error:")


def _dispute(predictions: Predictions, index: int) -> None:
    """How five annotators voted, where most of them did not confirm the label."""
    if not (dispute := predictions.disputed.get(index)):
        return
    vote = {
        "corrected": f"Most of five annotators chose {dispute.suggested}",
        "split": f"Five annotators were split between {dispute.given} and {dispute.suggested}",
        "neither": f"Most of five annotators chose neither {dispute.given} nor {dispute.suggested}",
    }[dispute.verdict]
    st.badge("Disputed label", icon=":material/gavel:", color="orange")
    st.caption(f"{vote} ([Northcutt et al. 2021](https://labelerrors.com)).")


def _history(run: Run, index: int, label: int, epoch: int) -> None:
    """The ten probabilities of a test image after every epoch."""
    epochs = run.evaluated_epochs()
    if len(epochs) < 2:
        return
    p = run.probabilities_over_epochs(index).astype(np.float64)  # (epochs, 10)
    correct = p.argmax(axis=1) == label
    st.markdown(f"**Over the epochs**: {_learning_summary(correct, epochs)}")
    alt = f"Probabilities after each of {len(epochs)} epochs; correct after {correct.sum()}."
    over_epochs(epochs, p, label, key="mistakes-history", alt=alt, marked_epoch=epoch)


def _learning_summary(correct: np.ndarray, epochs: list[int]) -> str:
    """When an image was learned and how often forgotten, from (epochs,) bool."""
    events = learning_events(np.ones(1), correct[:, None])
    if events.never_learned[0]:
        return "never classified correctly."
    learned = events.learned_epoch[0]
    start = f"correct from epoch {epochs[learned - 1]} on" if learned else "wrong at the end"
    return f"{start}, forgotten {counted(int(events.forgetting_events[0]), 'time')}."
