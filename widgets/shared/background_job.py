"""Long work that a visitor can ask a worker for: the offer, how far it is, and what failed."""

import streamlit as st

from digits.engine import BackgroundJob
from digits.store.runs import Run
from widgets.shared.session import engine

EVERY = 1.0  # seconds between two looks at work in progress
QUEUED = "Waits for its turn: a worker does one long piece of work at a time."


def offer_job(run: Run, what: BackgroundJob, label: str, why: str, waiting: str = QUEUED) -> None:
    """Say why there is nothing to see yet, with a button; the page starts anew when it is done."""
    busy = _busy(run, what) in st.session_state
    st.fragment(_offer, run_every=EVERY if busy else None)(run, what, label, why, waiting)


def start_job(run: Run, what: BackgroundJob, why: str) -> None:
    """Start what takes seconds without a click, and say why one waits; no page is held up."""
    if engine().state_of(what, run)[0] == "absent":
        engine().start(what, run)
        st.session_state[_busy(run, what)] = True
    offer_job(run, what, "Try again", why, why)


def _offer(run: Run, what: BackgroundJob, label: str, why: str, waiting: str) -> None:
    key = _busy(run, what)
    state, sentence = engine().state_of(what, run)
    if state in ("waiting", "working"):
        st.info(sentence or waiting, icon="spinner")
        if key not in st.session_state:  # somebody else asked for it
            st.session_state[key] = True
            st.rerun()
        return
    if st.session_state.pop(key, False):
        st.rerun()  # it has ended, well or badly
    if state == "failed":
        st.error(f"This did not work out: {sentence}", icon=":material/error:")
    else:
        st.info(why, icon=":material/info:")
    if st.button(label, key=f"start-{what}", icon=":material/play_arrow:"):
        engine().start(what, run)
        st.session_state[key] = True
        st.rerun()


def _busy(run: Run, what: BackgroundJob) -> str:
    return f"busy-{what}-{run.id}"
