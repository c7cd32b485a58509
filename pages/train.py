"""Set the hyperparameters, press Train, and watch the network learn."""

import streamlit as st

from digits.recipes.presets import for_available_data
from digits.store import runs
from widgets.shared.cards import page_heading
from widgets.shared.mnist_offer import offer_mnist
from widgets.shared.session import linked_run, via_app
from widgets.train.controls import load, recipe_controls
from widgets.train.first_visit import first_visit
from widgets.train.launch import preload, shown_run, toolbar
from widgets.train.live import live

via_app()

with st.sidebar:
    recipe, preset = recipe_controls()
fits = toolbar(recipe, preset)
offer_mnist(lambda: load(for_available_data(preset), preset))
if run := shown_run(linked_run()):
    live(run)
else:
    first_visit(recipe)
if fits and not runs.queue():
    preload(recipe)
page_heading("Train", "train")
