"""Everybody's drawings: look at them, put labels right, take them along, teach them."""

import numpy as np
import streamlit as st

from digits.ink import collection, pen_digits
from digits.ink.collection import Drawing
from digits.store.models import ModelRef
from digits.store.runs import Run
from widgets.drawings.finetune import finetune_controls
from widgets.shared.drawing_scores import accuracy_metric, predict_drawings, score_metric
from widgets.shared.epoch_traces import drawing_over_epochs, probabilities_at_epochs
from widgets.shared.format import counted
from widgets.shared.gallery import gallery
from widgets.shared.probabilities import bars
from widgets.shared.session import choose_model, done_runs, via_app

via_app()

PER_PAGE = 100
SHOWN = ("All", "Misread", "Pinned")
MOST = 5_000  # drawings of one file


@st.dialog("Delete the drawing?", icon=":material/delete:")
def delete(one: Drawing) -> None:
    """Ask before what cannot be undone."""
    st.write(f"This {one.label} goes for good, with its strokes.")
    yes, no = st.columns(2)
    if yes.button("Delete", type="primary", width="stretch"):
        collection.delete(one.id)
        select(None)
        st.rerun()
    if no.button("Keep it", width="stretch"):
        st.rerun()


@st.dialog("Delete what cannot be read?", icon=":material/delete:")
def delete_damaged(ids: list[str]) -> None:
    """Ask before damaged files go."""
    st.write(f"{counted(len(ids), 'damaged file')} will be gone; the drawings stay.")
    if st.button("Delete", type="primary"):
        for id in ids:
            collection.delete(id)
        st.rerun()


def relabel(id: str) -> None:
    """Take the digit just clicked for the label."""
    if (digit := st.session_state[f"label-{id}"]) is not None:
        collection.relabel(id, digit)


def pin(id: str) -> None:
    """Do what the switch says."""
    collection.pin(id, st.session_state[f"pin-{id}"])


def select(id: str | None) -> None:
    """Show that drawing large, or all of them."""
    st.session_state["drawing-id"] = id


def closer(one: Drawing, p: np.ndarray | None, model: Run | None) -> None:
    """One drawing large, with what can be done with it and what the network makes of it."""
    st.button("All drawings", icon=":material/arrow_back:", on_click=select, args=[None])
    left, right = st.columns(2, gap="large")
    with left:
        picture, words = st.columns([2, 3], gap="medium")
    picture.image(one.ink, width=200, alt=f"A drawn {one.label}")
    with words:
        st.markdown(f"A **{one.label}**, drawn {one.created:%d %b %Y %H:%M} UTC")
        st.session_state[f"label-{one.id}"] = one.label
        st.pills(
            "It is a …",
            range(10),
            key=f"label-{one.id}",
            on_change=relabel,
            args=[one.id],
            wrap=True,
        )
        st.session_state[f"pin-{one.id}"] = one.pinned
        st.toggle(
            "Pin it",
            key=f"pin-{one.id}",
            on_change=pin,
            args=[one.id],
            help="While a run trains, the Train page shows what it makes of pinned drawings.",
        )
        if st.button("Delete", icon=":material/delete:"):
            delete(one)
    with right:
        said(one, p, model)


def said(one: Drawing, p: np.ndarray | None, model: Run | None) -> None:
    """The ten probabilities, (10,), and how they came about through the run's epochs."""
    if p is not None:
        bars(p, one.label, key="drawing-probabilities", height=200)
    if model and len(epochs := [0, *model.saved_epochs()]) > 1:
        try:
            with st.spinner("Asking the network of every epoch …"):
                through = probabilities_at_epochs(model, epochs, one.image[None])[:, 0]
        except (ValueError, LookupError, OSError) as error:
            st.caption(str(error))
        else:
            drawing_over_epochs(one, epochs, through, key="drawing-path")


def take_in() -> None:
    """Add the drawings of a file that somebody has, all of them or none."""
    with st.form("import", clear_on_submit=True, border=False):
        file = st.file_uploader("A file of pen digits, .json or .json.gz", max_upload_size=16)
        sent = st.form_submit_button("Import", icon=":material/upload:")
    if not sent or file is None:
        return
    try:
        digits = [one for one in pen_digits.parse_pen_digits(file.name, file) if not one.suspect]
        if len(digits) > MOST:
            raise ValueError(f"{file.name} holds {len(digits):,} digits; import {MOST:,} at most.")
        bar, added = st.progress(0.0, "Drawing them …"), 0
        for number, one in enumerate(collection.add_new(digits, collection.all()), 1):
            added += one is not None
            if number % 20 == 0:
                bar.progress(number / len(digits), f"{number:,} of {len(digits):,}")
    except (ValueError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        return
    again = len(digits) - added
    st.session_state["imported"] = f"{added:,} drawing{'s' * (added != 1)} added" + (
        f"; {again:,} were here already." if again else "."
    )
    st.rerun()


st.title("Drawings", anchor=False)
if "imported" in st.session_state:
    st.success(st.session_state.pop("imported"), icon=":material/check_circle:")
kept, problems = collection.read_all()
if problems:
    st.error("  \n".join(problems[:5]), icon=":material/broken_image:")
    if st.button(f"Delete what cannot be read ({len(problems)})", icon=":material/delete:"):
        sound = {one.id for one in kept}
        delete_damaged([id for id in collection.ids() if id not in sound])

if not kept:
    st.info("Nobody has kept a drawing yet. Draw a digit, say what it was, and it is here.")
    st.page_link("pages/draw.py", label="Draw a digit", icon=":material/draw:")
    st.subheader("Import", anchor=False)
    take_in()
    st.stop()

model = choose_model("Who reads them")

y = np.array([one.label for one in kept])
probabilities: np.ndarray | None = None
try:
    probabilities = predict_drawings(ModelRef(model), kept)
except (ValueError, LookupError, OSError) as error:
    st.error(str(error), icon=":material/error:")
right = np.zeros(len(y), bool) if probabilities is None else probabilities.argmax(axis=1) == y

with st.container(horizontal=True, gap="large"):
    st.metric("Drawings", f"{len(kept):,}", width="content")
    if model:
        score_metric(model)
    elif probabilities is not None:
        accuracy_metric("Read rightly", int(right.sum()), len(right))
places = [n for n, one in enumerate(kept) if one.id == st.session_state.get("drawing-id")]
if places:
    [n] = places
    closer(kept[n], None if probabilities is None else probabilities[n], model)
else:
    shown = st.segmented_control(
        "Show", SHOWN, default=SHOWN[0], required=True, key="drawn", bind="query-params"
    )
    chosen = np.flatnonzero(
        {
            "All": np.ones(len(y), bool),
            "Misread": ~right,
            "Pinned": np.array([one.pinned for one in kept]),
        }[shown]
    )
    pages = max(1, -(-len(chosen) // PER_PAGE))
    page = st.pagination(pages, key="drawings-page") if pages > 1 else 1
    chosen = chosen[PER_PAGE * (page - 1) : PER_PAGE * page]
    captions, names = [], []
    for index in chosen:
        pinned = " 📌" * kept[index].pinned
        says = "" if probabilities is None else f" → {probabilities[index].argmax()}"
        captions.append(f"{y[index]}{says if not right[index] else ' ✓'}{pinned}")
        names.append(f"A drawn {y[index]}{says}")
    if len(chosen):
        images, _ = collection.images([kept[index] for index in chosen])
        ids = [kept[index].id for index in chosen]
        gallery(
            images,
            captions,
            key="drawings-gallery",
            names=names,
            size=48,
            on_click=lambda place: select(ids[place]),
        )
        st.caption("Click a drawing to see it large, put its label right, pin or delete it.")
    else:
        st.info("No drawing is like that.", icon=":material/search_off:")

st.subheader("Teach it", anchor=False)
st.markdown(
    "Let a network learn a part of the drawings, and see on the others what that was worth – and "
    "on the test images what it forgot."
)
if runs := done_runs():
    finetune_controls(runs, kept, model)
else:
    st.info("No run has finished yet, so there is no network to teach.")
    st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")

st.subheader("Take them along", anchor=False)
st.download_button(
    f"Export {len(kept):,} drawing{'s' * (len(kept) != 1)}",
    collection.export(kept),
    "drawings.json",
    "application/json",
    icon=":material/download:",
    on_click="ignore",
)
take_in()
