"""Set the hyperparameters, press Train, and watch the network learn."""

import streamlit as st

from digits.recipes.presets import PRESETS, for_available_data
from digits.store import runs
from widgets.shared.session import choose_run, engine, linked_run, run_label, via_app
from widgets.train.controls import recipe_controls, set_controls
from widgets.train.live import live
from widgets.train.preload import preload
from widgets.train.summary import augmentation, network, schedule

via_app()


def take_preset() -> None:
    """Move the controls to the preset just clicked."""
    if st.session_state["preset"]:
        set_controls(for_available_data(st.session_state["preset"]))


def watch_other() -> None:
    """Turn to another visitor's run."""
    if st.session_state["other"]:
        choose_run(st.session_state["other"])


st.title("Train a network")
if not st.query_params:  # the controls start as this one
    st.session_state.setdefault("preset", "fast")
picked = st.pills(
    "Start from a preset",
    PRESETS,
    format_func=lambda name: PRESETS[name].title,
    key="preset",
    on_change=take_preset,
)
if picked:
    chosen = PRESETS[picked]
    reports = (("its author", chosen.reported), ("here, mean of three seeds", chosen.reached))
    figures = [f"{who} {accuracy:.2%}" for who, accuracy in reports if accuracy]
    st.caption(f"{chosen.story} {'Test accuracy: ' + ', '.join(figures) + '.' if figures else ''}")

top = st.container()  # what is training comes first on the page; the set-up decides it

st.subheader("Set-up", anchor=False)
controls, summary = st.columns([3, 2], gap="large")
with controls:
    recipe = recipe_controls()
with summary:
    fits = network(recipe)
    schedule(recipe)
    augmentation(recipe)

with top:
    if st.button("Train", type="primary", icon=":material/play_arrow:", disabled=not fits):
        line = engine()
        preset = next((name for name in PRESETS if for_available_data(name) == recipe), "")
        title = PRESETS[preset].title if preset else "My recipe"
        started = runs.create(recipe, title, preset)
        line.submit(started)
        choose_run(started)
    watched = linked_run()
    others = [one for one in runs.queue() if one != watched]
    if others:
        st.pills("Also training", others, format_func=run_label, key="other", on_change=watch_other)
    if watched:
        live(watched)

if fits and not runs.queue():
    preload(recipe)  # so that the first point follows the click at once
