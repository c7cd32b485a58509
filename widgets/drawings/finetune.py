"""The set-up of a fine-tuning run on people's drawings."""

import dataclasses

import streamlit as st

from digits.ink.collection import Drawing
from digits.recipes.recipe import HYPERPARAMETERS, Finetuning
from digits.store import finetuning
from digits.store.run_folder import Run
from widgets.shared.format import as_text, counted, filled
from widgets.shared.session import choose_run, done_runs, run_label, submit

LEARNING_RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
REPLAYS = (0, 500, 1_000, 2_000, 5_000, 10_000, 60_000)
DRAWINGS_PER_EPOCH = 500  # with repeats, unless the visitor wants otherwise


def finetune_controls(drawings: list[Drawing], selected: Run | None) -> None:
    """The controls and the button; the base model is at first that of the selected run."""
    st.header("Fine-tuning", anchor=False)
    st.markdown(
        "Continue the training of a model on a part of the drawings. The held-out drawings show "
        "what it gained, and the test images what it forgot."
    )
    if not (runs := done_runs()):
        st.info("No run has finished yet, so there is no base model.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
        return
    index = runs.index(selected) if selected in runs else 0
    base = st.selectbox("Base model", runs, index=index, format_func=run_label)
    left, right = st.columns(2, gap="medium")
    with left:
        share = st.slider(
            "Training drawings",
            0.1,
            0.9,
            0.5,
            0.1,
            format="percent",
            key="drawings-share",
            help="The share of the drawings that the model trains on; the others are held out, to "
            "measure what it learned. With more it learns more, and the measure is less certain.",
        )
        seed = st.number_input(
            "Seed of the split",
            0,
            9999,
            0,
            key="drawings-seed",
            help="Decides which drawings are held out. Another seed shows how much is chance.",
        )
        usual = min(50, max(1, round(DRAWINGS_PER_EPOCH / (share * len(drawings)))))
        repeats = st.slider(
            "Repeats per epoch",
            1,
            50,
            usual,
            key="drawings-repeats",
            help="How often the model sees each training drawing in an epoch. With more it learns "
            "the drawings sooner, and forgets its training images sooner.",
        )
    with right:
        replay = st.select_slider(
            "Replayed images per epoch",
            REPLAYS,
            2_000,
            key="drawings-replay",
            format_func=lambda n: "None" if not n else "All" if n == REPLAYS[-1] else f"{n:,}",
            help="How many images of the base model's data set are mixed into each epoch. With "
            "more the model forgets less of them; with none, you see how fast it forgets.",
        )
        epochs = st.slider(
            "Epochs", 1, 30, 5, key="drawings-epochs", help=HYPERPARAMETERS["epochs"].help
        )
        learning_rate = st.select_slider(
            "Learning rate (Adam)",
            LEARNING_RATES,
            3e-4,
            key="drawings-learning-rate",
            format_func="{:g}".format,
            help=HYPERPARAMETERS["learning_rate"].help,
        )
    try:
        finetune = Finetuning(base.id, share, int(seed), repeats, replay)
        train, held_out = finetuning.split(drawings, finetune, finetuning.seen_drawings(base))
        recipe = dataclasses.replace(
            base.recipe,
            finetune=finetune,
            fork=None,
            epochs=epochs,
            learning_rate=learning_rate,
            optimizer="adam",
            schedule="constant",
            patience=0,
        )
    except ValueError as error:
        st.info(as_text(error), icon=":material/info:")
        return
    st.caption(
        f"Trains on {counted(len(train), 'drawing')}; "
        f"{counted(len(held_out), 'drawing')} held out to measure the result."
    )
    if st.button(filled("Fine-tune"), type="primary", icon=":material/school:"):
        try:
            run = finetuning.create(base, recipe, drawings, f"{base.name}, fine-tuned")
        except (ValueError, OSError) as error:
            st.error(as_text(error), icon=":material/error:")
            return
        submit(run)
        choose_run(run)
        st.switch_page("pages/train.py", query_params={"run": run.id})
