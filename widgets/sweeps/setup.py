"""The set-up of a new sweep: from which recipe, what is searched, for how long."""

import dataclasses

import streamlit as st

from digits.data import datasets
from digits.recipes.halving import expected_epochs, rungs
from digits.recipes.hyperparameters import GROUPS
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.recipes.space import SEARCHABLE, Space, parse_dimension, suggestion
from digits.recipes.suggest import SAMPLERS, Sampler
from digits.store import sweeps
from digits.store.expected_time import expected_seconds
from digits.store.files import reason
from digits.store.sweeps import SEEDS, Plan
from widgets.shared.cards import cards
from widgets.shared.format import as_text, duration, filled
from widgets.shared.session import drive_sweeps, engine
from widgets.sweeps.toolbar import show

START = ("learning_rate", "batch_size")  # what is searched unless the visitor changes it
TRIALS, MINUTES, EPOCHS = 30, 10, 9
PRESET, CONTROLS = "fast", "Train's controls"


def new_sweep() -> None:
    """What is searched, and beside it what all trials share, the budget and Start."""
    left, right = cards([11, 9], "sweep-setup")
    with left:
        space = _space()
    with right:
        base, preset = _base()
        trials, minutes, sampler = _budget()
        try:
            if space is None:
                return
            plan = Plan(base, space, preset, trials, minutes, sampler)
        except ValueError as error:
            st.error(as_text(error), icon=":material/block:")
            return
        _estimate(plan)
        if st.button(filled("Start"), type="primary", icon=":material/play_arrow:", key="start"):
            _start(plan)


def _base() -> tuple[Recipe, str]:
    """What all trials share: a preset, or what the controls of Train say."""
    shown: tuple[str, Recipe] | None = st.session_state.get("recipe-shown")
    options = [*([CONTROLS] if shown else []), *PRESETS]
    name = st.selectbox(
        "All trials begin as",
        options,
        index=0 if shown else options.index(PRESET),
        format_func=lambda name: PRESETS[name].title if name in PRESETS else name,
        key="sweep-base",
        help="A preset, or the recipe that you have set on Train. The search changes only what it "
        "varies.",
        persist_state="session",
    )
    preset, recipe = shown if shown and name == CONTROLS else (name, for_available_data(name))
    epochs, images = st.columns(2)
    most = datasets.DATASETS[recipe.dataset].train_images
    number = epochs.number_input(
        "Epochs in full",
        1,
        200,
        max(EPOCHS, recipe.epochs),
        key=f"sweep-epochs-{name}",
        help="Of a trial that comes to its end. The learning rate schedule spans all of them, also "
        "for trials that pause earlier.",
    )
    few = [count for count in (500, 1_000, 2_000, 5_000, 10_000, 20_000) if count < most]
    count = images.selectbox(
        "Training images",
        [*few, 0],
        index=few.index(5_000) if 5_000 in few else len(few),
        format_func=lambda count: f"{count:,}" if count else f"All {most:,}",
        key=f"sweep-images-{recipe.dataset}",
        help="Fewer make every trial faster; the best settings are often the same.",
    )
    return dataclasses.replace(recipe, epochs=int(number), train_images=count or None), preset


def _budget() -> tuple[int, float | None, Sampler]:
    trials, minutes, sampler = st.columns(3)
    number = trials.number_input(
        "Trials", 0, sweeps.MAX_TRIALS, TRIALS, key="sweep-trials", help="Recipes to try."
    )
    limit = minutes.number_input(
        "Minutes",
        0,
        100_000,
        MINUTES,
        key="sweep-minutes",
        help="In which trials begin and go on; 0 is no limit. The winner is trained after them.",
    )
    chosen: Sampler = sampler.selectbox(
        "Sampler",
        list(SAMPLERS),
        format_func=SAMPLERS.__getitem__,
        key="sweep-sampler",
        help="How the next recipe is chosen: learned from those before, by chance, or every "
        "combination on a grid.",
    )
    return int(number), float(limit) or None, chosen


def _space() -> Space | None:
    """The ranges and lists that the visitor types; ``None`` where one is none, with a sentence."""
    names: list[str] = st.multiselect(
        "Search",
        sorted(SEARCHABLE, key=lambda name: GROUPS.index(HYPERPARAMETERS[name].group)),
        default=list(START),
        format_func=lambda name: HYPERPARAMETERS[name].label,
        key="sweep-names",
        placeholder="Choose hyperparameters",
        help="These are varied from trial to trial.",
    )
    if not names:
        st.info("Choose at least one hyperparameter to search.", icon=":material/tune:")
        return None
    st.caption(
        "A range such as 1e-4..1e-1, or a list such as 32,64,128. Of convolution blocks and dense "
        "layers, a list of networks with a space between two: 16x3p,32x3p 32x3p,64x3p."
    )
    dimensions = {}
    columns = st.columns(2)
    for number, name in enumerate(names):
        described = HYPERPARAMETERS[name]
        with columns[number % 2]:
            text = st.text_input(
                described.label, suggestion(name), key=f"sweep-of-{name}", help=described.help
            )
            try:
                dimensions[name] = parse_dimension(name, text)
            except ValueError as error:
                st.error(as_text(error))
    return Space(dimensions) if len(dimensions) == len(names) else None


def _estimate(plan: Plan) -> None:
    """What the sweep will do, and how long that takes here by the runs before."""
    marks = rungs(plan.base.epochs, plan.promotion)
    epochs = expected_epochs(plan.trials, marks)
    where = ", ".join(map(str, marks[:-1]))
    pauses = f"Trials pause after {where} epochs and the best third goes on: " if where else ""
    text = (
        f"{pauses}about {epochs:,} epochs instead of {plan.trials * plan.base.epochs:,}. "
        f"Then the winner is trained in full with {SEEDS} seeds and meets the test images."
    )
    if (seconds := expected_seconds(plan.base)) is not None:
        each = seconds / plan.base.epochs
        trials = each * epochs / max(1, engine().workers())
        limit = 60 * plan.minutes if plan.minutes else trials
        end = min(trials, limit) + SEEDS * seconds
        text += f" By earlier runs that takes **about {duration(max(1.0, round(end)))}** here."
        if trials > limit:
            text += " The minutes will not do for all trials."
    st.caption(text)


def _start(plan: Plan) -> None:
    try:
        engine()
        sweep = sweeps.create(plan)
    except OSError as error:
        st.error(as_text(reason(error)), icon=":material/hard_drive:")
        return
    drive_sweeps()
    show(sweep)
    st.rerun()
