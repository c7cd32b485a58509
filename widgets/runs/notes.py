"""What visitors write about a run, and the way to its forks and the runs started with it."""

import streamlit as st

from digits.store.files import reason
from digits.store.run_folder import NOTES_LENGTH, Run
from digits.store.seeds import siblings
from widgets.runs.selection import set_ticked
from widgets.shared.format import as_text
from widgets.shared.session import fork_links

PROBLEM = "runs-notes-problem"  # in the session: why notes could not be saved


def notes(run: Run) -> None:
    """A field for the run's notes, saved when the visitor leaves it."""
    fork_links(run)
    together = siblings(run)
    if len(together) > 1:
        ids = [one.id for one in together]
        st.button(
            f"Tick all {len(ids)} runs",
            key="runs-siblings",
            icon=":material/checklist:",
            on_click=set_ticked,
            args=[ids],
        )
    try:
        text = run.notes
    except ValueError:
        return  # its row in the table says what is damaged
    key = f"runs-notes-{run.id}"
    st.text_area(
        "Notes",
        text,
        key=key,
        max_chars=NOTES_LENGTH,
        height=120,
        placeholder="What did you try, and what did you see? The search field finds these words.",
        on_change=_save,
        args=[run, key],
    )
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(as_text(problem), icon=":material/broken_image:")


def _save(run: Run, key: str) -> None:
    try:
        run.write_notes(st.session_state[key])
    except (ValueError, OSError) as error:
        st.session_state[PROBLEM] = f"The notes were not saved: {reason(error)}"
