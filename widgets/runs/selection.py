"""The ticked runs, which the link names, and what can be done with them."""

import streamlit as st

from digits.store import runs, trash
from digits.store.files import reason
from digits.store.run_folder import ID, Run
from digits.store.status import DONE, RESUMABLE, UNFINISHED
from widgets.runs.download import DOWNLOADED, download
from widgets.shared.format import as_text, filled
from widgets.shared.session import engine, load_recipe, submit, tell_rate_changes

NAMED = 5  # runs that are named before they are deleted
LINKED = 100  # ticked runs at most that the link names, for proxies refuse long ones
MANY = "runs-many-ticked"  # in the session: ids of more than that
DELETED = "runs-deleted"  # in the session: ids of the latest deletion
ICONS = {
    "Pause": ":material/pause:",
    "Resume": ":material/resume:",
    "Stop": ":material/stop:",
    "Rename": ":material/edit:",
    "Download": ":material/download:",
    "Delete": ":material/delete:",
}


def ticked_ids() -> list[str]:
    """The ids of the ticked runs, from the link unless they are many, in the order of ticking."""
    linked = dict.fromkeys(filter(None, st.query_params.get("compare", "").split(",")))
    return list(linked) or list(st.session_state.get(MANY, []))


def set_ticked(ids: list[str]) -> None:
    """Make these the ticked runs."""
    ids = [id for id in ids if ID.fullmatch(id)]
    st.query_params.pop("compare", None)
    st.session_state.pop(MANY, None)
    if len(ids) > LINKED:
        st.session_state[MANY] = ids
    elif ids:
        st.query_params["compare"] = ",".join(ids)


def ticked_runs() -> list[Run]:
    """The ticked runs that are there."""
    there = {run.id: run for run in runs.all()}
    return [there[id] for id in ticked_ids() if id in there]


def tick_all(found: list[Run]) -> None:
    """A checkbox that ticks all runs that were found, also those on other pages of the table."""
    ids, ticked = [run.id for run in found], ticked_ids()
    all_ticked = set(ids) <= set(ticked)
    noun = f"{len(ids):,} found" if st.session_state.get("find") else f"{len(ids):,} runs"
    st.session_state["runs-all"] = all_ticked

    def change() -> None:
        others = [id for id in ticked if id not in set(ids)]
        set_ticked([*others, *ids] if st.session_state["runs-all"] else others)

    st.checkbox(
        f"All {noun} are ticked" if all_ticked else f"Tick all {noun}",
        key="runs-all",
        on_change=change,
        width="content",
    )


def open_run(id: str) -> None:
    """Show the run on the Train page, with its recipe in the controls."""
    try:
        run = runs.open(id)
        recipe, preset = run.recipe, run.preset
        tell_rate_changes(run)
    except (ValueError, LookupError) as error:  # deleted or damaged a moment ago
        st.error(as_text(error), icon=":material/link_off:")
        return
    load_recipe(run, recipe, preset)


def actions(ticked: list[Run]) -> None:
    """Buttons for the ticked runs; always there, so that nothing moves at the first tick."""
    states = {run: runs.summary(run).state for run in ticked}
    one = ticked[0] if len(ticked) == 1 else None
    state = states[one] if one else ""
    if _button("Open", "open_in_new", state not in ("", "damaged")) and one:
        open_run(one.id)
    if _button("Mistakes", "troubleshoot", state in DONE) and one:
        st.switch_page("pages/mistakes.py", query_params={"run": one.id})
    st.button(
        "Untick",
        key="runs-untick",
        icon=":material/close:",
        disabled=not ticked_ids(),
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
    _undo()
    ids = st.session_state.get(DOWNLOADED, [])
    if (downloaded := [run for run in ticked if run.id in ids]) and not chosen:
        download(downloaded)
    if chosen:
        suited = suiting.get(chosen, [])
        _act(chosen, suited, len(ticked) - len(suited))


def _act(action: str, suited: list[Run], left: int) -> None:
    """Do it with the runs that it suits, or ask first; ``left`` more are ticked."""
    if action == "Rename" and suited:
        _rename(suited[0])
    elif action == "Download":
        st.session_state[DOWNLOADED] = [run.id for run in suited]
        st.rerun()
    elif action == "Delete":
        _delete(suited, left)
    else:
        act = {"Pause": engine().pause, "Resume": submit, "Stop": engine().stop}[action]
        try:
            for run in suited:
                act(run)
        except OSError as error:  # a folder that cannot be written
            st.toast(as_text(reason(error)), icon=":material/hard_drive:")
            return
        st.rerun()


def _button(label: str, icon: str, enabled: bool) -> bool:
    key = f"runs-{label.lower()}"
    return st.button(label, key=key, icon=f":material/{icon}:", disabled=not enabled)


def _undo() -> None:
    """Offer to bring back what was deleted last."""
    deleted = st.session_state.get(DELETED, [])
    noun = "run" if len(deleted) == 1 else f"{len(deleted)} runs"
    if deleted and st.button(f"Undo: {noun} deleted", key="runs-undo", icon=":material/undo:"):
        del st.session_state[DELETED]
        restored = []
        for id in deleted:
            try:
                trash.restore(runs.root(), id)
                restored.append(id)
            except LookupError as error:
                st.session_state["runs-lost"] = str(error)
        set_ticked([*ticked_ids(), *restored])
        st.rerun()
    if lost := st.session_state.pop("runs-lost", None):
        st.warning(as_text(lost), icon=":material/delete_forever:")


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


@st.dialog("Delete these runs?", icon=":material/delete:")
def _delete(ticked: list[Run], active: int) -> None:
    """Ask, then delete them; ``active`` more are ticked that are queued or running, and stay."""
    names = ", ".join(f"“{as_text(runs.summary(run).label)}”" for run in ticked[:NAMED])
    more = f" and {len(ticked) - NAMED:,} more" if len(ticked) > NAMED else ""
    stay = f"{active:,} queued or running {'run stays' if active == 1 else 'runs stay'}. "
    kept = f"You can undo this for {trash.SECONDS // 60} minutes."
    if not trash.keeps(ticked[0]):
        kept = "The disk is nearly full, so they are deleted for good."
    st.write(f"{names}{more}: curves, weights and models are deleted. {stay * bool(active)}{kept}")
    delete, cancel = st.columns(2)
    count = f"Delete {len(ticked):,} run{'s' * (len(ticked) != 1)}"
    if delete.button(filled(count), type="primary", width="stretch"):
        gone, problems = set(), []
        for run in ticked:
            try:
                trash.discard(run)
                gone.add(run.id)
            except ValueError as error:
                problems.append(str(error))
        st.session_state[DELETED] = sorted(gone)
        set_ticked([id for id in ticked_ids() if id not in gone])
        for problem in problems:
            st.error(as_text(problem))
        if not problems:
            st.rerun()
    if cancel.button("Cancel", width="stretch"):
        st.rerun()
