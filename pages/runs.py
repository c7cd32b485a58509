"""Every run with its state, recipe, accuracy and time; find, compare, open, rename, delete."""

import streamlit as st

from digits.store import runs
from widgets.runs.compare import compare_checkbox, comparison
from widgets.runs.listing import actions, page_of, run_row, search_controls
from widgets.shared.drawings import score_line
from widgets.shared.session import via_app

via_app()

st.title("Runs", anchor=False)
if not runs.all():
    st.info("No run yet.")
    st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
    st.stop()

queue = runs.queue()
top = st.container()  # comes first on the page; the checkboxes below decide what is in it
listed = page_of(search_controls())
slots = {}  # for the accuracy on drawings
for run in listed:
    with st.container(border=True):
        text, menu = st.columns([6, 1], vertical_alignment="center")
        with text:
            slots[run] = run_row(run, run in queue)
        with menu:
            actions(run)
            compare_checkbox(run)
with top:
    comparison(listed, queue)
for run, slot in slots.items():  # the list is there before a model has seen a drawing
    if slot:
        score_line(run, slot)
