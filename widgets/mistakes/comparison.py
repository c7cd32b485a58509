"""Two runs side by side: which digits only one of them reads, and whether that means anything."""

import numpy as np
import streamlit as st

from digits.evaluation.metrics import mcnemar
from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.selection import close_digit
from widgets.shared.format import counted, interval
from widgets.shared.session import done_runs, run_label

SIDES = ("A right, B wrong", "B right, A wrong", "Both wrong")


def view(run: Run, tested: Predictions) -> Selection | None:
    """Choose a second run; gives the digits on which the two differ."""
    others = [one for one in done_runs() if one != run and _same_test(one, run)]
    if not others:
        st.info(
            "Here this run would be compared with another one, but no other run was tested on "
            "the same images. Train a second one.",
            icon=":material/compare:",
        )
        st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")
        return None
    linked = st.query_params.get("other")
    ids = [one.id for one in others]
    other = st.selectbox(
        "B",
        others,
        ids.index(linked) if linked in ids else 0,
        format_func=run_label,
        key="rival",
        on_change=close_digit,
    )
    st.query_params["other"] = other.id
    b = other.test_probabilities()
    if len(b) != len(tested.y):
        raise ValueError(f"“{other.name}” was tested on {len(b):,} images, this run on others.")
    a_right, b_right = tested.right, b.argmax(axis=1) == tested.y
    _figures(a_right, b_right)
    test = mcnemar(a_right, b_right)
    st.markdown(f"**{test.in_words()}**")
    st.caption(
        "McNemar's exact test of the digits that only one of them reads rightly; A is the run "
        "above after the chosen epoch, B the final model of the other."
    )
    side = st.segmented_control(
        "Show the digits",
        SIDES,
        default=SIDES[0],
        required=True,
        key="side",
        bind="query-params",
        on_change=close_digit,
    )
    chosen = {
        SIDES[0]: a_right & ~b_right,
        SIDES[1]: b_right & ~a_right,
        SIDES[2]: ~(a_right | b_right),
    }[side]
    found = np.flatnonzero(chosen)
    said = [f"B: {digit}" for digit in b[found].argmax(axis=1)]
    words = {
        SIDES[0]: "that only A reads rightly",
        SIDES[1]: "that only B reads rightly",
        SIDES[2]: "that both read wrongly",
    }
    return Selection(tested, found, f"{counted(len(found), 'digit')} {words[side]}", notes=said)


def _same_test(one: Run, other: Run) -> bool:
    return _test_images(one) == _test_images(other)


def _test_images(run: Run) -> tuple[bool, int]:
    """What decides whether two runs met the same test images."""
    result = run.result() or {}
    return run.recipe.dataset == "uci", result.get("test_images", 0)


def _figures(a_right: np.ndarray, b_right: np.ndarray) -> None:
    both, only_a = (a_right & b_right).sum(), (a_right & ~b_right).sum()
    only_b, neither = (b_right & ~a_right).sum(), (~a_right & ~b_right).sum()
    st.markdown(
        "| | B right | B wrong |\n|:--|--:|--:|\n"
        f"| **A right** | {both:,} | {only_a:,} |\n| **A wrong** | {only_b:,} | {neither:,} |"
    )
    for name, right in (("A", a_right), ("B", b_right)):
        st.caption(f"{name}: {right.mean():.2%} ({interval(int(right.sum()), len(right))})")
