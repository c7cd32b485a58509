"""The list of runs: searched, sorted, page by page; a row for each, with its menu of actions."""

import re

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from digits.store import files, runs
from digits.store.run_folder import Run
from digits.store.status import DONE, RESUMABLE, UNFINISHED
from widgets.shared.format import as_text, duration, test_interval
from widgets.shared.session import choose_run, engine, submit

PER_PAGE = 20
ORDERS = ("Newest first", "Most accurate first")
ICONS = {
    "queued": ":material/schedule:",
    "running": ":material/model_training:",
    "finished": ":material/check_circle:",
    "stopped": ":material/stop_circle:",
    "failed": ":material/error:",
    "interrupted": ":material/pause_circle:",
}


def search_controls() -> list[Run]:
    """The runs that match what the visitor types, in the order that the visitor picks."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        text = st.text_input(
            "Find",
            key="find",
            type="search",
            placeholder="Name, recipe or state: adam failed",
            icon=":material/search:",
            on_change=_first_page,
            bind="query-params",
            width=360,
        )
        order = st.selectbox(
            "Order", ORDERS, key="order", on_change=_first_page, bind="query-params", width=200
        )
    matches = runs.search(text or "")
    if order == ORDERS[1]:
        matches.sort(key=_accuracy, reverse=True)
    if text:
        st.caption(
            f"{len(matches):,} of {len(runs.all()):,} runs." if matches else "No matching runs."
        )
    return matches


def page_of(matches: list[Run]) -> list[Run]:
    """The runs of the page that the visitor is on."""
    pages = max(1, -(-len(matches) // PER_PAGE))
    if st.session_state.get("page", 1) > pages:
        _first_page()
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    return matches[PER_PAGE * (page - 1) : PER_PAGE * page]


def run_row(run: Run, active: bool) -> DeltaGenerator | None:
    """A run's name, state, accuracy, time and recipe; an active one is followed until it ends.

    Gives the place for its accuracy on drawings, if it has one.
    """
    if active:
        st.fragment(_row, run_every=1)(run, active)
        return None
    return _row(run, active)


def _row(run: Run, active: bool) -> DeltaGenerator | None:
    try:
        if active and run.status.state not in UNFINISHED:
            st.rerun()
        st.markdown(
            f"**{as_text(run.name)}** · {run.created:%d %b %Y %H:%M} UTC  \n{_summary(run)}"
        )
        slot = st.empty()
        st.caption(str(run.recipe))
        return slot
    except ValueError as error:
        st.error(f"{as_text(error)} The other files are untouched.", icon=":material/broken_image:")
        return None


def _summary(run: Run) -> str:
    """State, accuracy and time in one line."""
    status, result = run.status, run.result()
    parts = [status.state.capitalize()]
    if status.state in UNFINISHED:
        parts.append(f"epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}")
    if status.state in RESUMABLE:
        parts += [f"after epoch {status.epoch} of {status.epochs}"] * bool(status.epoch)
        parts += [as_text(status.message)] * (not status.message.startswith("Interrupted"))
    parts.append(as_text(status.note))
    if result:
        parts.append(f"**{result['test_accuracy']:.2%}** on test ({test_interval(result)})")
        parts.append(f"{result['parameters']:,} parameters")
        parts.append(f"{result['epochs']} epochs in {duration(result['seconds'])}")
    return f"{ICONS[status.state]} {' · '.join(filter(None, parts))}"


def actions(run: Run) -> None:
    """What can be done with a run, in a menu; a damaged one can only be deleted."""
    with st.popover("Actions", width="stretch"):
        try:
            _actions(run, run.name)
        except ValueError:  # the row says what is wrong
            _delete_button(run, run.id)


def _actions(run: Run, name: str) -> None:
    state = run.status.state
    if _button("Open", run, "open_in_new"):
        choose_run(run)
        st.switch_page("pages/train.py", query_params={"run": run.id})
    if state in DONE and _button("Mistakes", run, "troubleshoot"):
        choose_run(run)
        st.switch_page("pages/mistakes.py", query_params={"run": run.id})
    if state in RESUMABLE and _button("Resume", run, "resume"):
        submit(run)
        st.rerun()
    if state in UNFINISHED and _button("Stop", run, "stop"):
        engine().stop(run)
        st.rerun()
    stem = "mnist" if run.preset == "adadelta" else "-".join(re.findall(r"[\w.]+", name.lower()))
    for ending, path in (("keras", run.model_path), ("h5", run.h5_path)):
        if files.is_plain(run.folder, path.name):
            st.download_button(
                f"Download .{ending}",
                path.read_bytes,
                f"{stem or run.id}.{ending}",
                key=f"runs-{ending}-{run.id}",
                icon=":material/download:",
                width="stretch",
                on_click="ignore",
            )
    if _button("Rename", run, "edit"):
        _rename(run)
    _delete_button(run, name)


def _delete_button(run: Run, name: str) -> None:
    if _button("Delete", run, "delete"):
        _delete(run, name)


def _button(label: str, run: Run, icon: str) -> bool:
    key = f"runs-{label.lower()}-{run.id}"
    return st.button(label, key=key, icon=f":material/{icon}:", width="stretch")


@st.dialog("Rename the run", icon=":material/edit:")
def _rename(run: Run) -> None:
    with st.form("runs-rename", border=False):
        name = st.text_input("Name", run.name, max_chars=80)
        if st.form_submit_button("Rename", type="primary"):
            try:
                run.rename(name)
                st.rerun()
            except ValueError as error:
                st.error(as_text(error))


@st.dialog("Delete the run?", icon=":material/delete:")
def _delete(run: Run, name: str) -> None:
    st.write(f"“{as_text(name)}” is deleted for good: its curves, its weights and its model.")
    delete, cancel = st.columns(2)
    if delete.button("Delete", type="primary", width="stretch"):
        try:
            run.delete()
            st.rerun()
        except ValueError as error:
            st.error(as_text(error))
    if cancel.button("Cancel", width="stretch"):
        st.rerun()


def _accuracy(run: Run) -> float:
    """On the test set, for the order of the list; below all others without a result."""
    accuracy = runs.summary(run).test_accuracy
    return -1.0 if accuracy is None else accuracy


def _first_page() -> None:
    """Another list begins at its first page."""
    st.session_state["page"] = 1
