"""Starts training: the Train button, other visitors' runs, and the preparation ahead of a click."""

import streamlit as st

from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.runs import Run
from widgets.shared.session import choose_run, engine, run_label

PRELOAD_AFTER = 1.5  # seconds that the browser has to draw the page before the engine is busy


def train_button(recipe: Recipe, fits: bool) -> None:
    """The button that queues a run of the recipe and makes it the page's run."""
    if not st.button("Train", type="primary", icon=":material/play_arrow:", disabled=not fits):
        return
    ready = engine()  # stops here where there is none, before a run is created
    preset = next((name for name in PRESETS if for_available_data(name) == recipe), "")
    run = runs.create(recipe, PRESETS[preset].title if preset else "My recipe", preset)
    ready.submit(run)
    choose_run(run)


def other_runs(run: Run | None) -> None:
    """The runs in the queue besides ``run``, each a click away."""
    if others := [queued for queued in runs.queue() if queued != run]:
        st.pills(
            "Also training", others, format_func=run_label, key="train-other", on_change=_watch
        )


def _watch() -> None:
    if st.session_state["train-other"]:
        choose_run(st.session_state["train-other"])


def preload(recipe: Recipe) -> None:
    """Let the engine prepare the recipe, so that the first point follows the click at once.

    For a new visitor it waits until the page is drawn.
    """
    drawn = "train-drawn" in st.session_state
    st.fragment(_prepare, run_every=None if drawn else PRELOAD_AFTER)(recipe)


def _prepare(recipe: Recipe) -> None:
    state = st.session_state
    if "train-drawn" in state:
        engine().preload(recipe)
    elif "train-arrived" in state:  # the fragment's second run
        state["train-drawn"] = True
        st.rerun()
    state["train-arrived"] = True
