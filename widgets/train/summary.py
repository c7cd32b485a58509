"""Previews a recipe before it is trained: layers, learning rate, augmented images."""

import numpy as np
import streamlit as st

from digits.recipes.keras_script import keras_script
from digits.recipes.layers import DoesNotFit, layers
from digits.recipes.recipe import AUGMENTATIONS, Recipe
from digits.recipes.schedule import learning_rates
from widgets.shared.gallery import montage
from widgets.shared.plot import plot
from widgets.shared.session import engine

SAMPLES = 10


def network(recipe: Recipe) -> bool:
    """Show the layer table; gives whether the network can be built."""
    try:
        rows = layers(recipe)
    except DoesNotFit as error:
        st.metric("Parameters", "–")
        st.warning(f"This network cannot be built. {error}", icon=":material/crop_free:")
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
        st.error(f"No preview: {error}", icon=":material/image_not_supported:")
    else:
        alt = f"{SAMPLES} training images in a row, and the same ones as augmented."
        st.image(montage(images, scale=4), width="stretch", alt=alt)


@st.cache_data(max_entries=50, show_spinner="Preparing a preview …")
def _augmented(recipe: Recipe) -> np.ndarray:
    return engine().augment(recipe, SAMPLES)
