"""What a visitor sees before any run: what this is, what to press, and what will come."""

import streamlit as st

from digits.data.datasets import DATASETS
from digits.recipes.recipe import Recipe
from widgets.train.charts import example


def first_visit(recipe: Recipe) -> None:
    """A sentence, and the curves of a recorded run in the place of the visitor's own."""
    info = DATASETS[recipe.dataset]
    images = recipe.train_images or info.train_images
    st.markdown(
        "A convolutional network learns to read handwritten digits. Press **Train** and watch: it "
        f"sees {images:,} images of {info.title} in each epoch, and its curves replace these, "
        "an **example** recorded on MNIST, where the preset Fast classifies 99.2% of the "
        "validation images correctly after one epoch."
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
