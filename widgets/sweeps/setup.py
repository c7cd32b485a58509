"""The set-up of a new sweep: from which recipe, what is searched, for how long."""

import dataclasses

import streamlit as st

from digits.data import datasets
from digits.recipes.differences import default_name
from digits.recipes.halving import expected_epochs, expected_trials, rungs
from digits.recipes.hyperparameters import GROUPS
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.recipes.space import SEARCHABLE, Space, parse_dimension, suggestion
from digits.recipes.suggest import SAMPLERS, Sampler
from digits.store import sweeps
from digits.store.expected_time import expected_seconds
from digits.store.files import reason
from digits.store.sweeps import SEEDS, Plan
from widgets.shared.format import as_text, duration, filled
from widgets.shared.plot import plot
from widgets.shared.session import drive_sweeps, engine
from widgets.sweeps.toolbar import SEARCH, show

SENTENCE = (
    "A sweep answers a question about the settings: it tries many recipes for a few epochs, goes "
    "on with the best of them, and tests the winner."
)
QUESTIONS = {  # the first is asked unless the visitor changes it
    "Which learning rate?": ("learning_rate", "batch_size"),
    "Which network?": ("conv", "dense"),
    "Which augmentation?": ("shift", "rotation", "zoom"),
    "How much dropout?": ("dropout", "conv_dropout", "label_smoothing"),
}
TRIALS, MINUTES, EPOCHS = 30, 10, 9
IMAGES, USUAL_IMAGES = (500, 1_000, 2_000, 5_000, 10_000, 20_000), 5_000
HEIGHT = 240  # of the picture, in pixels
FRAME = "var(--st-gray-color)"
TAKEN = "sweep-search"  # session key: what the link asked for last
PRESET, CONTROLS = "fast", "Train's controls"


def new_sweep() -> None:
    """What a sweep is; what it searches, what all trials share, and what it will do and cost."""
    st.markdown(SENTENCE)
    search, share, cost = st.columns([9, 6, 6], gap="small", border=True)
    with search:
        st.markdown("**What to search**")
        space = _space()
    with share:
        st.markdown("**What all trials share**")
        base, preset = _base()
        trials, minutes, sampler = _budget()
    with cost:
        st.markdown("**What it will do**")
        if space is None:
            st.caption("It begins with a hyperparameter to search.")
            return
        try:
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
    if st.query_params.pop("base", None) and shown:  # by the link on Train
        st.session_state["sweep-base"] = CONTROLS

    def in_words(name: str) -> str:
        if shown and name == CONTROLS:
            return f"{CONTROLS}: {default_name(shown[1], shown[0])}"
        return PRESETS[name].title

    name = st.selectbox(
        "All trials begin as",
        options,
        index=0 if shown else options.index(PRESET),
        format_func=in_words,
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
        help="Of a trial that comes to its end. A learning rate schedule begins anew at each step, "
        "so that trials are compared when their rate is low.",
    )
    few = sorted(n for n in {*IMAGES, recipe.train_images or 0} if 0 < n < most)
    wanted = recipe.train_images or USUAL_IMAGES
    count = images.selectbox(
        "Training images",
        [*few, 0],
        index=few.index(wanted) if wanted in few else len(few),
        format_func=lambda count: f"{count:,}" if count else f"All {most:,}",
        key=f"sweep-images-{name}-{recipe.dataset}",
        help="Fewer make every trial faster; the best settings are often the same.",
    )
    return dataclasses.replace(recipe, epochs=int(number), train_images=count or None), preset


def _budget() -> tuple[int, float | None, Sampler]:
    trials, minutes = st.columns(2)
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
    chosen: Sampler = st.selectbox(
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
    _take_link()
    st.session_state.setdefault("sweep-names", list(next(iter(QUESTIONS.values()))))
    with st.container(horizontal=True, gap="xsmall"):
        for question, asked in QUESTIONS.items():
            st.button(question, key=f"sweep-ask-{asked[0]}", on_click=_ask, args=[asked])
    names: list[str] = st.pills(
        "Search",
        sorted(SEARCHABLE, key=lambda name: GROUPS.index(HYPERPARAMETERS[name].group)),
        selection_mode="multi",
        format_func=lambda name: HYPERPARAMETERS[name].label,
        key="sweep-names",
        wrap=True,
        help="These are varied from trial to trial.",
    )
    if not names:
        st.info("Choose at least one hyperparameter to search.", icon=":material/tune:")
        return None
    st.caption(
        "A range such as 1e-4..1e-1, or a list such as 32,64,128. Of convolution blocks and dense "
        "layers, a list of networks with a space between two: 16x3p,32x3p 32x3p,64x3p."
    )
    dimensions, texts = {}, {}
    columns = st.columns(2)
    for number, name in enumerate(names):
        described = HYPERPARAMETERS[name]
        with columns[number % 2]:
            key = f"sweep-of-{name}"
            st.session_state.setdefault(key, suggestion(name))
            text = texts[name] = st.text_input(described.label, key=key, help=described.help)
            try:
                dimensions[name] = parse_dimension(name, text)
            except ValueError as error:
                st.error(as_text(error))
    linked = ";".join(f"{name}={text}" for name, text in texts.items())
    # In this order: a click that cuts this script short in between must not bring an old link back.
    st.query_params[SEARCH] = linked
    st.session_state[TAKEN] = linked
    return Space(dimensions) if len(dimensions) == len(names) else None


def _take_link() -> None:
    """Search what a link asks for, and tell which of its names cannot be searched."""
    linked = st.query_params.get(SEARCH)
    if not linked or linked == st.session_state.get(TAKEN):
        return
    texts = dict(part.partition("=")[::2] for part in linked.split(";") if part)
    names = [name for name in texts if name in SEARCHABLE]
    if others := ", ".join(name for name in texts if name not in names):
        st.caption(f":material/link_off: Not searched: {as_text(others[:200])}.")
    st.session_state["sweep-names"] = names
    for name in names:
        st.session_state[f"sweep-of-{name}"] = texts[name]


def _ask(names: tuple[str, ...]) -> None:
    st.session_state["sweep-names"] = list(names)


def _estimate(plan: Plan) -> None:
    """What the sweep will do, and how long that takes here by the runs before."""
    marks = rungs(plan.base.epochs, plan.promotion)
    epochs, whole = expected_epochs(plan.trials, marks), plan.trials * plan.base.epochs
    time, words = "not known yet", "How long it takes is known once a run has finished here."
    if (seconds := expected_seconds(plan.base)) is not None:
        each = seconds / plan.base.epochs
        trials = each * epochs / max(1, engine().workers())
        limit = 60 * plan.minutes if plan.minutes else trials
        end = min(trials, limit) + SEEDS * seconds
        time = f"about {duration(max(1.0, round(end)))}"
        words = "These minutes are too few for all trials." if trials > limit else ""
    with st.container(horizontal=True, gap="large"):
        st.metric("Epochs", f"about {epochs:,}", width="content")
        st.metric("Time", time, help="By the runs before, here.", width="content")
    _picture(plan, marks)
    st.caption(
        f"At each step the best third of the trials goes on. All of them in full, the frame, would "
        f"be {whole:,} epochs. The winner is then trained with {SEEDS} seeds and tested. {words}"
    )


def _picture(plan: Plan, marks: tuple[int, ...]) -> None:
    """Trials over epochs: the area of the bars is what is trained, of the frame what is not."""
    counts, before = expected_trials(plan.trials, marks), (0, *marks[:-1])
    frame = {"type": "rect", "x0": 0, "x1": marks[-1], "y0": 0, "y1": plan.trials}
    plot(
        [
            {
                "type": "bar",
                "x": [(low + high) / 2 for low, high in zip(before, marks, strict=True)],
                "width": [high - low for low, high in zip(before, marks, strict=True)],
                "y": counts,
                "text": [f"{count:,}" for count in counts],
                "textposition": "outside",
                "marker": {"color": "var(--st-primary-color)"},
                "hoverinfo": "skip",
            }
        ],
        {
            "xaxis": {
                "title": {"text": "Epochs of a trial"},
                "tickvals": [0, *marks],
                "range": [0, marks[-1]],
            },
            "yaxis": {"title": {"text": "Trials"}, "range": [0, 1.2 * plan.trials], "nticks": 4},
            "shapes": [{**frame, "line": {"width": 1, "dash": "dot", "color": FRAME}}],
            "showlegend": False,
        },
        key="sweep-plan",
        height=HEIGHT,
        alt="; ".join(
            f"about {count:,} trials until epoch {mark}"
            for count, mark in zip(counts, marks, strict=True)
        ),
    )


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
