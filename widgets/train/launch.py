"""Before a run: previews of the recipe, the Train button, and preparation ahead of the click."""

import numpy as np
import streamlit as st

from digits.recipes.keras_script import keras_script
from digits.recipes.layers import DoesNotFit, layers
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import AUGMENTATIONS, Recipe
from digits.recipes.schedule import learning_rates
from digits.store import runs
from digits.store.files import reason
from digits.store.runs import Run
from widgets.shared.format import as_text
from widgets.shared.gallery import montage
from widgets.shared.plot import plot
from widgets.shared.session import choose_run, engine, run_label

SAMPLES = 10
PRELOAD_AFTER = 1.5  # seconds that the browser has to draw the page before the engine is busy


def network(recipe: Recipe) -> bool:
    """Show the layer table; gives whether the network can be built."""
    try:
        rows = layers(recipe)
    except DoesNotFit as error:
        st.metric("Parameters", "–")
        st.warning(f"This network cannot be built. {as_text(error)}", icon=":material/crop_free:")
        return False
    st.metric("Parameters", f"{sum(row.parameters for row in rows):,}")
    lines = [
        f"| {row.name} | {' × '.join(f'{size:,}' for size in row.shape)} | {row.parameters:,} |"
        for row in rows
    ]
    st.markdown("\n".join(["| Layer | Output shape | Parameters |", "|:--|:--|--:|", *lines]))
    with st.expander("The Keras code", icon=":material/code:"):
        st.code(keras_script(recipe), language="python")
    return True


def schedule(recipe: Recipe) -> None:
    """Plot the learning rate from the first step to the last."""
    rates = learning_rates(recipe, 101)
    st.caption(f"Learning rate: {recipe.schedule}")
    plot(
        [{"y": rates, "mode": "lines", "hovertemplate": "%{y:.2g} after %{x} %<extra></extra>"}],
        {
            "xaxis": {
                "range": [0, 102],
                "tickvals": [0, 50, 100],
                "ticktext": ["first step", "half-way", "last"],
            },
            "yaxis": {"rangemode": "tozero", "tickformat": "~g", "nticks": 4, "ticklabelshift": -4},
        },
        key="train-schedule",
        height=150,
        alt=f"Learning rate over the run: {recipe.schedule}, at most {recipe.learning_rate:g}.",
    )


def augmentation(recipe: Recipe) -> None:
    """Show training images as they are and as augmented; nothing without augmentation."""
    if not (recipe.augments or recipe.synthetic):
        return
    st.caption("Training images, and below them the same ones as the network sees them")
    try:
        names = ("dataset", "seed", "synthetic", *AUGMENTATIONS)
        images = _augmented(Recipe(**{name: getattr(recipe, name) for name in names}))
    except (OSError, ValueError) as error:
        st.error(f"No preview: {as_text(error)}", icon=":material/image_not_supported:")
    else:
        alt = f"{SAMPLES} training images in a row, and the same ones as augmented."
        st.image(montage(images, scale=4), width="stretch", alt=alt)


@st.cache_data(max_entries=50, show_spinner="Preparing a preview …")
def _augmented(recipe: Recipe) -> np.ndarray:
    return engine().augment(recipe, SAMPLES)


def train_button(recipe: Recipe, fits: bool) -> None:
    """The button that queues a run of the recipe and makes it the page's run."""
    if not st.button("Train", type="primary", icon=":material/play_arrow:", disabled=not fits):
        return
    ready = engine()  # stops here where there is none, before a run is created
    preset = next((name for name in PRESETS if for_available_data(name) == recipe), "")
    try:
        run = runs.create(recipe, PRESETS[preset].title if preset else "My recipe", preset)
        ready.submit(run)
    except OSError as error:
        st.error(reason(error), icon=":material/hard_drive:")
        return
    choose_run(run)


def other_runs(run: Run | None) -> None:
    """The runs in the queue besides ``run``, each a click away."""
    if others := [queued for queued in runs.queue() if queued != run]:
        st.pills(
            "Also training",
            others,
            format_func=lambda queued: as_text(run_label(queued)),
            key="train-other",
            on_change=_watch,
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
    """Prepare at the fragment's second run, and from then on at every run of the page."""
    state = st.session_state
    if "train-arrived" in state:
        state["train-drawn"] = True
        engine().preload(recipe)
    state["train-arrived"] = True
