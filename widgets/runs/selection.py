"""The ticked runs, which the link names, and what can be done with them."""

import re

import streamlit as st

from digits.store import files, runs
from digits.store.run_folder import ID, Run
from digits.store.status import DONE, RESUMABLE, UNFINISHED
from widgets.shared.format import as_text, filled
from widgets.shared.session import choose_run, engine, load_recipe, submit

ICONS = {
    "Pause": ":material/pause:",
    "Resume": ":material/resume:",
    "Stop": ":material/stop:",
    "Rename": ":material/edit:",
    "Download": ":material/download:",
    "Delete": ":material/delete:",
}


def linked_ids() -> list[str]:
    """The ids of the runs to compare, from the link, in the order of ticking."""
    return list(dict.fromkeys(filter(None, st.query_params.get("compare", "").split(","))))


def set_ticked(ids: list[str]) -> None:
    """Make these the runs to compare."""
    if ids := [id for id in ids if ID.fullmatch(id)]:
        st.query_params["compare"] = ",".join(ids)
    else:
        st.query_params.pop("compare", None)


def ticked_runs() -> list[Run]:
    """The runs of the link that are there."""
    there = {run.id: run for run in runs.all()}
    return [there[id] for id in linked_ids() if id in there]


def open_run(id: str) -> None:
    """Show the run on the Train page, with its recipe in the controls."""
    try:
        run = runs.open(id)
        recipe, preset = run.recipe, run.preset
    except (ValueError, LookupError) as error:  # deleted or damaged a moment ago
        st.error(as_text(error), icon=":material/link_off:")
        return
    choose_run(run)
    load_recipe(recipe, preset)


def actions(ticked: list[Run]) -> None:
    """Buttons for the ticked runs; always there, so that nothing moves at the first tick."""
    states = {run: runs.summary(run).state for run in ticked}
    one = ticked[0] if len(ticked) == 1 else None
    state = states[one] if one else ""
    if _button("Open", "open_in_new", state not in ("", "damaged")) and one:
        open_run(one.id)
    if _button("Mistakes", "troubleshoot", state in DONE) and one:
        choose_run(one)
        st.switch_page("pages/mistakes.py", query_params={"run": one.id})
    st.button(
        "Untick",
        key="runs-untick",
        icon=":material/close:",
        disabled=not linked_ids(),
        on_click=set_ticked,
        args=[[]],
    )
    suiting = {
        "Pause": [run for run in ticked if states[run] in UNFINISHED],
        "Resume": [run for run in ticked if states[run] in RESUMABLE],
        "Stop": [run for run in ticked if states[run] in UNFINISHED],
        "Rename": [one] if one and state != "damaged" else [],
        "Download": [run for run in ticked if states[run] in DONE],
        "Delete": [run for run in ticked if states[run] not in UNFINISHED],
    }
    chosen = st.menu_button(
        "Actions",
        [action for action, suited in suiting.items() if suited] or list(suiting),
        key="runs-actions",
        format_func=lambda action: f"{ICONS[action]} {action}",
        disabled=not ticked,
    )
    if chosen:
        _act(chosen, suiting.get(chosen, []))


def _act(action: str, suited: list[Run]) -> None:
    """Do it with the runs that it suits, or ask first."""
    if action == "Rename" and suited:
        _rename(suited[0])
    elif action == "Download":
        _download(suited)
    elif action == "Delete":
        _delete(suited)
    else:
        act = {"Pause": engine().pause, "Resume": submit, "Stop": engine().stop}[action]
        try:
            for run in suited:
                act(run)
        except OSError as error:  # a folder that cannot be written
            st.toast(as_text(files.reason(error)), icon=":material/hard_drive:")
            return
        st.rerun()


def _button(label: str, icon: str, enabled: bool) -> bool:
    key = f"runs-{label.lower()}"
    return st.button(label, key=key, icon=f":material/{icon}:", disabled=not enabled)


@st.dialog("Download", icon=":material/download:")
def _download(ticked: list[Run]) -> None:
    for run in ticked:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(as_text(runs.summary(run).label))
            for path in (run.model_path, run.h5_path):
                if files.is_plain(run.folder, path.name):
                    st.download_button(
                        path.suffix,
                        path.read_bytes,
                        _stem(run) + path.suffix,
                        key=f"runs{path.suffix}-{run.id}",
                        icon=":material/download:",
                        on_click="ignore",
                    )


def _stem(run: Run) -> str:
    """The name of the file that a visitor gets, without its ending."""
    summary = runs.summary(run)
    if summary.preset == "adadelta":
        return "mnist"
    return "-".join(re.findall(r"[\w.]+", summary.name.lower())) or run.id


@st.dialog("Rename the run", icon=":material/edit:")
def _rename(run: Run) -> None:
    with st.form("runs-rename-form", border=False):
        name = st.text_input("Name", run.name, max_chars=80)
        if st.form_submit_button(filled("Rename"), type="primary"):
            try:
                run.rename(name)
                st.rerun()
            except ValueError as error:
                st.error(as_text(error))


@st.dialog("Delete for good?", icon=":material/delete:")
def _delete(ticked: list[Run]) -> None:
    names = ", ".join(f"“{as_text(runs.summary(run).label)}”" for run in ticked)
    st.write(f"{names}: curves, weights and models are deleted for good.")
    delete, cancel = st.columns(2)
    if delete.button(filled("Delete"), type="primary", width="stretch"):
        problems = []
        for run in ticked:
            try:
                run.delete()
            except ValueError as error:
                problems.append(str(error))
        for problem in problems:
            st.error(as_text(problem))
        if not problems:
            gone = {run.id for run in ticked}
            set_ticked([id for id in linked_ids() if id not in gone])
            st.rerun()
    if cancel.button("Cancel", width="stretch"):
        st.rerun()
