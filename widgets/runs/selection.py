"""The ticked runs, which the link names, and what can be done with them."""

import re
from pathlib import Path

import streamlit as st

from digits.store import files, runs
from digits.store.run_folder import ID, Run
from digits.store.status import DONE, RESUMABLE, UNFINISHED
from widgets.shared.format import as_text
from widgets.shared.session import choose_run, engine, load_recipe, submit


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
    hint = None if one else "Tick one run."
    if _button("Open", "open_in_new", state not in ("", "damaged"), help=hint) and one:
        open_run(one.id)
    if _button("Mistakes", "troubleshoot", state in DONE, help=hint) and one:
        choose_run(one)
        st.switch_page("pages/mistakes.py", query_params={"run": one.id})
    st.button(
        "Untick all",
        key="runs-untick",
        icon=":material/close:",
        disabled=not linked_ids(),
        on_click=set_ticked,
        args=[[]],
    )
    with st.popover("Actions", disabled=not ticked, icon=":material/more_horiz:"):
        resumable = [run for run in ticked if states[run] in RESUMABLE]
        if _button("Resume", "resume", bool(resumable), menu=True):
            for run in resumable:
                submit(run)
            st.rerun()
        unfinished = [run for run in ticked if states[run] in UNFINISHED]
        if _button("Stop", "stop", bool(unfinished), menu=True):
            for run in unfinished:
                engine().stop(run)
            st.rerun()
        if _button("Rename", "edit", state not in ("", "damaged"), menu=True) and one:
            _rename(one)
        _downloads(one if state in DONE else None)
        if _button("Delete", "delete", len(ticked) > len(unfinished), menu=True):
            _delete([run for run in ticked if run not in unfinished])


def _button(
    label: str, icon: str, enabled: bool, *, menu: bool = False, help: str | None = None
) -> bool:
    return st.button(
        label,
        key=f"runs-{label.lower()}",
        icon=f":material/{icon}:",
        disabled=not enabled,
        help=help,
        width="stretch" if menu else "content",
    )


def _downloads(run: Run | None) -> None:
    """The final model in two formats, where a run has it."""
    for ending in ("keras", "h5"):
        path = (run.h5_path if ending == "h5" else run.model_path) if run else Path()
        there = run is not None and files.is_plain(run.folder, path.name)
        st.download_button(
            f"Download .{ending}",
            path.read_bytes if there else b"",
            f"{_stem(run) if run and there else ''}.{ending}",
            key=f"runs-{ending}",
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
            disabled=not there,
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
        if st.form_submit_button("Rename", type="primary"):
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
    if delete.button("Delete", type="primary", width="stretch"):
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
