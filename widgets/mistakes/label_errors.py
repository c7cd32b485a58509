"""The Label errors view: images whose label the model contradicts, or that people disputed."""

import numpy as np
import streamlit as st

from digits.data import datasets
from digits.data.uploads import read_labeled_digits
from digits.evaluation.label_errors import LabelErrors, find_label_errors, to_csv
from digits.evaluation.predictions import Predictions, Selection
from digits.store.cross_validation import out_of_fold
from digits.store.models import ModelRef
from digits.store.runs import Run
from widgets.mistakes.epochs import val_images, val_predictions
from widgets.mistakes.selection import close_digit
from widgets.shared.format import as_text, interval
from widgets.shared.link import choice
from widgets.shared.session import engine

SETS = {
    "test": "Test",
    "validation": "Validation",
    "training": "Training",
    "upload": "My own digits",
}
FORMER = {"test-images": "test", "validation-images": "validation"}
LISTS = {"suspicious": "Suspicious", "disputed": "Disputed"}
FILE, UPLOAD, PROBLEM = "mistakes-file", "mistakes-upload", "mistakes-upload-problem"
JAIR = "https://jair.org/index.php/jair/article/view/12125"


def view(run: Run, predictions: Predictions) -> Selection | None:
    """Choose a set of images; returns those with suspicious or with disputed labels."""
    name = choice(
        "Search",
        SETS,
        key="search",
        aliases=FORMER,
        on_change=close_digit,
        label_visibility="collapsed",
    )
    searched: Predictions | None = predictions
    if name == "validation":
        searched = _validation(run, predictions.epoch)
    elif name == "training":
        searched = _training(run)
    elif name == "upload":
        searched = _upload(run)
    if searched is None:
        return None
    label_errors = find_label_errors(searched.y, searched.probabilities)
    indices = label_errors.indices
    _summary(label_errors, searched, run.recipe.label_smoothing)
    if len(indices):
        st.download_button(
            "Download the list",
            lambda: to_csv(label_errors, searched.y, searched.probabilities),
            f"label-errors-{run.recipe.dataset}-{name}-{run.id}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    if searched.disputed and _choose_list() == "disputed":
        return _disputed(searched)
    if not len(indices):
        return None
    notes = [_percent(p) for p in searched.label_probabilities[indices].tolist()]
    title = f"**{_labels(len(indices))}** contradicted by the model, with their probabilities"
    return Selection(searched, indices, title, ranked=True, notes=notes)


def _validation(run: Run, epoch: int) -> Predictions | None:
    try:
        y, probabilities = val_predictions(run, epoch)
        x = val_images(run.recipe.dataset, run.recipe.split)
    except ValueError as error:
        st.info(as_text(error), icon=":material/rule:")
        return None
    st.caption(
        "The model was not trained on these images, but early stopping uses them to choose the "
        "epoch, so the model agrees with their labels slightly more often. Numbers refer to the "
        f"validation images of {run.recipe.split}."
    )
    return Predictions("Validation image", x, y, probabilities, epoch)


def _training(run: Run) -> Predictions | None:
    """All images that are not for testing, each judged by the run of its fold."""
    try:
        x, y, folds = _all_folds(run.recipe.dataset)
        probabilities = out_of_fold(run, folds)
    except (ValueError, FileNotFoundError) as error:
        st.info(str(error), icon=":material/rule:")
        return None
    st.caption(
        f"Each of the {len(y):,} images is judged by the run of its fold, which did not learn it; "
        "the epoch chosen above has no part in it. Numbers refer to the data set's own order."
    )
    return Predictions("Training image", x, y, probabilities, folds=folds)


@st.cache_resource(max_entries=1, show_spinner="Reading the training images …")
def _all_folds(dataset: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loaded once for all visitors: 47 MB of MNIST."""
    return datasets.load_folds(dataset)


def _upload(run: Run) -> Predictions | None:
    """The final model's predictions on the digits of an uploaded file."""
    st.file_uploader(
        "Digits with labels",
        ["npz", "csv"],
        key=FILE,
        on_change=_read_file,
        help="An .npz file with arrays x, (n, 28, 28), and y, (n,); or a CSV file with a label and "
        "784 pixels in each row. 0 is paper and 255 full ink. Only you can see them.",
    )
    state = st.session_state
    if problem := state.get(PROBLEM):
        st.error(as_text(problem), icon=":material/broken_image:")
    if not (upload := state.get(UPLOAD)):
        return None
    try:
        if run.id not in upload["probabilities"]:
            with st.spinner("Classifying your digits …"):
                upload["probabilities"][run.id] = engine().predict(ModelRef(run), upload["x"])
    except (ValueError, OSError) as error:
        st.error(as_text(error), icon=":material/error:")
        return None
    predictions = Predictions(
        "Own digit", upload["x"], upload["y"], upload["probabilities"][run.id]
    )
    correct, total = int(predictions.correct.sum()), len(predictions.y)
    st.caption(
        f"{as_text(upload['name'])}: the final model, whichever epoch is chosen above, classifies "
        f"{correct / total:.1%} of {total:,} digits as labeled ({interval(correct, total)})."
    )
    st.button("Remove these digits", icon=":material/delete:", on_click=_remove_upload)
    return predictions


def _remove_upload() -> None:
    st.session_state.pop(UPLOAD)
    close_digit()


def _read_file() -> None:
    """Read the uploaded file; when it is unusable, the previous digits stay."""
    close_digit()
    state = st.session_state
    state.pop(PROBLEM, None)
    file = state[FILE]
    if file is None:  # also for a moment while another file replaces it
        return
    try:
        x, y = read_labeled_digits(file.name, file.getvalue())
    except ValueError as error:
        state[PROBLEM] = str(error)
    else:
        state[UPLOAD] = {"name": file.name, "x": x, "y": y, "probabilities": {}}


def _summary(label_errors: LabelErrors, predictions: Predictions, label_smoothing: float) -> None:
    """How many labels the model contradicts, and how many of them are probably wrong."""
    total, contradicted = len(predictions.y), len(label_errors.indices)
    share = f"The model contradicts **{contradicted:,} of {total:,}** labels. Confident learning"
    if not contradicted:
        st.success(
            f"The model agrees with all {total:,} labels. Some could still be wrong: where the "
            "model makes the same error as the label, nothing contradicts it.",
            icon=":material/handshake:",
        )
    elif label_errors.errors:
        st.markdown(f"{share} estimates that **about {_labels(label_errors.errors)}** are wrong.")
    else:
        st.markdown(
            f"{share} estimates **no** label errors. This does not prove all labels right, only "
            "that no contradicting prediction is as confident as the mean for its digit."
        )
    if predictions.disputed:
        among = np.isin(label_errors.indices, list(predictions.disputed)).sum()
        st.markdown(
            f"**{among} of its {contradicted:,} mistakes** are among the "
            f"{len(predictions.disputed)} labels that people disputed."
        )
    smoothing = (
        f"Label smoothing of {label_smoothing:g} keeps this model's confidence low, which hides "
        "label errors from the estimate. "
    )
    advice = "A weak model contradicts correct labels too, so look at the images. Method: "
    source = f"[Northcutt, Jiang and Chuang 2021]({JAIR})"  # too faint as a link in a caption
    st.markdown(f":small[{smoothing * (label_smoothing > 0)}{advice}{source}.]")


def _choose_list() -> str:
    return choice("Show the labels", LISTS, key="labels", on_change=close_digit)


def _disputed(predictions: Predictions) -> Selection:
    indices = np.array(list(predictions.disputed))
    indices = indices[np.argsort(predictions.label_probabilities[indices], kind="stable")]
    disputes = [predictions.disputed[index] for index in indices.tolist()]
    notes = [
        dispute.verdict + f": {dispute.suggested}" * (dispute.verdict != "neither")
        for dispute in disputes
    ]
    contradicted = int((~predictions.correct[indices]).sum())
    title = (
        f"**{len(indices)} labels** that most of five annotators did not confirm, "
        f"**{contradicted}** of them contradicted by the model"
    )
    return Selection(predictions, indices, title, ranked=True, notes=notes)


def _labels(count: int) -> str:
    return f"{count:,} label" + "s" * (count != 1)


def _percent(p: float) -> str:
    return "<0.1%" if p < 0.0005 else f"{p:.1%}"
