"""What a visitor sees before any run: what this is, what to press, and what will come."""

import numpy as np
import streamlit as st

from digits.data.datasets import DATASETS
from digits.recipes.recipe import Recipe
from widgets.shared.gallery import montage
from widgets.shared.session import test_set
from widgets.train.charts import example


def first_visit(recipe: Recipe) -> None:
    """What will happen, and the curves of a recorded run in the place of the visitor's own."""
    info = DATASETS[recipe.dataset]
    images = recipe.train_images or info.train_images
    times = "once" if recipe.epochs == 1 else f"{recipe.epochs} times"
    st.markdown(
        "A convolutional network learns to read handwritten digits. Press **Train**, and it sees "
        f"{images:,} images {times}, while you watch its loss fall and its accuracy rise.  \n"
        "The curves below are an **example**: Fast on MNIST, where one epoch is enough to read "
        "99.2% of the validation digits correctly."
    )
    loss, accuracy, steps = st.columns([5, 5, 4], gap="small", border=True)
    for column, metric in ((loss, "loss"), (accuracy, "accuracy")):
        with column:
            example(metric)
    with steps:
        st.markdown(
            "**Then**\n"
            "1. Change a control on the left, press Train again, and compare the curves.\n"
            "2. See which digits the network confuses, on Mistakes.\n"
            "3. Draw a digit of your own, on Draw."
        )
        _samples(recipe.dataset)


def _samples(dataset: str) -> None:
    """A test digit of each kind, and the splits; nothing where the set cannot be read."""
    try:
        x, y = test_set(dataset)
    except (OSError, ValueError):
        return
    first = [int(np.argmax(y == digit)) for digit in range(10)]
    picture = montage(x[first].reshape(2, 5, 28, 28), scale=4)
    st.image(picture, width="stretch", alt="A handwritten digit of each kind, from 0 to 9.")
    info = DATASETS[dataset]
    st.caption(
        f"{info.title}: {info.train_images:,} images to train on, {info.val_images:,} to validate "
        f"with, {len(x):,} to test on."
    )
