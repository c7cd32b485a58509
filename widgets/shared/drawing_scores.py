"""How well runs read people's drawings: a second test set, which grows."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from digits.ink import collection
from digits.store import finetuning, runs
from digits.store.models import ModelRef
from digits.store.run_folder import MODEL, Run
from digits.store.status import DONE
from widgets.shared.format import interval
from widgets.shared.session import engine


def score(one: Run) -> tuple[int, int] | None:
    """How many drawings a run reads rightly, of how many; ``None`` while there are none.

    Drawings that its network was taught do not count. Raises as ``Engine.predict`` does.
    """
    if not collection.ids():
        return None
    return _score(one.id, one.file_stamps(MODEL), collection.fingerprint())


def score_in_words(right: int, total: int) -> str:
    """The share, of how many, and its 95 % interval."""
    plural = "s" * (total != 1)
    return f"**{right / total:.1%}** on {total:,} drawing{plural} ({interval(right, total)})"


def predict_drawings(model: ModelRef, kept: list[collection.Drawing]) -> np.ndarray:
    """Probabilities (n, 10) float32 of drawings by a run's id or "shipped"; raises as above."""
    return _read(model, tuple(one.id for one in kept), collection.fingerprint())


def score_metric(one: Run) -> None:
    """The score beside a run's other figures; nothing while there are no drawings."""
    try:
        found = score(one)
    except (ValueError, LookupError, OSError) as error:
        st.caption(f"People's drawings: {error}")
        return
    if found:
        accuracy_metric("People's drawings", *found)


def accuracy_metric(name: str, right: int, total: int) -> None:
    """How many of the drawings, as a figure with its 95 % interval."""
    st.metric(
        f"{name} ({total:,})",
        f"{right / total:.1%}",
        interval(right, total),
        delta_color="off",
        delta_arrow="off",
        width="content",
    )


def score_line(one: Run, slot: DeltaGenerator) -> None:
    """The same in one line where ``slot`` is; nothing for a run without a result."""
    try:
        if one.status.state in DONE and (found := score(one)):
            slot.markdown(score_in_words(*found))
    except (ValueError, LookupError, OSError) as error:
        slot.caption(f"Drawings: {error}")


@st.cache_data(max_entries=5_000, show_spinner=False)
def _score(id: str, changed: tuple[int, ...], state: str) -> tuple[int, int] | None:
    new = finetuning.unseen(runs.open(id), collection.all())
    if not new:
        return None
    x, y = collection.images(new)
    return int((engine().predict(ModelRef(runs.open(id)), x).argmax(axis=1) == y).sum()), len(y)


@st.cache_data(max_entries=50, show_spinner=False)
def _read(model: ModelRef, ids: tuple[str, ...], state: str) -> np.ndarray:
    x, _ = collection.images([collection.open(id) for id in ids])
    return engine().predict(model, x)
