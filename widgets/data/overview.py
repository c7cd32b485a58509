"""What a data set holds: its splits, how often each digit occurs, and what the digits look like."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from digits.data import datasets
from digits.data.datasets import DATASETS
from widgets.shared.plot import plot

SAMPLES = 12  # of each digit
SPLITS = {
    "Training": "The network learns from these.",
    "Validation": "These decide between hyperparameters and when to stop.",
    "Test": "These only measure the final accuracy.",
}


@dataclass(frozen=True)
class Overview:
    """Images of each digit in each split, (10,) each; samples as one image, uint8; the note."""

    counts: dict[str, np.ndarray]
    samples: np.ndarray
    note: str


@st.cache_data(max_entries=3, show_spinner="Reading the digits …")
def overview(name: str) -> Overview:
    """What the page shows of a data set. Raises as ``datasets.load`` does."""
    digits = datasets.load(name)  # 47 MB of MNIST, gone when this returns
    labels = (digits.y_train, digits.y_val, digits.y_test)
    counts = [np.bincount(y, minlength=10) for y in labels]
    rows = [digits.x_train[digits.y_train == digit][:SAMPLES] for digit in range(10)]
    samples = np.pad(np.stack(rows), ((0, 0), (0, 0), (1, 1), (1, 1)))  # (10, 12, 30, 30)
    montage = samples.swapaxes(1, 2).reshape(300, 30 * SAMPLES)
    return Overview(dict(zip(SPLITS, counts, strict=True)), montage, digits.note)


def splits(shown: Overview) -> None:
    """The size of each split."""
    with st.container(horizontal=True):
        for split, counts in shown.counts.items():
            st.metric(f"{split} images", f"{counts.sum():,}", help=SPLITS[split], border=True)


def digit_counts(shown: Overview) -> None:
    """A bar for each digit, one part for each split."""
    digits = [str(digit) for digit in range(10)]
    totals = np.sum(list(shown.counts.values()), axis=0)
    plot(
        [
            {"type": "bar", "name": split, "x": digits, "y": counts}
            for split, counts in shown.counts.items()
        ],
        {
            "barmode": "stack",
            "xaxis": {"type": "category", "title": {"text": "Digit"}},
            "yaxis": {"tickformat": ","},
            "legend": {"traceorder": "normal"},
        },
        key="data-counts",
        height="max(380px, 42vw - 170px)",  # beside the samples, which widen with the window
        alt=f"Images of each digit: {', '.join(f'{totals[d]:,} of {d}' for d in range(10))}",
    )


def samples(name: str, shown: Overview) -> None:
    """Training images of each digit, and who made them."""
    height, width = shown.samples.shape
    st.image(
        Image.fromarray(shown.samples).resize((3 * width, 3 * height), Image.Resampling.NEAREST),
        width="stretch",
        alt=f"{SAMPLES} training images of each digit, a row for each from 0 to 9",
    )
    info = DATASETS[name]
    st.caption(f"28×28 pixels each, white ink on black. {info.title}: {info.creators}.")
