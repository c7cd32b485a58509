"""The Compare view: two runs on the same test images, and whether they differ significantly."""

import numpy as np
import streamlit as st

from digits.data.datasets import DATASETS
from digits.evaluation.metrics import mcnemar
from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.selection import close_digit
from widgets.shared.format import counted, interval
from widgets.shared.link import choice, refuse
from widgets.shared.session import done_runs, run_label

GROUPS = {
    "only-a": ("Only A correct", "that only A classifies correctly"),
    "only-b": ("Only B correct", "that only B classifies correctly"),
    "both-wrong": ("Both wrong", "that both misclassify"),
}


def view(run: Run, predictions: Predictions) -> Selection | None:
    """Choose a second run; returns the digits on which the two differ."""
    others = [other for other in done_runs() if other != run and _test_set(other) == _test_set(run)]
    if not others:
        st.info(
            "No other run was tested on the same images. Train a second one to compare.",
            icon=":material/compare:",
        )
        st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")
        return None
    ids, linked = [other.id for other in others], st.query_params.get("other")
    if linked is not None and linked not in ids:
        refuse("other", linked, "the runs that were tested on the same images")
    other = st.selectbox(
        "Run B",
        others,
        ids.index(linked) if linked in ids else 0,
        format_func=run_label,
        key="mistakes-other",
        on_change=close_digit,
    )
    st.query_params["other"] = other.id
    probabilities, y = other.test_probabilities(), predictions.y
    if len(probabilities) != len(y):
        raise ValueError(
            f"“{other.name}” was tested on {len(probabilities):,} images, this run on {len(y):,}."
        )
    y_pred = probabilities.argmax(axis=1)
    a_correct, b_correct = predictions.correct, y_pred == y
    _contingency_table(a_correct, b_correct)
    st.markdown(f"**{mcnemar(a_correct, b_correct).in_words()}**")
    st.caption(
        "McNemar's exact test on the digits that exactly one model classifies correctly. A is the "
        "model chosen above, after its epoch; B is the final model of run B."
    )
    group = choice(
        "Show the digits",
        {id: name for id, (name, _) in GROUPS.items()},
        key="side",
        on_change=close_digit,
    )
    masks = (a_correct & ~b_correct, b_correct & ~a_correct, ~(a_correct | b_correct))
    indices = np.flatnonzero(dict(zip(GROUPS, masks, strict=True))[group])
    notes = [f"B: {digit}" for digit in y_pred[indices]]
    title = f"{counted(len(indices), 'digit')} {GROUPS[group][1]}"
    return Selection(predictions, indices, title, notes=notes)


def _test_set(run: Run) -> tuple[str, int]:
    """Equal for two runs that were tested on the same images: whose, and how many."""
    result = run.result()
    return DATASETS[run.recipe.dataset].test_images, result["test_images"] if result else 0


def _contingency_table(a_correct: np.ndarray, b_correct: np.ndarray) -> None:
    both, only_a = (a_correct & b_correct).sum(), (a_correct & ~b_correct).sum()
    only_b, neither = (b_correct & ~a_correct).sum(), (~a_correct & ~b_correct).sum()
    st.markdown(
        "| | B correct | B wrong |\n|:--|--:|--:|\n"
        f"| **A correct** | {both:,} | {only_a:,} |\n| **A wrong** | {only_b:,} | {neither:,} |"
    )
    for name, correct in (("A", a_correct), ("B", b_correct)):
        st.caption(f"{name}: {correct.mean():.2%} ({interval(int(correct.sum()), len(correct))})")
