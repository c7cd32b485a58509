"""Validation digits of a run, or a drawing, and what the network takes them for just now."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from digits.store.run_folder import SAMPLE_PROBABILITIES, Run
from digits.store.status import Status
from widgets.shared.gallery import gallery

OWN = "Your own"
SHOWN = "train-digits"  # the choice between the two


def digits(run: Run, status: Status, feed: str | None) -> None:
    """Validation digits or the visitor's own drawing.

    ``feed`` is the address of what ``fresh_sample`` gives, while the run goes on.
    """
    st.segmented_control(
        "Digits",
        ["Validation", OWN],
        default="Validation",
        required=True,
        key=SHOWN,
        label_visibility="collapsed",
    )
    if shows_own():
        from widgets.train.watched import watched_drawing  # with the canvas, which few need here

        watched_drawing(run, status)
    elif sample := _sample(run, run.file_stamps(SAMPLE_PROBABILITIES)):
        gallery(
            sample.images,
            sample.captions,
            key="train-sample",
            names=sample.names,
            size=56,
            height="auto",
            columns=5,
            feed=(feed, "sample") if feed else None,
        )
    else:
        st.caption("Twenty validation digits appear here, with what the network takes them for")


def shows_own() -> bool:
    """Whether this visitor has chosen to draw."""
    return st.session_state.get(SHOWN) == OWN


def fresh_sample(run: Run) -> dict[str, Any] | None:
    """What the gallery says of each digit."""
    sample = _sample(run, run.file_stamps(SAMPLE_PROBABILITIES))
    return {"captions": sample.captions, "names": sample.names} if sample else None


@dataclass(frozen=True)
class _Sample:
    """Validation digits, (n, 28, 28) uint8, with the latest predictions in words."""

    images: np.ndarray
    captions: list[str]
    names: list[str]


@lru_cache(maxsize=32)
def _sample(run: Run, changed: tuple[int, ...]) -> _Sample | None:
    """The validation digits as all visitors see them until ``changed`` changes."""
    sample = run.validation_sample()
    if sample is None:
        return None
    x, y, probabilities = sample
    y_pred = probabilities.argmax(axis=1)
    captions = [
        f"{predicted} {'✓' if predicted == label else '✗'}"
        for predicted, label in zip(y_pred, y, strict=True)
    ]
    shares = probabilities.max(axis=1).astype(float)
    names = [
        f"A {label}, predicted as {predicted} ({share:.0%})"
        for label, predicted, share in zip(y, y_pred, shares, strict=True)
    ]
    return _Sample(x, captions, names)
