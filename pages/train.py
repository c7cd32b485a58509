"""Set the hyperparameters, press Train, and watch the network learn."""

import streamlit as st

from digits import run
from digits.presets import PRESETS, at_hand
from widgets.ahead import prepare
from widgets.live import live
from widgets.session import choose, engine, label, linked_run, via_app
from widgets.setup import put, setup
from widgets.summary import augmentation, network, schedule

via_app()


def take_preset() -> None:
    """Move the controls to the preset just clicked."""
    if st.session_state["preset"]:
        put(at_hand(st.session_state["preset"]))


def watch_other() -> None:
    """Turn to another visitor's run."""
    if st.session_state["other"]:
        choose(st.session_state["other"])


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
    recipe = setup()
with summary:
    fits = network(recipe)
    schedule(recipe)
    augmentation(recipe)

with top:
    if st.button("Train", type="primary", icon=":material/play_arrow:", disabled=not fits):
        line = engine()
        preset = next((name for name in PRESETS if at_hand(name) == recipe), "")
        title = PRESETS[preset].title if preset else "My recipe"
        started = run.create(recipe, title, preset)
        line.submit(started)
        choose(started)
    watched = linked_run()
    others = [one for one in run.queue() if one != watched]
    if others:
        st.pills("Also training", others, format_func=label, key="other", on_change=watch_other)
    if watched:
        live(watched)

if fits and not run.queue():
    prepare(recipe)  # so that the first point follows the click at once
