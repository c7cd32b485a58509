"""Lets the engine build what is set up before anybody presses Train."""

import streamlit as st

from digits.recipes.recipe import Recipe
from widgets.shared.session import engine

AFTER = 1.5  # seconds that the browser has to draw the page before the engine takes a processor


def preload(recipe: Recipe) -> None:
    """Prepare the recipe once a new visitor's page is drawn, and at once after that."""
    drawn = "drawn" in st.session_state
    st.fragment(_prepare, run_every=None if drawn else AFTER)(recipe)


def _prepare(recipe: Recipe) -> None:
    state = st.session_state
    if "drawn" in state:
        engine().preload(recipe)
    elif "arrived" in state:  # this is the second look
        state["drawn"] = True
        st.rerun()
    state["arrived"] = True
