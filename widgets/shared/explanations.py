"""Explanations of a prediction: the pixels that decided, and the most similar training images."""

from collections.abc import Callable, Iterator

import numpy as np
import streamlit as st

from digits.store.models import ModelRef, results_folder
from widgets.shared.background_job import start_job
from widgets.shared.gallery import gallery
from widgets.shared.session import engine

EMBEDDINGS_REASON = "Computing the embeddings of all training images; this takes some seconds …"


LEGEND = "Orange ink speaks for the digit, blue ink against it."
SUMS = (
    "The figure under a picture is the sum: by how much the digit's logit, its output before the "
    "softmax, differs from that of an empty sheet (integrated gradients)."
)


def saliency_maps(
    model: ModelRef, image: np.ndarray, digits: tuple[int, int], *, width: int
) -> None:
    """The evidence for each of two digits, side by side, each ``width`` screen pixels or less.

    ``image`` is (28, 28) uint8. Raises as ``Engine.saliency`` does.
    """
    with st.spinner("Computing which pixels decided …"):
        maps = _saliency(model, image, digits)
    with st.container(horizontal=True, gap="small", width=2 * width + 16):
        for picture, caption, alt in _pictures(image, digits, maps):
            with st.container():  # both of the same width, whatever their captions
                st.image(picture, caption, "stretch", alt=alt)
    st.caption(f"{LEGEND} {SUMS}")


def evidence(model: ModelRef, image: np.ndarray, digits: tuple[int, int]) -> Callable[[], None]:
    """The image, with places beside it for the evidence for two digits; returns what fills them.

    ``image`` is (28, 28) uint8. What fills them raises as ``Engine.saliency`` does: call it when
    all else is drawn, for it may wait for the engine, and nothing moves when it comes.
    """
    row = st.grid(3, min_column_width=60, gap="xsmall")
    gray = image.repeat(10, axis=0).repeat(10, axis=1)
    row.image(gray, "the image", "stretch", alt="The digit, white on black")
    places = [row.cell() for _ in digits]
    legend, is_warm = st.empty(), st.session_state.get("saliency-is-warm", False)
    legend.caption(LEGEND if is_warm else "Computing which pixels decided …", help=SUMS)

    def fill() -> None:
        pictures = _pictures(image, digits, _saliency(model, image, digits))
        if not is_warm:  # the first may wait for the engine to start
            st.session_state["saliency-is-warm"] = True
            legend.caption(LEGEND, help=SUMS)
        for place, (picture, caption, alt) in zip(places, pictures, strict=True):
            place.image(picture, caption, "stretch", alt=alt)

    return fill


def _pictures(
    image: np.ndarray, digits: tuple[int, int], maps: np.ndarray
) -> Iterator[tuple[np.ndarray, str, str]]:
    """For each digit the colored picture, its caption, and its alternative text."""
    scale = float(np.abs(maps).max()) or 1.0
    for digit, pixels in zip(digits, maps, strict=True):
        picture = _color(image / 255, pixels / scale).repeat(10, axis=0).repeat(10, axis=1)
        alt = f"Pixels that speak for {digit} in orange, against it in blue"
        yield picture, f"for {digit}: {pixels.sum():+.1f}", alt


@st.cache_data(max_entries=500, show_spinner=False)
def _saliency(model: ModelRef, image: np.ndarray, digits: tuple[int, int]) -> np.ndarray:
    return engine().saliency(model, image, list(digits))


def _color(ink: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Ink from 0 to 1 in gray, with shares from −1 to 1 as color: one (28, 28, 3) picture."""
    strength = np.abs(share[..., None]) ** 0.5  # small shares show too
    color = np.where(share[..., None] > 0, (255, 140, 0), (60, 140, 255))
    mixed = ink[..., None] * 115 * (1 - strength) + color * strength
    return mixed.round().astype(np.uint8)


def nearest_neighbors(
    model: ModelRef, image: np.ndarray, *, size: int, only: int | None = None
) -> None:
    """Twelve training images, the nearest first, ``size`` screen pixels wide; at first, a wait.

    ``image`` is (28, 28) uint8. ``only`` so many are packed close, without caption. Raises as
    ``Engine.nearest_neighbors`` does.
    """
    results = results_folder(model)
    if not results.has_embeddings:
        start_job(results, "embeddings", EMBEDDINGS_REASON)
        return
    images, labels, distances = _nearest(model, results.id, image)
    neighbors = list(zip(labels, distances, strict=True))[:only]
    gallery(
        images[:only],
        [f"{label}" if only else f"{label}\n{distance:.2f}" for label, distance in neighbors],
        names=[f"A training {label}, {distance:.2f} away" for label, distance in neighbors],
        key="neighbors",
        size=size,
        height="auto" if only else None,
    )
    if not only:
        st.caption("Nearest first, with the label and the distance between embeddings.")


@st.cache_data(max_entries=200, show_spinner=False)
def _nearest(model: ModelRef, results: str, image: np.ndarray) -> tuple[np.ndarray, ...]:
    return engine().nearest_neighbors(model, image)
