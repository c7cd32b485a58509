"""Which sweep is shown, in the link too, and what can be done with it."""

import streamlit as st

from digits.recipes.presets import PRESETS
from digits.recipes.recipe import HYPERPARAMETERS
from digits.store import sweeps
from digits.store.sweeps import Sweep, Wanted
from widgets.shared.cards import page_heading
from widgets.shared.format import as_text, filled
from widgets.shared.session import drive_sweeps

NEW = "new"
SEARCH = "search"  # the link's parameter: hyperparameters of a new sweep, and the text of each
ACTIONS: dict[Wanted, tuple[str, str, str]] = {
    "run": ("Resume", "resume", "Trials begin and go on again."),
    "pause": ("Pause", "pause", "No trial begins or goes on; running ones come to their rung."),
    "stop": ("Stop", "stop", "Running trials come to their rung; then the winner is trained."),
    "cancel": ("Cancel", "cancel", "Running trials end at once, and there is no winner."),
}


def toolbar() -> Sweep | None:
    """Let the visitor choose a sweep and steer it; ``None`` for a new one."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Sweeps", anchor=False, width="content")
        sweep = _choose()
        if sweep:
            _actions(sweep)
            st.button("New sweep", icon=":material/add:", on_click=show, args=[None])
        st.page_link("pages/runs.py", label="Runs", icon=":material/format_list_bulleted:")
        st.page_link("pages/train.py", label="Train", icon=":material/model_training:")
        page_heading("", "sweeps")
    return sweep


def show(sweep: Sweep | None) -> None:
    """Let the page show this sweep, or the set-up of a new one, when it runs next."""
    st.query_params["sweep"] = sweep.id if sweep else NEW


def _choose() -> Sweep | None:
    """The sweep of the link, else the latest; ``None`` where there is none, or for a new one."""
    state, there = st.session_state, {sweep.id: sweep for sweep in sweeps.all()}
    options = [*there, NEW]
    linked = st.query_params.get("sweep")
    if linked != state.get("sweep-linked") or state.get("sweep") not in options:
        state["sweep"] = linked if linked in options else options[0]
        if linked and linked not in options:
            try:
                sweeps.open(linked)
            except (ValueError, LookupError) as error:
                st.error(as_text(error), icon=":material/link_off:")
    chosen = st.selectbox(
        "Sweep",
        options,
        format_func=lambda id: _label(there[id]) if id in there else "New sweep",
        key="sweep",
        label_visibility="collapsed",
        width=460,
    )
    if chosen != NEW:
        st.query_params.pop(SEARCH, None)
    if chosen == options[0]:
        st.query_params.pop("sweep", None)
    elif st.query_params.get("sweep") != chosen:
        st.query_params["sweep"] = chosen
    state["sweep-linked"] = st.query_params.get("sweep")
    return there.get(chosen)


def _label(sweep: Sweep) -> str:
    try:
        plan = sweep.plan
        title = f"{PRESETS[plan.preset].title}: " if plan.preset in PRESETS else ""
        searched = [HYPERPARAMETERS[name].label.lower() for name in plan.space.dimensions]
        return f"Sweep {sweep.number} · {title}{', '.join(searched)}"
    except ValueError:
        return f"{sweep.id} (damaged)"


def _actions(sweep: Sweep) -> None:
    """Pause or resume, stop and cancel; delete what is over or damaged."""
    try:
        over, wanted = sweep.progress.state != "running", sweep.wanted
        over = over or not sweep.plan
    except ValueError:
        over, wanted = True, "run"
    if over:
        if st.button("Delete", icon=":material/delete:", key="sweep-delete"):
            _delete(sweep)
    else:
        shown: list[Wanted] = ["run" if wanted == "pause" else "pause", "stop", "cancel"]
        for action in shown:
            label, icon, help = ACTIONS[action]
            if st.button(
                label,
                icon=f":material/{icon}:",
                help=help,
                key=f"sweep-{action}",
                disabled=wanted == action,
            ):
                _want(sweep, action)


def _want(sweep: Sweep, wanted: Wanted) -> None:
    if wanted == "cancel":
        _cancel(sweep)
        return
    try:
        sweep.want(wanted)
    except OSError as error:
        st.error(as_text(error), icon=":material/hard_drive:")
        return
    drive_sweeps()
    st.rerun()


@st.dialog("Cancel the sweep?", icon=":material/cancel:")
def _cancel(sweep: Sweep) -> None:
    st.write("Running trials end at once, and no winner is trained. All runs are kept.")
    cancel, back = st.columns(2)
    if cancel.button(filled("Cancel the sweep"), type="primary", width="stretch"):
        sweep.want("cancel")
        drive_sweeps()
        st.rerun()
    if back.button("Go on", width="stretch"):
        st.rerun()


@st.dialog("Delete the sweep?", icon=":material/delete:")
def _delete(sweep: Sweep) -> None:
    st.write("The sweep is deleted for good. Its runs stay on the Runs page.")
    delete, back = st.columns(2)
    if delete.button(filled("Delete the sweep"), type="primary", width="stretch"):
        try:
            sweeps.delete(sweep)
        except (OSError, ValueError) as error:
            st.error(as_text(error))
        else:
            st.query_params.pop("sweep", None)
            st.rerun()
    if back.button("Keep it", width="stretch"):
        st.rerun()
