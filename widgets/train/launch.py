"""Before a run: the Train button, what the recipe is and costs, its link, and preparation."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import streamlit as st

from digits.data.datasets import FOLDS
from digits.recipes.differences import default_name, differences, in_words, to_link
from digits.recipes.keras_script import Stage, keras_script
from digits.recipes.layers import DoesNotFit, count_parameters, feature_maps, layers
from digits.recipes.presets import for_available_data
from digits.recipes.recipe import AUGMENTATIONS, HYPERPARAMETERS, Recipe
from digits.recipes.schedule import learning_rates
from digits.store import runs
from digits.store.comparison import recipe_before
from digits.store.expected_time import expected_seconds
from digits.store.forks import check_fork, fork
from digits.store.run_folder import one_line
from digits.store.runs import Run
from widgets.shared.format import as_text, duration, filled
from widgets.shared.gallery import montage
from widgets.shared.plot import plot
from widgets.shared.session import FORK, choose_run, engine
from widgets.shared.ticker import run_again
from widgets.train import controls
from widgets.train.recipe_file import recipe_file, script_downloads
from widgets.train.under_way import begin

SAMPLES = 10
SEEDS = (1, 3, 5)
ALL_FOLDS = 0  # in place of a number of seeds
PRELOAD_AFTER = 1.5  # seconds that the browser has to draw the page before the engine is busy


def toolbar(recipe: Recipe, preset: str) -> bool:
    """The recipe in a line, with Train and what else can be done with it; gives whether it fits.

    Train queues a run of the recipe and makes it the page's run.
    """
    parent = _parent()
    try:
        strip = f"{feature_maps(recipe)} · {count_parameters(recipe):,} parameters"
        fits = True
        if parent:
            check_fork(recipe, parent[0].recipe)
    except DoesNotFit as error:
        strip, fits = f":red[This network cannot be built. {as_text(error)}]", False
    except ValueError as error:  # another network or split than that of the run to continue
        strip, fits = f":red[{as_text(error)}]", False
    name = default_name(recipe, preset, recipe_before(recipe, _latest()))
    seconds = expected_seconds(recipe) if fits else None
    standard = for_available_data(preset)
    changed = differences(recipe, standard)
    row = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    line: dict[str, Any] = {"horizontal": True, "vertical_alignment": "center", "gap": "xsmall"}
    with row.container(**line):
        train = st.button(
            filled("Train") if fits else "Train",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not fits,
            key="train-start",
        )
        seeds = st.selectbox(
            "Seeds",
            (*SEEDS, ALL_FOLDS),
            format_func=_seeds,
            key="train-seeds",
            label_visibility="collapsed",
            disabled=bool(parent),
            width=90,
            persist_state="session",
        )
        repeats = seeds != 1 and not parent
        title = f"**{as_text(name)}**"
        if seconds is not None:
            about = f"about {duration(max(1.0, round(seconds)))}"
            title += f" :small[:gray[· {about} {'each' if repeats else 'here'}]]"
        with st.container():  # breaks lines rather than the row
            st.markdown(f"{title}  \n:small[:gray[{strip}]]")
        if parent:
            summary = runs.summary(parent[0])
            short = f"run {summary.number}" if summary.number else one_line(summary.name, 12)
            st.button(
                as_text(f"Continues {short}, epoch {parent[1]}"),
                icon=":material/close:",
                key="train-fork",
                help=as_text(
                    f"Goes on from the weights of {summary.label}. Click to train from random ones."
                ),
                on_click=lambda: st.session_state.pop(FORK, None),
            )
    with row.container(width="content", **line):
        st.button(
            "Reset",
            icon=":material/undo:",
            help=_changes(changed) or "Nothing to reset: all controls are as the preset has them.",
            disabled=not changed,
            on_click=controls.load,
            args=[standard, preset],
        )
        details = st.popover("Network", icon=":material/schema:", on_change="rerun", key="network")
        if details.open:
            with details:
                _network(recipe, fits)
        queue = st.container(width="content")
        st.page_link(
            "pages/sweeps.py",
            label="Sweep",
            icon=":material/manage_search:",
            query_params={"sweep": "new", "base": "controls"},
            help="Try many settings and find the best ones, starting from these controls.",
        )
        with st.popover("Link", icon=":material/link:"):
            st.caption("Whoever opens this link finds the controls as they stand now.")
            st.code(
                f"{st.context.url or ''}?recipe={to_link(recipe, preset)}", None, wrap_lines=True
            )
            recipe_file(recipe)
    for sentence in st.session_state.get("recipe-ignored", []):
        st.warning(f"Ignored: {as_text(sentence)}.", icon=":material/link_off:")
    if train:
        _train(recipe, "" if changed else preset, name, seeds)
    with queue:  # with what was just queued
        _queue()
    return fits


def _seeds(count: int) -> str:
    """How often to train the recipe, in words."""
    if count == ALL_FOLDS:
        return f"{FOLDS} folds"
    return f"{count} run{'s' * (count > 1)}"


def _changes(changed: dict[str, tuple]) -> str:
    """What was changed in the preset, in words."""
    lines = [
        f"{HYPERPARAMETERS[name].label}: {in_words(name, old)} → {in_words(name, new)}"
        for name, (new, old) in changed.items()
    ]
    return as_text("Changed. " + "; ".join(lines) + ".") if lines else ""


def _train(recipe: Recipe, preset: str, name: str, seeds: int) -> None:
    if parent := _parent():
        if begin(lambda: [fork(*parent, recipe, name, preset)]):
            del st.session_state[FORK]
            st.rerun()  # without the button that names the parent
    elif seeds == ALL_FOLDS:
        begin(lambda: runs.create_folds(recipe, name, preset))
    else:
        begin(lambda: runs.create_seeds(recipe, name, preset, seeds))


def _latest() -> Iterator[Run]:
    """The runs that this visitor trained, latest first, then all that are done."""
    own: list[str] = st.session_state.get("own-runs", [])
    yield from (Run(runs.root() / id) for id in own)
    yield from runs.done()


def _parent() -> tuple[Run, int] | None:
    """The run, and its epoch, from which the visitor wants to go on; forgotten once it is gone."""
    id, epoch = st.session_state.get(FORK, ("", 0))
    try:
        return (runs.open(id), epoch) if id else None
    except LookupError:
        del st.session_state[FORK]
        return None


def _queue() -> None:
    """The runs that train or wait, in order, each a click away."""
    queue = runs.queue()
    with st.popover(f"Queue · {len(queue)}", icon=":material/schedule:", key="queue"):
        if not queue:
            st.caption("No run is training or waiting.")
        for run in queue:
            label, key = as_text(runs.summary(run).label), f"watch-{run.id}"
            st.button(label, key=key, type="tertiary", on_click=choose_run, args=[run])


def _network(recipe: Recipe, fits: bool) -> None:
    """The layer table, the Keras code and the learning rate over the run."""
    if not fits:
        st.caption("Change the block that does not fit; the layers appear here.")
        return
    lines = [
        f"| {row.name} | {' × '.join(f'{size:,}' for size in row.shape)} | {row.parameters:,} |"
        for row in layers(recipe)
    ]
    table, code, rates, images = st.tabs(
        ["Layers", "Keras code", "Learning rate", "Training images"]
    )
    table.markdown("\n".join(["| Layer | Output shape | Parameters |", "|:--|:--|--:|", *lines]))
    with code:
        script_downloads(recipe)
        st.code(
            keras_script(Stage(recipe)), None
        )  # Streamlit's colors for Python are too faint to read
    with rates:
        _schedule(recipe)
    with images:
        _augmentation(recipe)
        data = {"dataset": recipe.dataset}
        st.page_link(
            "pages/data.py", label="All the data", icon=":material/dataset:", query_params=data
        )


def _schedule(recipe: Recipe) -> None:
    """Plot the learning rate from the first step to the last."""
    plot(
        [
            {
                "y": learning_rates(recipe, 101),
                "mode": "lines",
                "hovertemplate": "%{y:.2g} after %{x} %<extra></extra>",
            }
        ],
        {
            "xaxis": {
                "range": [0, 102],
                "tickvals": [0, 50, 100],
                "ticktext": ["first step", "half-way", "last"],
            },
            "yaxis": {"rangemode": "tozero", "tickformat": "~g", "nticks": 4, "ticklabelshift": -4},
        },
        key="train-schedule",
        height=180,
        alt=f"Learning rate over the run: {recipe.schedule}, at most {recipe.learning_rate:g}.",
    )


def _augmentation(recipe: Recipe) -> None:
    """Training images as they are, and below them as augmented."""
    names = ("dataset", "seed", "synthetic", *AUGMENTATIONS)
    try:
        images = _augmented(Recipe(**{name: getattr(recipe, name) for name in names}))
    except (OSError, ValueError) as error:
        st.error(f"No preview: {as_text(error)}", icon=":material/image_not_supported:")
    else:
        alt = f"{SAMPLES} training images in a row, and the same ones as augmented."
        st.image(montage(images, scale=4), width="stretch", alt=alt)
        st.caption("Training images, and the same ones as the network sees them")


@st.cache_data(max_entries=50, show_spinner="Preparing a preview …")
def _augmented(recipe: Recipe) -> np.ndarray:
    return engine().augment(recipe, SAMPLES)


def preload(recipe: Recipe) -> None:
    """Let the engine prepare the recipe, so that the first point follows the click at once.

    For a new visitor it waits until the browser has drawn the page.
    """
    st.fragment(_prepare)(recipe)


def _prepare(recipe: Recipe) -> None:
    state = st.session_state
    if "train-arrived" in state:
        engine().preload(recipe)
    else:
        run_again(PRELOAD_AFTER, key="train-preload")
    state["train-arrived"] = True


def shown_run(linked: Run | None) -> Run | None:
    """The linked run, else the latest that this visitor trained, else the latest of all."""
    if linked:
        return linked
    done = runs.done()
    return done[0] if done else None
