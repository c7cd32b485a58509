"""Every run with its state, recipe, accuracy and time; find, compare, open, rename, delete."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from digits.store import runs
from digits.store.runs import Run
from digits.store.status import DONE, UNFINISHED
from widgets.runs.compare import compare
from widgets.shared.drawing_scores import score_line
from widgets.shared.format import duration, test_interval
from widgets.shared.session import choose_run, engine, via_app

via_app()

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


@st.dialog("Rename the run", icon=":material/edit:")
def rename(one: Run) -> None:
    """Ask for the new name."""
    with st.form("rename", border=False):
        name = st.text_input("Name", one.name, max_chars=80)
        if st.form_submit_button("Rename", type="primary"):
            try:
                one.rename(name)
                st.rerun()
            except ValueError as error:
                st.error(str(error))


@st.dialog("Delete the run?", icon=":material/delete:")
def delete(one: Run, name: str) -> None:
    """Ask before what cannot be undone."""
    st.write(f"“{name}” goes for good: its curves, its weights and its model.")
    yes, no = st.columns(2)
    if yes.button("Delete", type="primary", width="stretch"):
        try:
            one.delete()
            st.rerun()
        except (ValueError, OSError) as error:
            st.error(str(error))
    if no.button("Keep it", width="stretch"):
        st.rerun()


def summary(one: Run) -> str:
    """State, accuracy and time of a run in one line."""
    status, result = one.status, one.result()
    words = [status.state.capitalize()]
    if status.state in UNFINISHED:
        words.append(f"epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}")
    if status.state == "interrupted" and status.epoch:
        words.append(f"after epoch {status.epoch} of {status.epochs}")
    if result:
        words.append(f"**{result['test_accuracy']:.2%}** on test ({test_interval(result)})")
        words.append(f"{result['parameters']:,} parameters")
        words.append(f"{result['epochs']} epochs in {duration(result['seconds'])}")
    return f"{ICONS.get(status.state, '')} {' · '.join(words)}"


def row(one: Run, going: bool) -> DeltaGenerator | None:
    """What a run is; follows one that is going, and starts the page anew when it ends.

    Gives the place for its score on drawings.
    """
    try:
        if going and one.status.state not in UNFINISHED:
            st.rerun()
        st.markdown(f"**{one.name}** · {one.created:%d %b %Y %H:%M} UTC  \n{summary(one)}")
        slot = st.empty()
        st.caption(str(one.recipe))
        return slot
    except ValueError as error:
        st.error(f"{error} The other files are untouched.", icon=":material/broken_image:")
        return None


def actions(one: Run, name: str) -> None:
    """What can be done with a run, in a menu."""
    state = one.status.state
    if st.button("Open", key=f"open-{one.id}", icon=":material/open_in_new:", width="stretch"):
        choose_run(one)
        st.switch_page("pages/train.py", query_params={"run": one.id})
    if state in DONE and st.button(
        "Its mistakes", key=f"mistakes-{one.id}", icon=":material/troubleshoot:", width="stretch"
    ):
        choose_run(one)
        st.switch_page("pages/mistakes.py", query_params={"run": one.id})
    if state == "interrupted" and st.button(
        "Resume", key=f"resume-{one.id}", icon=":material/resume:", width="stretch"
    ):
        engine().submit(one)
        st.rerun()
    if state in UNFINISHED and st.button(
        "Stop", key=f"stop-{one.id}", icon=":material/stop:", width="stretch"
    ):
        engine().stop(one)
        st.rerun()
    for ending, path in (("keras", one.model_path), ("h5", one.h5_path)):
        if path.exists():
            stem = "mnist" if one.preset == "adadelta" else "-".join(name.lower().split())
            st.download_button(
                f"Download .{ending}",
                path.read_bytes,
                f"{stem}.{ending}",
                key=f"{ending}-{one.id}",
                icon=":material/download:",
                width="stretch",
                on_click="ignore",
            )
    if st.button("Rename", key=f"rename-{one.id}", icon=":material/edit:", width="stretch"):
        rename(one)
    remove(one, name)


def remove(one: Run, name: str) -> None:
    """The button that asks before it deletes."""
    if st.button("Delete", key=f"delete-{one.id}", icon=":material/delete:", width="stretch"):
        delete(one, name)


def compared() -> list[str]:
    """The ids of the runs whose curves are shown, from the link."""
    return [id for id in st.query_params.get("compare", "").split(",") if id]


def pick(ids: list[str], shown: bool) -> None:
    """Lay the curves of these runs over the others, or take them away."""
    kept = [id for id in compared() if id not in ids]
    if chosen := kept + ids * shown:
        st.query_params["compare"] = ",".join(chosen)
    else:
        st.query_params.pop("compare", None)


def tick(one: Run) -> None:
    """Do what the box at a run says."""
    pick([one.id], st.session_state[f"compare-{one.id}"])


def accuracy(one: Run) -> float:
    """On the test set, for the order of the list; below all others without a result."""
    try:
        result = one.result()
        return float(result["test_accuracy"]) if result else -1.0
    except ValueError:
        return -1.0


def first_page() -> None:
    """Another list begins at its first page."""
    st.session_state["page"] = 1


st.title("Runs", anchor=False)
if not runs.all():
    st.info("No network has been trained yet.")
    st.page_link("pages/train.py", label="Train the first", icon=":material/model_training:")
    st.stop()

busy = runs.queue()
chart = st.container()  # comes first on the page; the boxes below decide what is in it

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    words = st.text_input(
        "Find",
        key="find",
        type="search",
        placeholder="Name, recipe or state: adam failed",
        icon=":material/search:",
        on_change=first_page,
        bind="query-params",
        width=360,
    )
    order = st.selectbox(
        "Order", ORDERS, key="order", on_change=first_page, bind="query-params", width=200
    )
listed_runs = runs.search(words or "")
if order == ORDERS[1]:
    listed_runs.sort(key=accuracy, reverse=True)
pages = max(1, -(-len(listed_runs) // PER_PAGE))
if st.session_state.get("page", 1) > pages:
    first_page()
page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
listed = listed_runs[PER_PAGE * (page - 1) : PER_PAGE * page]
slots = {}
if words:
    st.caption(
        f"{len(listed_runs):,} of {len(runs.all()):,} runs. {'' if runs else 'No run says that.'}"
    )

for one in listed:
    with st.container(border=True):
        text, menu = st.columns([6, 1], vertical_alignment="center")
        going = one in busy
        with text:
            if going:
                st.fragment(row, run_every=1)(one, going)
            else:
                slots[one] = row(one, going)
        with menu.popover("Actions", width="stretch"):
            try:
                actions(one, one.name)
            except ValueError:  # said beside it
                remove(one, one.id)
        key = f"compare-{one.id}"
        st.session_state[key] = one.id in compared()
        menu.checkbox("Compare", key=key, on_change=tick, args=[one])

if ids := compared():
    with chart.container(border=True):
        chosen = [one for one in runs.all() if one.id in ids]
        chosen.sort(key=lambda one: ids.index(one.id))
        alive = any(one in busy for one in chosen)
        st.fragment(compare, run_every=1 if alive else None)(chosen)
        if gone := len(ids) - len(chosen):
            st.caption(f"{gone} of the runs in the link are no longer here.")
        with st.container(horizontal=True):
            st.button("Compare none", icon=":material/clear_all:", on_click=pick, args=[ids, False])
            rest = [one.id for one in listed if one.id not in ids]
            st.button(
                "Add all on this page",
                icon=":material/stacked_line_chart:",
                on_click=pick,
                args=[rest, True],
                disabled=not rest,
            )

for one, slot in slots.items():  # the list is there before a network has read a drawing
    if slot:
        score_line(one, slot)
