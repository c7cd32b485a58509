"""The validation images of a run, and what the network that is shown says of them."""

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.store.models import FINAL
from digits.store.runs import Run


def validation(run: Run, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) uint8, and the probabilities (n, 10) float16 after an epoch, from 1.

    ``FINAL`` is the final model. Raises ``ValueError``, with one sentence, where the
    probabilities or the images are missing.
    """
    epoch = run.final_epoch() if epoch == FINAL else epoch
    if epoch == FINAL:
        raise ValueError(
            "It is not known which epoch's network became the final model, so what it says of the "
            "validation images is not known either."
        )
    y = validation_labels(run.recipe.dataset, run.recipe.seed)
    probabilities = run.val_probabilities(epoch)
    if probabilities.shape != (len(y), 10):
        raise ValueError(
            f"This run was validated on {len(probabilities):,} images, but here are {len(y):,}: "
            "its data set has changed. Train it again."
        )
    return y, probabilities


@st.cache_resource(max_entries=50, show_spinner=False)
def validation_labels(name: str, seed: int) -> np.ndarray:
    """Labels (n,) uint8 alone, once for all visitors: the images are a thousand times as large."""
    return _load(name, seed)[1]


@st.cache_resource(max_entries=2, show_spinner=False)
def validation_images(name: str, seed: int) -> np.ndarray:
    """Images (n, 28, 28) uint8, once for all visitors."""
    return _load(name, seed)[0]


def _load(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        return datasets.load_val(name, seed=seed)
    except FileNotFoundError as error:
        raise ValueError(str(error)) from error
