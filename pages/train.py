"""Set the hyperparameters, press Train, and watch the network learn."""

import streamlit as st

from digits.store import runs
from widgets.shared.session import linked_run, via_app
from widgets.train.controls import preset_pills, recipe_controls
from widgets.train.launch import augmentation, network, other_runs, preload, schedule, train_button
from widgets.train.live import live

via_app()

st.title("Train a network")
preset_pills()
top = st.container()  # the run comes first on the page, but the button needs the recipe below

st.subheader("Set-up", anchor=False)
controls, summary = st.columns([3, 2], gap="large")
with controls:
    recipe = recipe_controls()
with summary:
    fits = network(recipe)
    schedule(recipe)
    augmentation(recipe)

with top:
    train_button(recipe, fits)
    run = linked_run()
    other_runs(run)
    if run:
        live(run)

if fits and not runs.queue():
    preload(recipe)
