"""What the pages share: the link, the engine, the chosen run, and the test digits."""

import math
from itertools import pairwise

import numpy as np
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from digits.data import datasets
from digits.engine import Engine
from digits.recipes.differences import closest_preset
from digits.recipes.recipe import Recipe
from digits.store import learning_rate, runs
from digits.store.files import reason
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from widgets.shared.format import as_text

LINKED_FORKS = 4  # of a run, which fit into a line
RECIPE_TOLD = "recipe-told"  # in the session: what to say when the controls show another recipe
FORK = "fork-from"  # in the session: id and epoch of the run that the next one continues


def via_app() -> None:
    """Send a first request that came to a page's own file through ``app.py`` instead.

    Until ``app.py`` has run once, a fresh server takes ``pages/`` for the old kind of multipage
    app and would show this page without the app's menu around it, to everybody who comes then.
    """
    state = st.session_state
    if "link-checked" not in state and "sent-via-app" not in state:
        state["sent-via-app"] = True
        PagesManager.uses_pages_directory = False
        st.rerun()


def check_link() -> None:
    """Take what is no value out of a new visitor's link: Streamlit fails at "" and infinity."""
    if "link-checked" in st.session_state:
        return
    st.session_state["link-checked"] = True
    parameters = st.query_params
    unusable = [name for name in parameters if not all(map(_usable, parameters.get_all(name)))]
    for name in unusable:
        del parameters[name]
    if unusable:
        st.rerun()  # for the controls start from the link that the run began with


def _usable(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:  # a word
        return bool(value)


def engine() -> Engine:
    """The one engine of this server; a sentence and the end of the page where there is none."""
    try:
        return started_engine()
    except OSError as error:
        st.error(
            f"There is no engine to train or predict. {as_text(error)}", icon=":material/power_off:"
        )
        st.stop()


@st.cache_resource(show_spinner="Starting the training engine …", validate=Engine.alive)
def started_engine() -> Engine:
    """The same engine where there may be no page, as in a download. Raises ``OSError``."""
    started = Engine()
    started.drive_sweeps()  # those that an earlier server has left
    return started


def drive_sweeps() -> None:
    """See to the sweeps that are not over; call it when one has begun or is to go on."""
    engine().drive_sweeps()


def submit(run: Run) -> None:
    """Queue a run; a sentence and the end of the page where there is no room for it."""
    try:
        engine().submit(run)
    except OSError as error:
        st.error(as_text(reason(error)), icon=":material/hard_drive:")
        st.stop()


@st.cache_resource(max_entries=3, show_spinner=False)
def test_set(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Test images (n, 28, 28) uint8 and labels (n,) uint8, once for all visitors."""
    return datasets.load_test(name)


def linked_run() -> Run | None:
    """The run that the link or an earlier page names, kept in the link; ``None`` without one."""
    id = st.query_params.get("run") or st.session_state.get("chosen_run")
    if not id:
        return None
    try:
        run = runs.open(id)
    except (ValueError, LookupError) as error:
        st.error(as_text(error), icon=":material/link_off:")
        st.session_state.pop("chosen_run", None)
        st.query_params.pop("run", None)
        return None
    choose_run(run)
    return run


def choose_run(run: Run) -> None:
    """Make it the run of every page, and of the link.

    A link that has lost the run is left alone: the visitor went back to it, and wants to leave.
    """
    state, place = st.session_state, (st.context.url, run.id)
    state["chosen_run"] = run.id
    if st.query_params.get("run") != run.id and state.get("run-in-link") != place:
        st.query_params["run"] = run.id
    state["run-in-link"] = place


def done_runs() -> list[Run]:
    """The runs that have a result and a model, newest first."""
    return runs.done()


def chosen_run() -> Run:
    """Let the visitor choose among the runs that have a result; explain and stop without any."""
    linked = linked_run()
    done = done_runs()
    if not done:
        st.info("No run has finished yet. Train one, then come back to see its mistakes.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
        st.stop()
    index = done.index(linked) if linked in done else 0
    if linked and linked not in done:
        st.info(f"“{as_text(run_label(linked))}” has no result yet, so another run is shown.")
    run = st.selectbox(
        "Run", done, index=index, format_func=run_label, label_visibility="collapsed", width=320
    )
    choose_run(run)
    return run


def choose_model() -> ModelRef:
    """Let the visitor choose a model: that of a run that has one, or the shipped one."""
    linked = linked_run()
    models = [None, *done_runs()]
    if linked and linked not in models:
        st.info(f"“{as_text(run_label(linked))}” has no model yet, so the shipped model is used.")
    run = st.selectbox(
        "Model",
        models,
        index=models.index(linked) if linked in models else 0,
        format_func=lambda run: run_label(run) if run else "Shipped model",
        label_visibility="collapsed",
    )
    if run:
        choose_run(run)
    elif linked in models:
        st.session_state.pop("chosen_run", None)
        st.query_params.pop("run", None)
    return ModelRef(run)


def run_label(run: Run) -> str:
    """A run in a list: its number, name and test accuracy; its id instead of a damaged name."""
    summary = runs.summary(run)
    accuracy = "" if summary.test_accuracy is None else f" · {summary.test_accuracy:.2%}"
    return f"{summary.label}{accuracy}"


def fork_from(run: Run, epoch: int) -> None:
    """Open the Train page to continue a run after an epoch, with its recipe in the controls."""
    st.session_state[FORK] = run.id, epoch
    tell_rate_changes(run)
    load_recipe(run, run.recipe, run.preset)


def tell_rate_changes(run: Run) -> None:
    """Let the Train page say what its controls, with the recipe of this run, do not hold.

    Raises ``ValueError`` when the file of the changes is damaged.
    """
    if not (changes := learning_rate.changes(run)):
        return
    rates = [run.recipe.learning_rate, *(change.learning_rate for change in changes)]
    words = ", ".join(
        f"{old:g} to {new:g} at step {change.step:,}"
        for (old, new), change in zip(pairwise(rates), changes, strict=True)
    )
    st.session_state[RECIPE_TOLD] = (  # its first 100 letters are seen at once
        f"The controls hold the recipe as it began, not the later learning rate ({words})."
    )


def fork_links(run: Run) -> None:
    """A line with links to the runs that were forked from it; nothing where there is none."""
    if not (children := runs.children(run)):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(":material/call_split: Forks of it:", width="content")
        for child in children[:LINKED_FORKS]:
            label = as_text(runs.summary(child).label)
            st.page_link("pages/train.py", label=label, query_params={"run": child.id})
        if (more := len(children) - LINKED_FORKS) > 0:
            st.caption(f"and {more:,} more", width="content")


def load_recipe(run: Run, recipe: Recipe, preset: str = "") -> None:
    """Open the Train page with a run, and its recipe in the controls.

    The link names the run from the start: each change of a link is a step of the browser's Back.
    """
    st.session_state["recipe-to-load"] = preset or closest_preset(recipe), recipe
    st.switch_page("pages/train.py", query_params={"run": run.id})
