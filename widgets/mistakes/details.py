"""A closer look at one digit: large, with all that the network says of it, and why."""

import numpy as np
import streamlit as st

from digits.evaluation.forgetting import learning_events
from digits.evaluation.metrics import rank
from digits.evaluation.predictions import Predictions
from digits.store.models import FINAL, ModelRef
from digits.store.runs import Run
from widgets.shared.format import counted
from widgets.shared.montage import montage
from widgets.shared.neighbors import nearest_neighbors
from widgets.shared.probabilities import bars, over_epochs
from widgets.shared.saliency import saliency_maps


def details(tested: Predictions, index: int, run: Run) -> None:
    """Show one of the images, its ten probabilities, and what led the run's network to them."""
    label, p = int(tested.y[index]), tested.probabilities[index].astype(np.float64)
    predicted = int(p.argmax())
    picture, words = st.columns([2, 3], gap="medium")
    with picture:
        image = montage(tested.x[index][None, None], 9)
        st.image(image, alt=f"A handwritten {label}", output_format="PNG")
    with words:
        read = f"and read as :green[**{label}**]"
        if predicted != label:
            read = f"but read as :red[**{predicted}**]"
        st.markdown(f"Labelled :green[**{label}**], {read}.")
        _dispute(tested, index)
        loss = rank(np.array([label]), p[None], "loss")[0]
        st.markdown(
            f"Confidence **{p[predicted]:.2%}** · probability of the label **{p[label]:.2%}** · "
            f"loss **{loss:.3f}** nats"
        )
    bars(p, label, key="closer")
    other = predicted if predicted != label else int(np.argsort(p)[-2])
    try:
        st.markdown("**Which pixels decided**")
        final = tested.epoch in (FINAL, run.final_epoch())
        model = ModelRef(run, FINAL if final else tested.epoch)
        saliency_maps(model, tested.x[index], (label, other), width=140)
        if tested.name == "Test image":
            _history(run, index, label, tested.epoch)
        st.markdown("**Most alike among the training digits**, to the final model")
        nearest_neighbors(ModelRef(run), tested.x[index], size=44)
    except TimeoutError:
        st.error("The worker did not answer in time. Choose the digit again to ask it again.")
    except (LookupError, OSError) as error:
        st.error(str(error), icon=":material/error:")


def _dispute(tested: Predictions, index: int) -> None:
    """What five people said of the label, where most of them did not confirm it."""
    if not (entry := tested.disputed.get(index)):
        return
    said = {
        "corrected": f"most of five people read it as {entry.suggested}",
        "split": f"five people were split between {entry.given} and {entry.suggested}",
        "neither": f"most of five people saw neither {entry.given} nor {entry.suggested}",
    }
    source = "https://labelerrors.com"
    st.badge("Disputed label", icon=":material/gavel:", color="orange")
    st.caption(f"{said[entry.verdict].capitalize()} ([Northcutt et al. 2021]({source})).")


def _history(run: Run, index: int, label: int, epoch: int) -> None:
    """Its ten probabilities after every epoch."""
    epochs = run.evaluated_epochs()
    if len(epochs) < 2:
        return
    p = run.probabilities_over_epochs(index).astype(np.float64)  # (epochs, 10)
    right = p.argmax(axis=1) == label
    st.markdown(f"**Through the epochs**: {_fate(right, epochs)}")
    alt = f"Probabilities after each of {len(epochs)} epochs; read rightly after {right.sum()}."
    over_epochs(epochs, p, label, key="digit-history", alt=alt, chosen=epoch)


def _fate(right: np.ndarray, epochs: list[int]) -> str:
    """When it was learned, and how often forgotten, from (epochs,) bool."""
    past = learning_events(np.ones(1), right[:, None])
    if past.never[0]:
        return "never read rightly."
    learned = f"learned for good in epoch {epochs[past.learned[0] - 1]}"
    times = counted(int(past.forgotten[0]), "time")
    return f"{learned if past.learned[0] else 'lost in the end'}, forgotten {times}."
