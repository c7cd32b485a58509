"""The controls of a recipe, every one of them part of the page's link."""

from typing import Any

import streamlit as st

from digits.data import datasets
from digits.recipes.layers import DoesNotFit, layers
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import (
    ACTIVATIONS,
    HEADS,
    LOSSES,
    OPTIMIZERS,
    PRECISIONS,
    SCHEDULES,
    Conv,
    Recipe,
)

FILTERS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
UNITS = (16, 32, 64, 128, 256, 512)
BATCHES = (16, 32, 64, 128, 256, 512)
IMAGES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000)
WRITTEN = (0, 1_000, 3_000, 6_000, 12_000, 24_000)
RATES = tuple(float(f"{digit}e{power}") for power in range(-5, 1) for digit in (1, 2, 5))
LOSS_NAMES = {
    "sparse_categorical_crossentropy": "Cross-entropy, integer labels",
    "categorical_crossentropy": "Cross-entropy, one-hot labels",
}
HEAD_NAMES = {
    "flatten": "Flatten",
    "global-average": "Global average",
    "global-max": "Global maximum",
}
OPTIMIZER_NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD with momentum 0.9",
    "rmsprop": "RMSprop",
    "nadam": "Nadam",
    "adadelta": "Adadelta",
}
START = PRESETS["fast"].recipe  # the first press of Train should soon be rewarded
LINK: dict[str, Any] = {"bind": "query-params"}


def set_controls(recipe: Recipe) -> None:
    """Move every control to what the recipe says."""
    state: dict[str, Any] = {
        "dataset": recipe.dataset,
        "images": recipe.train_images or 0,
        "blocks": len(recipe.conv),
        "batchnorm": recipe.batch_norm,
        "convdropout": recipe.conv_dropout,
        "head": recipe.head,
        "dense": len(recipe.dense),
        "dropout": recipe.dropout,
        "activation": recipe.activation,
        "optimizer": recipe.optimizer,
        "rate": recipe.learning_rate,
        "schedule": recipe.schedule,
        "loss": recipe.loss,
        "smoothing": recipe.label_smoothing,
        "batch": recipe.batch_size,
        "epochs": recipe.epochs,
        "patience": recipe.patience,
        "shift": recipe.shift,
        "rotation": recipe.rotation,
        "zoom": recipe.zoom,
        "elastic": recipe.elastic,
        "shear": recipe.shear,
        "stretch": recipe.stretch,
        "stroke_width": recipe.stroke_width,
        "synthetic": recipe.synthetic,
        "precision": recipe.precision,
        "seed": recipe.seed,
    }
    for number, block in enumerate(recipe.conv, 1):
        state[f"filters{number}"] = block.filters
        state[f"kernel{number}"] = block.kernel_size
        state[f"pool{number}"] = block.pool
    for number, units in enumerate(recipe.dense, 1):
        state[f"units{number}"] = units
    for key in state.keys() - st.session_state.keys():  # controls that are about to appear
        st.query_params[key] = str(state[key]).lower()  # take their first value from the link
    st.session_state.update(state)


def recipe_controls() -> Recipe:
    """Show the controls in four tabs and give the recipe that they stand for.

    A block that does not fit says so at its own controls; the recipe is given all the same.
    """
    network, training, images, augmentation = st.tabs(
        ["Network", "Training", "Data", "Augmentation"]
    )
    with network:
        fields = _network()
    with training:
        fields |= _training()
    with images:
        fields |= _images()
    with augmentation:
        fields |= _augmentation()
    return Recipe(**fields)


def _network() -> dict[str, Any]:
    count = st.slider("Convolution blocks", 0, 6, len(START.conv), key="blocks", **LINK)
    blocks: tuple[Conv, ...] = ()
    for number in range(1, count + 1):
        usual = START.conv[min(number, len(START.conv)) - 1]
        with st.container(border=True):
            filters, kernel, pool = st.columns([4, 4, 3], vertical_alignment="bottom")
            blocks += (
                Conv(
                    filters.select_slider(
                        f"Filters {number}", FILTERS, usual.filters, key=f"filters{number}", **LINK
                    ),
                    kernel.slider(
                        f"Kernel size {number}",
                        1,
                        11,
                        usual.kernel_size,
                        key=f"kernel{number}",
                        **LINK,
                    ),
                    pool.toggle("Pool 2×2", usual.pool, key=f"pool{number}", **LINK),
                ),
            )
            try:
                layers(Recipe(conv=blocks))
            except DoesNotFit as error:
                if error.block == number - 1:
                    st.error(str(error), icon=":material/crop_free:")
    norm = st.toggle("Batch normalisation", START.batch_norm, key="batchnorm", **LINK)
    left, right = st.columns(2)
    with left:
        activation = st.selectbox("Activation", ACTIVATIONS, key="activation", **LINK)
    with right:
        head = st.selectbox(
            "After the last block",
            HEADS,
            format_func=HEAD_NAMES.__getitem__,
            key="head",
            help="Flatten keeps where a feature was seen; a global average or maximum keeps only "
            "how much of it there was, in far fewer parameters.",
            **LINK,
        )
    dense = st.slider("Dense layers before the output", 0, 3, len(START.dense), key="dense", **LINK)
    units: tuple[int, ...] = ()
    if dense:
        for number, column in enumerate(st.columns(dense), 1):
            key = f"units{number}"
            units += (column.select_slider(f"Units {number}", UNITS, 64, key=key, **LINK),)
    left, right = st.columns(2)
    with left:
        conv_dropout = _share("Dropout after convolutions", 0.9, START.conv_dropout, "convdropout")
    with right:
        dropout = _share("Dropout before output", 0.9, START.dropout, "dropout")
    return {
        "conv": blocks,
        "batch_norm": norm,
        "conv_dropout": conv_dropout,
        "head": head,
        "dense": units,
        "dropout": dropout,
        "activation": activation,
    }


def _training() -> dict[str, Any]:
    left, right = st.columns(2)
    with left:
        optimizer = st.selectbox(
            "Optimiser",
            OPTIMIZERS,
            format_func=OPTIMIZER_NAMES.__getitem__,
            key="optimizer",
            **LINK,
        )
    with right:
        schedule = st.selectbox(
            "Learning rate schedule",
            SCHEDULES,
            SCHEDULES.index(START.schedule),
            format_func=str.capitalize,
            key="schedule",
            **LINK,
        )
    rate = st.select_slider(
        "Learning rate (peak)",
        RATES,
        START.learning_rate,
        format_func="{:g}".format,
        key="rate",
        **LINK,
    )
    left, right = st.columns(2)
    with left:
        epochs = st.slider("Epochs", 1, 50, for_available_data("fast").epochs, key="epochs", **LINK)
        batch = st.select_slider("Batch size", BATCHES, START.batch_size, key="batch", **LINK)
    with right:
        patience = st.slider(
            "Early stopping: patience",
            0,
            10,
            START.patience,
            key="patience",
            format="%d epochs",
            help="Stop when the validation loss has not improved for so many epochs, and keep the "
            "best weights. 0 trains every epoch.",
            **LINK,
        )
        seed = st.number_input("Seed", 0, 9999, START.seed, key="seed", **LINK)
    loss = st.selectbox(
        "Loss",
        LOSSES,
        LOSSES.index(START.loss),
        format_func=LOSS_NAMES.__getitem__,
        key="loss",
        **LINK,
    )
    one_hot = loss == "categorical_crossentropy"
    smoothing = st.slider(
        "Label smoothing",
        0.0,
        0.3,
        START.label_smoothing,
        0.05,
        key="smoothing",
        disabled=not one_hot,
        help="Needs one-hot labels.",
        **LINK,
    )
    precision = st.selectbox(
        "Precision",
        PRECISIONS,
        format_func=str.capitalize,
        key="precision",
        help="Auto takes bfloat16 where the processor or the GPU computes with it.",
        **LINK,
    )
    return {
        "optimizer": optimizer,
        "schedule": schedule,
        "learning_rate": rate,
        "epochs": epochs,
        "batch_size": batch,
        "patience": patience,
        "seed": seed,
        "loss": loss,
        "label_smoothing": smoothing if one_hot else 0.0,
        "precision": precision,
    }


def _images() -> dict[str, Any]:
    here = [name for name in datasets.NAMES if datasets.available(name)]
    if st.session_state.get("dataset", here[0]) not in here:
        st.session_state["dataset"] = here[0]  # a link from a server that has MNIST
    dataset = st.selectbox("Data set", here, key="dataset", **LINK)
    if "mnist" not in here:
        st.info("MNIST is not on this machine, so UCI's 1,797 digits stand in for it.")
        st.page_link("pages/data.py", label="Add MNIST", icon=":material/download:")
    most = {"mnist": 54_000, "mnist-small": 18_000, "uci": 1_293}[dataset]
    images = st.select_slider(
        "Training images",
        [*(count for count in IMAGES if count < most), 0],
        0,
        format_func=lambda count: f"{count:,}" if count else "All",
        key="images",
        help="Fewer images show what overfitting looks like.",
        **LINK,
    )
    written = st.select_slider(
        "Written digits mixed in",
        WRITTEN,
        START.synthetic,
        key="synthetic",
        help="Slashed zeros, barred sevens, ones with a foot and all other forms that people "
        "write and MNIST has few of, drawn by the app from strokes.",
        **LINK,
    )
    return {"dataset": dataset, "train_images": images or None, "synthetic": written}


def _augmentation() -> dict[str, Any]:
    st.caption("Every training image is moved another way each time that the network sees it.")
    return {
        "shift": st.slider("Shift (pixels)", 0.0, 6.0, START.shift, 0.5, key="shift", **LINK),
        "rotation": st.slider(
            "Rotation (degrees)", 0.0, 45.0, START.rotation, 1.0, key="rotation", **LINK
        ),
        "zoom": _share("Zoom", 0.5, START.zoom, "zoom"),
        "elastic": st.slider(
            "Elastic bend (pixels)", 0.0, 4.0, START.elastic, 0.5, key="elastic", **LINK
        ),
        "shear": st.slider("Slant (degrees)", 0.0, 30.0, START.shear, 1.0, key="shear", **LINK),
        "stretch": _share("Stretch", 0.5, START.stretch, "stretch"),
        "stroke_width": st.slider(
            "Line stroke_width (pixels)",
            0.0,
            1.0,
            START.stroke_width,
            0.1,
            key="stroke_width",
            **LINK,
        ),
    }


def _share(label: str, most: float, value: float, key: str) -> float:
    return st.slider(label, 0.0, most, value, 0.05, key=key, format="percent", **LINK)
