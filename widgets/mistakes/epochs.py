"""The epoch slider, and a run's predictions and test metrics after the chosen epoch."""

import time

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from digits.data import datasets
from digits.data.datasets import DATASETS, Split
from digits.evaluation.label_errors import disputed_labels
from digits.evaluation.metrics import rank, wilson_interval
from digits.evaluation.predictions import Predictions
from digits.store.models import FINAL
from digits.store.runs import Run
from digits.store.thinning import thinned
from widgets.shared.background_job import offer_job
from widgets.shared.format import interval
from widgets.shared.link import check
from widgets.shared.session import fork_from
from widgets.shared.ticker import run_again

SECONDS_PER_EPOCH = 0.8  # of playback
PLAYING, STEPPED_AT = "mistakes-playing", "mistakes-stepped-at"


def play_on() -> None:
    """Rerun the fragment for the next epoch while playback is on; call it at the fragment's end."""
    if st.session_state.get(PLAYING):
        run_again(SECONDS_PER_EPOCH, key="mistakes-ticker")


def choose_epoch(run: Run, toolbar: DeltaGenerator) -> int:
    """The epoch on the slider in the toolbar, counted from 1, or ``FINAL``.

    Call it in a fragment that ends with ``play_on``.
    """
    evaluated, final_epoch = run.evaluated_epochs(), run.final_epoch()
    if set(run.saved_epochs()) - set(evaluated):
        offer_job(
            run,
            "epochs",
            "Evaluate every epoch",
            "Some epochs have saved weights, but no predictions on the test images yet.",
        )
    elif not evaluated and len(run.epoch_metrics()["epoch"]) > 1:
        st.caption("No per-epoch checkpoints; showing the final model.")
    epochs = evaluated if final_epoch != FINAL else [*evaluated, FINAL]
    if len(epochs) < 2:
        return FINAL
    state = st.session_state
    check("epoch", epochs.__contains__, f"{epochs[0]} – {evaluated[-1]}", words=("final",))
    if state.get("epoch", final_epoch) not in epochs:  # another run's
        state["epoch"] = final_epoch
    elif "epoch" not in st.query_params:
        state.setdefault("epoch", final_epoch)
    if state.get(PLAYING) and time.monotonic() - state[STEPPED_AT] > 0.9 * SECONDS_PER_EPOCH:
        _step(epochs)
    label, icon = ("Pause", "pause") if state.get(PLAYING) else ("Play", "play_arrow")
    icon = f":material/{icon}:"
    toolbar.button(label, icon=icon, key="mistakes-play", on_click=_play, args=[epochs], width=85)
    toolbar.caption("Epoch", width="content", help=thinned(run) or None)
    return toolbar.select_slider(
        "Epoch",
        epochs,
        key="epoch",
        bind="query-params",
        format_func=lambda epoch: "final" if epoch == FINAL else f"{epoch}",
        label_visibility="collapsed",
        width="stretch",
    )


def offer_fork(run: Run, epoch: int) -> None:
    """A button that goes on training after this epoch, with other settings."""
    there = epoch != FINAL and epoch in run.saved_epochs()
    help = f"Fork: train on after epoch {epoch}, with other settings"
    if st.button(
        "Fork",
        icon=":material/call_split:",
        key="mistakes-fork",
        help=help if there else "The weights of this epoch are not kept.",
        disabled=not there,
    ):
        fork_from(run, epoch)


def test_predictions(run: Run, epoch: int, x: np.ndarray, y: np.ndarray) -> Predictions:
    """The run's predictions on the test images ``x`` with labels ``y``.

    Raises ``ValueError`` when they are missing, damaged, or of another test set.
    """
    is_final = epoch == run.final_epoch()
    probabilities = run.test_probabilities(FINAL if is_final else epoch)
    if len(probabilities) != len(y):
        raise ValueError(
            f"This run was tested on {len(probabilities):,} images, but the test set has "
            f"{len(y):,}. Train it again to see its mistakes."
        )
    disputed = disputed_labels(DATASETS[run.recipe.dataset].test_images, y)
    return Predictions("Test image", x, y, probabilities, epoch, disputed)


def val_predictions(run: Run, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) uint8 of the validation images, and probabilities (n, 10) float16 for them.

    Raises ``ValueError`` when the images or the probabilities are missing or do not match.
    """
    if epoch == FINAL:
        epoch = run.final_epoch()
    if epoch == FINAL:
        raise ValueError(
            "It is unknown which epoch became the final model, so its predictions on the "
            "validation images are unknown too."
        )
    y = _val_labels(run.recipe.dataset, run.recipe.split)
    probabilities = run.val_probabilities(epoch)
    if probabilities.shape != (len(y), 10):
        raise ValueError(
            f"This run was validated on {len(probabilities):,} images, but the validation set has "
            f"{len(y):,}: the data set has changed. Train it again."
        )
    return y, probabilities


def overall_metrics(predictions: Predictions) -> None:
    """Test accuracy with its interval, mistakes and loss in one line."""
    correct, total = int(predictions.correct.sum()), len(predictions.y)
    low, high = wilson_interval(correct, total)
    loss = rank(predictions.y, predictions.probabilities, "loss").mean()
    note = "Accuracy on the test images with its 95% interval; loss is the cross-entropy in nats."
    if predictions.disputed:
        undisputed = np.delete(predictions.correct, list(predictions.disputed))
        note += f" Without {len(predictions.disputed)} disputed labels: {undisputed.mean():.2%} "
        note += f"({interval(int(undisputed.sum()), len(undisputed))})."
    with st.container(key="mistakes-figures", width=410):
        st.markdown(
            f"**{correct / total:.2%}** :gray[{low:.2%} – {high:.2%}] · **{total - correct:,}** of "
            f"{total:,} wrong · loss **{loss:.4f}**",
            help=note,
        )


@st.cache_resource(max_entries=2, show_spinner=False)
def val_images(dataset: str, split: Split) -> np.ndarray:
    """Validation images (n, 28, 28) uint8, loaded once for all visitors. Raises ``ValueError``."""
    return _load_val(dataset, split)[0]


@st.cache_resource(max_entries=50, show_spinner=False)
def _val_labels(dataset: str, split: Split) -> np.ndarray:
    """Cached apart from the images, which take 784 times the memory."""
    return _load_val(dataset, split)[1]


def _load_val(dataset: str, split: Split) -> tuple[np.ndarray, np.ndarray]:
    try:
        return datasets.load_val(dataset, split)
    except FileNotFoundError as error:
        raise ValueError(str(error)) from error


def _play(epochs: list[int]) -> None:
    """Start playback, from the first epoch when it is at the last, or pause it."""
    state = st.session_state
    state[PLAYING], state[STEPPED_AT] = not state.get(PLAYING), time.monotonic()
    if state[PLAYING] and state["epoch"] == epochs[-1]:
        state["epoch"] = epochs[0]


def _step(epochs: list[int]) -> None:
    state = st.session_state
    index = epochs.index(state["epoch"]) + 1
    state["epoch"], state[STEPPED_AT] = epochs[min(index, len(epochs) - 1)], time.monotonic()
    if index >= len(epochs) - 1:
        state[PLAYING] = False
