"""Is it the model or the label? The images whose label the network contradicts."""

import numpy as np
import streamlit as st

from digits.data.uploads import read_labeled_digits
from digits.evaluation.label_errors import LabelErrors, find_label_errors, to_csv
from digits.evaluation.predictions import Predictions, Selection
from digits.store.models import ModelRef
from digits.store.runs import Run
from widgets.mistakes.selection import close_digit
from widgets.mistakes.validation import validation, validation_images
from widgets.shared.format import interval
from widgets.shared.session import engine

SETS = {"test": "Test images", "validation": "Validation images", "own": "My own digits"}


def view(run: Run, tested: Predictions) -> Selection | None:
    """Search some images; gives those whose label looks wrong, or those that people disputed."""
    where = st.segmented_control(
        "Search",
        SETS,
        default="test",
        required=True,
        key="searched",
        format_func=SETS.__getitem__,
        bind="query-params",
        on_change=close_digit,
    )
    of: Predictions | None = tested
    if where == "validation":
        of = _validation(run, tested.epoch)
    elif where == "own":
        of = _own(run)
    if of is None:
        return None
    found = find_label_errors(of.y, of.probabilities)
    _in_words(found, of, run)
    if len(found.indices):
        st.download_button(
            "Download the list",
            lambda: to_csv(found, of.y, of.probabilities),
            f"suspicious-labels-{run.recipe.dataset}-{where}-{run.id}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    if of.disputed and _choice() == "Disputed":
        return _disputed(of)
    if not len(found.indices):
        return None
    notes = [f"label {_percent(p)}" for p in _of_label(of)[found.indices].tolist()]
    title = f"**{_labels(len(found.indices))}** that it contradicts, the least probable first"
    return Selection(of, found.indices, title, ranked=True, notes=notes)


def _validation(run: Run, epoch: int) -> Predictions | None:
    try:
        y, probabilities = validation(run, epoch)
        x = validation_images(run.recipe.dataset, run.recipe.seed)
    except ValueError as error:
        st.info(str(error), icon=":material/rule:")
        return None
    st.caption(
        "The network was not trained on these either. With early stopping they chose the epoch, "
        "so that it agrees with their labels a little more often than with others. Their numbers "
        f"count the validation images of seed {run.recipe.seed}."
    )
    return Predictions("Validation image", x, y, probabilities, epoch)


def _own(run: Run) -> Predictions | None:
    st.file_uploader(
        "Digits with labels",
        ["npz", "csv"],
        key="own-file",
        on_change=_read,
        help="An .npz file with arrays x, (n, 28, 28), and y, (n,); or a CSV file with a label and "
        "784 pixels in each row. 0 is paper and 255 full ink. Nobody else sees them.",
    )
    state = st.session_state
    if problem := state.get("own-problem"):
        st.error(problem, icon=":material/broken_image:")
    if not (own := state.get("own")):
        return None
    try:
        if run.id not in own["answers"]:
            with st.spinner("The network is reading your digits …"):
                own["answers"][run.id] = engine().predict(ModelRef(run), own["x"])
    except TimeoutError:
        st.error("The network did not answer in time. Take fewer digits, or try again.")
        return None
    except (ValueError, LookupError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        return None
    of = Predictions("Own digit", own["x"], own["y"], own["answers"][run.id])
    st.caption(
        f"{own['name']}: the final model, whichever epoch is chosen above, reads "
        f"{of.right.mean():.1%} of {len(of.y):,} digits as they are labelled "
        f"({interval(int(of.right.sum()), len(of.y))})."
    )
    st.button("Forget these digits", icon=":material/delete:", on_click=_forget)
    return of


def _forget() -> None:
    st.session_state.pop("own")
    close_digit()


def _read() -> None:
    """Take the file that was just chosen; where it cannot be used, keep the digits before it."""
    close_digit()
    state = st.session_state
    state.pop("own-problem", None)
    file = state["own-file"]
    if file is None:  # so it is for a moment, too, when another file takes its place
        return
    try:
        x, y = read_labeled_digits(file.name, file.getvalue())
    except ValueError as error:
        state["own-problem"] = str(error)
    else:
        state["own"] = {"name": file.name, "x": x, "y": y, "answers": {}}


def _in_words(found: LabelErrors, of: Predictions, run: Run) -> None:
    """How many labels are contradicted, and how many of them may be wrong."""
    total, contradicted = len(of.y), len(found.indices)
    if not contradicted:
        st.success(
            f"The network agrees with all {total:,} labels. One that is wrong could still be "
            "among them: where the network errs as the label does, nobody contradicts.",
            icon=":material/handshake:",
        )
    elif found.errors:
        st.markdown(
            f"The network contradicts **{contradicted:,} of {total:,}** labels. Confident learning "
            f"estimates **about {_labels(found.errors)}** to be wrong."
        )
    else:
        st.markdown(
            f"The network contradicts **{contradicted:,} of {total:,}** labels. Confident learning "
            "finds **none** of them surely wrong, which does not make them all right: it means "
            "that for no image another digit is as probable as that digit's own images make it on "
            "average."
        )
    if of.disputed:
        among = np.isin(found.indices, list(of.disputed)).sum()
        st.markdown(
            f"**{among} of its {contradicted:,} mistakes** are among the {len(of.disputed)} labels "
            "that people disputed."
        )
    smoothed = (
        f"It was trained with label smoothing of {run.recipe.label_smoothing:g}, which keeps it "
        "from being sure and so hides wrong labels from the estimate. "
    )
    st.caption(
        smoothed
        * bool(run.recipe.label_smoothing)
        + "Look before you believe: a weak network contradicts right labels too. Method: "
        "[Northcutt, Jiang and Chuang 2021](https://jair.org/index.php/jair/article/view/12125)."
    )


def _choice() -> str:
    return st.segmented_control(
        "Show the labels",
        ["Suspicious", "Disputed"],
        default="Suspicious",
        required=True,
        key="doubt",
        bind="query-params",
        on_change=close_digit,
    )


def _disputed(of: Predictions) -> Selection:
    indices = np.array(list(of.disputed))
    indices = indices[np.argsort(_of_label(of)[indices], kind="stable")]
    entries = [of.disputed[index] for index in indices.tolist()]
    notes = [
        entry.verdict + f": {entry.suggested}" * (entry.verdict != "neither") for entry in entries
    ]
    contradicted = int((~of.right[indices]).sum())
    title = (
        f"**{len(indices)} labels** that most of five people did not confirm, **{contradicted}** "
        "of them contradicted by the network"
    )
    return Selection(of, indices, title, ranked=True, notes=notes)


def _of_label(of: Predictions) -> np.ndarray:
    """The probability of each image's label: (n,)."""
    return of.probabilities[np.arange(len(of.y)), of.y]


def _labels(count: int) -> str:
    return f"{count:,} label" + "s" * (count != 1)


def _percent(p: float) -> str:
    return "<0.1%" if p < 0.0005 else f"{p:.1%}"
