"""Background jobs that a visitor can ask a worker for: offered, followed, and told when failed."""

import streamlit as st

from digits.store.runs import Run
from widgets.shared.format import as_text, counted
from widgets.shared.session import engine

INTERVAL = 1.0  # seconds between two looks at a job under way
QUEUED = "Queued: each worker runs one job at a time."


def offer_job(run: Run, job: str, label: str, reason: str) -> None:
    """Say why there is nothing to show yet, with a button; the page reruns when the job is done."""
    busy = _key(job, run) in st.session_state
    st.fragment(_offer, run_every=INTERVAL if busy else None)(run, job, label, reason)


def start_job(run: Run, job: str, reason: str) -> None:
    """Start a job that takes seconds without a click, and say why the visitor waits."""
    if engine().job_status(job, run).state == "absent":
        engine().start_background_job(job, run)
        st.session_state[_key(job, run)] = True
    offer_job(run, job, "Try again", reason)


def _offer(run: Run, job: str, label: str, reason: str) -> None:
    key, status = _key(job, run), engine().job_status(job, run)
    if status.state in ("queued", "running"):
        ahead = f" {counted(status.ahead, 'job')} ahead." if status.ahead else ""
        waiting = QUEUED + ahead if status.state == "queued" else reason
        st.info(as_text(status.message) or waiting, icon="spinner")
        if key not in st.session_state:  # another visitor asked for it
            st.session_state[key] = True
            st.rerun()
        return
    if st.session_state.pop(key, False):
        st.rerun()  # it has ended, well or badly
    if status.state == "failed":
        st.error(f"The job failed: {as_text(status.message)}", icon=":material/error:")
    else:
        st.info(reason, icon=":material/info:")
    if st.button(label, key=f"start-{job}", icon=":material/play_arrow:"):
        engine().start_background_job(job, run)
        st.session_state[key] = True
        st.rerun()


def _key(job: str, run: Run) -> str:
    return f"job-{job}-{run.id}"
