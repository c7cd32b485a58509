"""What models predict for people's drawings: accuracy of a run, and single ones over its epochs."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from digits.ink import collection
from digits.ink.collection import Drawing
from digits.store import finetuning, runs, watched
from digits.store.models import ModelRef
from digits.store.run_folder import MODEL, Run, weights_file
from digits.store.status import DONE, UNFINISHED, Status
from widgets.shared.format import as_text, interval
from widgets.shared.probabilities import over_epochs
from widgets.shared.session import engine

MAX_PINNED = 6  # pinned drawings that are shown


def predict_drawings(model: ModelRef, drawings: list[Drawing]) -> np.ndarray:
    """Probabilities (n, 10) float32 of drawings. Raises as ``Engine.predict`` does."""
    ids = tuple(drawing.id for drawing in drawings)
    return _predict_drawings(model, ids, collection.fingerprint())


@st.cache_data(max_entries=50, show_spinner=False)
def _predict_drawings(model: ModelRef, ids: tuple[str, ...], fingerprint: str) -> np.ndarray:
    x, _ = collection.images([collection.open(id) for id in ids])
    return engine().predict(model, x)


def score_metric(run: Run) -> None:
    """A run's accuracy on drawings, as a figure; nothing while there are no drawings."""
    try:
        correct_of = score(run)
    except (ValueError, LookupError, OSError) as error:
        st.caption(f"Accuracy on drawings: {as_text(error)}")
        return
    if correct_of:
        accuracy_metric(*correct_of)


def accuracy_metric(correct: int, total: int) -> None:
    """The accuracy on a number of drawings, as a figure with its 95 % interval."""
    st.metric(
        f"Accuracy on drawings ({total:,})",
        f"{correct / total:.1%}",
        interval(correct, total),
        delta_color="off",
        delta_arrow="off",
        width="content",
    )


def score_line(run: Run, slot: DeltaGenerator) -> None:
    """A run's accuracy on drawings, as a line in ``slot``; nothing for a run without a result."""
    try:
        if run.status.state in DONE and (correct_of := score(run)):
            correct, total = correct_of
            drawings = f"{total:,} drawing{'s' * (total != 1)}"
            name = as_text(runs.summary(run).label)
            share, bounds = f"{correct / total:.1%}", interval(correct, total)
            slot.markdown(f"{name}: **{share}** on {drawings} ({bounds})")
    except (ValueError, LookupError, OSError) as error:
        slot.caption(f"Accuracy on drawings: {as_text(error)}")


def score(run: Run) -> tuple[int, int] | None:
    """How many drawings a run's model classifies correctly, and of how many.

    Those that it was trained on do not count; ``None`` while there are no others. Raises as
    ``Engine.predict`` does.
    """
    if not collection.ids():
        return None
    return _score_cached(run.id, run.file_stamps(MODEL), collection.fingerprint())


@st.cache_data(max_entries=5_000, show_spinner=False)
def _score_cached(id: str, changed: tuple[int, ...], fingerprint: str) -> tuple[int, int] | None:
    run = runs.open(id)
    unseen = finetuning.unseen(run, collection.all())
    if not unseen:
        return None
    x, y = collection.images(unseen)
    return int((engine().predict(ModelRef(run), x).argmax(axis=1) == y).sum()), len(y)


def probabilities_at_epochs(run: Run, epochs: list[int], x: np.ndarray) -> np.ndarray:
    """Probabilities (epochs, n, 10) after these epochs, in order, each computed once.

    Epoch 0 is before the first. ``x`` is (n, 28, 28) uint8. Raises as
    ``Engine.predict_at_epochs`` does.
    """
    cache = _epoch_cache(run.id, x.tobytes())
    # A run that resumes from a checkpoint writes the weights of an epoch again.
    stamps = {epoch: run.file_stamps(weights_file(epoch)) for epoch in sorted(epochs)}
    if missing := [epoch for epoch in stamps if cache.get(epoch, (None,))[0] != stamps[epoch]]:
        for epoch, p in zip(missing, engine().predict_at_epochs(run, missing, x), strict=True):
            cache[epoch] = stamps[epoch], p
    return np.array([cache[epoch][1] for epoch in stamps]).reshape(-1, len(x), 10)


@st.cache_resource(max_entries=100, show_spinner=False)
def _epoch_cache(id: str, pixels: bytes) -> dict[int, tuple[tuple[int, ...], np.ndarray]]:
    return {}


def pinned_drawings(run: Run, status: Status) -> None:
    """The predictions for every pinned drawing over the run's epochs, and while it trains now."""
    if not (pinned := [drawing for drawing in collection.all() if drawing.pinned]):
        return
    saved, shown = [0, *run.saved_epochs()], pinned[:MAX_PINNED]
    epochs: list[float] = [*saved]
    trains = status.state in UNFINISHED and status.steps > 0
    if len(saved) == 1 and not trains:
        return
    x, _ = collection.images(shown)
    try:
        probabilities = probabilities_at_epochs(run, saved, x)
        if trains:
            now = round(status.step * status.epochs / status.steps, 1)
            latest = [p for p in watched.follow(run, x) if p is not None]
            if now > epochs[-1] and len(latest) == len(x):
                epochs.append(now)
                probabilities = np.concatenate([probabilities, [latest]])
        if len(epochs) == 1:
            return
    except (ValueError, LookupError, OSError) as error:
        st.caption(f"Pinned drawings: {as_text(error)}")
        return
    st.markdown("**Pinned drawings over the epochs**")
    for first in range(0, len(shown), 3):
        columns = st.columns(3, gap="medium")
        for index, column in zip(range(first, len(shown)), columns, strict=False):
            with column:
                p = probabilities[:, index]
                drawing_over_epochs(shown[index], epochs, p, key=f"pinned-{index}")
    if len(pinned) > MAX_PINNED:
        st.caption(f"The newest {MAX_PINNED} of {len(pinned)} are shown.")


def drawing_over_epochs(
    drawing: Drawing, epochs: Sequence[float], p: np.ndarray, *, key: str
) -> None:
    """The ten probabilities of a drawing, (epochs, 10), as a heat map with its label framed."""
    predicted, share = int(p[-1].argmax()), p[-1].max()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(drawing.image, width=48, alt=f"A drawn {drawing.label}")
        st.caption(
            f"A {drawing.label}, predicted as {predicted} ({share:.1%}) after epoch {epochs[-1]:g}"
        )
    alt = f"Probabilities of a drawn {drawing.label} after each epoch; at last {predicted}."
    over_epochs(epochs, p, drawing.label, key=key, alt=alt)
