"""Every run in a table: find, sort, tick, compare, open, resume, stop, rename, download, delete."""

import streamlit as st

from digits.store import runs
from widgets.runs.compare import comparison
from widgets.runs.listing import CHANGED, OPENED, find, listing
from widgets.runs.selection import actions, open_run, ticked_runs
from widgets.shared.session import via_app

via_app()

st.session_state.pop(CHANGED, None)
if opened := st.session_state.pop(OPENED, None):
    open_run(opened)

if not runs.all():
    st.title("Runs", anchor=False)
    st.info("No run yet.")
    st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
    st.stop()

ticked = ticked_runs()
with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
    st.title("Runs", anchor=False, width="content")
    matches = find()
    actions(ticked)
    st.page_link("pages/sweeps.py", label="Sweeps", icon=":material/manage_search:")
left, right = st.columns([2, 1], gap="small")
with left, st.container(border=True, height="stretch"):
    listed = listing(matches)
with right, st.container(border=True, height="stretch"):
    comparison(ticked, listed)
