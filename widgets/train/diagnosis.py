"""What happened in a run: a diagnosis of its curves, and chips that set the controls for the next.

The card has the same rows at every moment, so that little moves when a sentence appears: one for
the diagnosis, one for the comparison and one for the chips.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import streamlit as st

from digits.evaluation.diagnosis import Diagnosis, diagnose
from digits.recipes.differences import in_words
from digits.recipes.remedies import MOST, Remedy, remedies
from digits.store import forks, learning_rate
from digits.store.comparison import better_before, compare
from digits.store.curves import for_diagnosis
from digits.store.run_folder import EPOCHS, RESULT, STATUS, Run
from digits.store.status import DONE, UNFINISHED, Status
from digits.store.thinning import thinned
from widgets.shared.format import as_text
from widgets.shared.session import fork_links

TITLES = {
    "guessing": "Guessing",
    "diverged": "Diverged",
    "rate too low": "Learning rate too low",
    "rate too high": "Learning rate too high",
    "overfitting": "Overfitting",
    "underfitting": "Underfitting",
    "still improving": "Still improving",
    "training below validation": "Training below validation",
    "healthy": "Looks healthy",
}
WAITING = "Nothing stands out yet. A diagnosis comes when the run ends, or sooner if it is clear."
TOO_LITTLE = "Too little was trained for a diagnosis, which takes one whole epoch at least."
PLAIN = "Nothing stands out in what was trained."
FINE = ("training below validation", "healthy")
TEXT_ROW, CHIP_ROW = 20, 40  # pixels that a row takes, and so its place while it is empty


def what_happened(run: Run, before: Run | None, apply: Callable[[dict[str, Any]], None]) -> None:
    """A card with the diagnosis of a run, its comparison with the one before, and what to try.

    ``apply`` gets the changes of a chip that is pressed, as the recipe's fields, in a callback;
    then the whole page reruns. Fine-tuning has its own card.
    """
    if run.recipe.finetune:
        return
    status, diagnosis = run.status, diagnosis_of(run)
    compared = before if status.state in DONE else None
    with st.container(border=True, key="train-what-happened", gap="xsmall"):
        if diagnosis:
            icon = "check_circle" if diagnosis.kind in FINE else "lightbulb"
            sentence = f"**{TITLES[diagnosis.kind]}.** {as_text(diagnosis.sentence)}"
            st.markdown(f":material/{icon}: {sentence}")
        elif status.state in UNFINISHED:
            st.markdown(f":material/pending: {WAITING}")
        else:
            st.markdown(f":material/pending: {PLAIN if status.epoch else TOO_LITTLE}")
        if history := _history(run, status):
            st.caption(f":material/history: {history}")
        fork_links(run)
        tried = remedies(diagnosis.kind, run.recipe) if diagnosis else []
        if compared or not history:  # which takes the row of the comparison while there is none
            tried = [*_comparison(run, compared), *tried]
        _chips(tried[:MOST], apply)


def _history(run: Run, status: Status) -> str:
    """Where the run comes from, and what was done with it, in sentences; "" for most runs."""
    changed = learning_rate.changed_under_way(run, status)
    told = (forks.origin(run), changed, thinned(run))
    return as_text(" ".join(filter(None, told)))


def diagnosis_of(run: Run) -> Diagnosis | None:
    """The diagnosis of a run as it stands; ``None`` while nothing is plain.

    Raises ``ValueError`` when a file of the run is damaged.
    """
    return _diagnosis(run, run.file_stamps(STATUS, EPOCHS))


@lru_cache(maxsize=64)
def _diagnosis(run: Run, changed: tuple[int, ...]) -> Diagnosis | None:
    """Made once for all who watch until ``changed`` changes."""
    return diagnose(for_diagnosis(run))


def _comparison(run: Run, before: Run | None) -> list[Remedy]:
    """Tell how the run compares; what to try is to go back, where the run before was better."""
    if before is None:
        st.space(TEXT_ROW)
        return []
    stamps = (*run.file_stamps(RESULT), *before.file_stamps(RESULT))
    try:
        sentence, again = _compared(run, before, stamps)
    except (OSError, ValueError) as error:
        sentence, again = str(error), {}
    number = before.number
    whom = f"run {number}" if number else before.name
    st.caption(f":material/compare_arrows: Compared with {as_text(whom)}, {as_text(sentence)}")
    words = [in_words(name, value) for name, value in again.items()]
    return [Remedy(f"{', '.join(words)} again", again)] if again else []


@lru_cache(maxsize=64)
def _compared(run: Run, before: Run, changed: tuple[int, ...]) -> tuple[str, dict[str, Any]]:
    return compare(run, before), better_before(run, before)


def _chips(tried: list[Remedy], apply: Callable[[dict[str, Any]], None]) -> None:
    """What to try; its place while there is nothing."""
    if not tried:
        st.space(CHIP_ROW)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Try", width="content")
        for number, remedy in enumerate(tried):
            if st.button(
                remedy.label,
                key=f"train-try-{number}",
                help="Sets the controls; press Train to see what it does.",
                on_click=apply,
                args=[remedy.changes],
            ):
                st.rerun()  # the controls stand outside of the fragment that this may be in
