"""A closer look at one digit: large, with all that the network says of it, and why."""

import numpy as np
import streamlit as st

from digits.history import history
from digits.metrics import rank
from digits.pictures import sheet
from digits.run import Run
from digits.tested import Tested
from widgets.gallery import gallery
from widgets.probabilities import bars, through
from widgets.session import engine
from widgets.words import counted


def closer_look(tested: Tested, index: int, run: Run) -> None:
    """Show one of the images, its ten probabilities, and what led the run's network to them."""
    label, p = int(tested.y[index]), tested.probabilities[index].astype(np.float64)
    predicted = int(p.argmax())
    picture, words = st.columns([2, 3], gap="medium")
    with picture:
        image = sheet(tested.x[index][None, None], 9)
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
        _saliency(tested.x[index], label, other, run, tested.epoch)
        if tested.name == "Test image":
            _history(run, index, label, tested.epoch)
        _neighbours(tested.x[index], run)
    except TimeoutError:
        st.error("The worker did not answer in time. Choose the digit again to ask it again.")
    except (LookupError, OSError) as error:
        st.error(str(error), icon=":material/error:")


def _dispute(tested: Tested, index: int) -> None:
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


def _saliency(image: np.ndarray, label: int, other: int, run: Run, epoch: int) -> None:
    """Which pixels speak for the label and which for another digit, side by side."""
    with st.spinner("Asking the network which pixels decided …"):
        of = 0 if epoch == run.kept_epoch() else epoch
        both = _speaks(run.id, of, image.tobytes(), (label, other))
    st.markdown("**Which pixels decided**")
    most = float(np.abs(both).max()) or 1.0
    with st.container(horizontal=True, gap="medium"):
        for digit, pixels in zip((label, other), both, strict=True):
            alt = f"Pixels that speak for {digit} in orange, against it in blue"
            picture = _coloured(image, pixels / most).repeat(5, axis=0).repeat(5, axis=1)
            st.image(picture, f"for {digit}: {pixels.sum():+.1f}", 140, alt=alt)
    st.caption(
        "Orange ink speaks for the digit, blue against it; together they come to the figure "
        "below, the change of its logit from an empty sheet (integrated gradients)."
    )


@st.cache_data(max_entries=500, show_spinner=False)
def _speaks(id: str, epoch: int, pixels: bytes, digits: tuple[int, ...]) -> np.ndarray:
    image = np.frombuffer(pixels, np.uint8).reshape(28, 28)
    return engine().saliency(id, epoch or None, image, list(digits))


def _coloured(image: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The digit in grey, with (28, 28) shares from −1 to 1 as colour: one (28, 28, 3) picture."""
    strength = np.abs(share[..., None]) ** 0.5  # small shares show too
    colour = np.where(share[..., None] > 0, (255, 140, 0), (60, 140, 255))
    mixed = image[..., None] * 0.45 * (1 - strength) + colour * strength
    return mixed.round().astype(np.uint8)


def _history(run: Run, index: int, label: int, epoch: int) -> None:
    """Its ten probabilities after every epoch."""
    epochs = run.epochs_tested()
    if len(epochs) < 2:
        return
    p = run.test_history(index).astype(np.float64)  # (epochs, 10)
    right = p.argmax(axis=1) == label
    st.markdown(f"**Through the epochs**: {_fate(right, epochs)}")
    alt = f"Probabilities after each of {len(epochs)} epochs; read rightly after {right.sum()}."
    through(epochs, p, label, key="digit-history", alt=alt, chosen=epoch)


def _fate(right: np.ndarray, epochs: list[int]) -> str:
    """When it was learned, and how often forgotten, from (epochs,) bool."""
    past = history(np.ones(1), right[:, None])
    if past.never[0]:
        return "never read rightly."
    learned = f"learned for good in epoch {epochs[past.learned[0] - 1]}"
    times = counted(int(past.forgotten[0]), "time")
    return f"{learned if past.learned[0] else 'lost in the end'}, forgotten {times}."


def _neighbours(image: np.ndarray, run: Run) -> None:
    """The training digits that the network finds most like it."""
    with st.spinner("The network looks at all training digits once, which takes some seconds …"):
        images, labels, distances = _nearest(run.id, image.tobytes())
    st.markdown("**Most alike among the training digits**, to the final model")
    captions = [f"{label}\n{far:.2f}" for label, far in zip(labels, distances, strict=True)]
    names = [f"A training {label}, {far:.2f} away" for label, far in
             zip(labels, distances, strict=True)]  # fmt: skip
    gallery(images, captions, names=names, key="neighbours", size=44)
    st.caption("Below each its label and its distance in the features of the last layer.")


@st.cache_data(max_entries=200, show_spinner=False)
def _nearest(id: str, pixels: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return engine().neighbours(id, np.frombuffer(pixels, np.uint8).reshape(28, 28))
