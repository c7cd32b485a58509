"""The rail of controls, made from the hyperparameters; gives the recipe that they stand for."""

import dataclasses
from typing import Any

import streamlit as st

from digits.data import datasets
from digits.recipes.differences import START, from_link, in_words
from digits.recipes.hyperparameters import GROUPS, Hyperparameter, check_number
from digits.recipes.layers import DoesNotFit, layers
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import AUGMENTATIONS, HYPERPARAMETERS, OFTEN_TUNED, Conv, Recipe
from widgets.shared.session import RECIPE_TOLD, done_runs, run_label

ICONS = {
    "network": ":material/layers:",
    "training": ":material/tune:",
    "augmentation": ":material/auto_fix_high:",
    "data": ":material/dataset:",
}


def recipe_controls() -> tuple[Recipe, str]:
    """Show the controls; gives the recipe, and the name of the preset that it began as.

    A block that does not fit says so at its own controls; the recipe is given all the same.
    """
    _take_recipe()
    preset = _preset()
    values = {name: _field(name, HYPERPARAMETERS[name]) for name in OFTEN_TUNED}
    for group in GROUPS:
        with st.expander(_title(group), icon=ICONS[group], key=f"train-{group}"):
            values |= _group(group)
            if group == "training":
                exact_rate = _exact_learning_rate()
    recipe = Recipe(**values)
    st.session_state["recipe-shown"] = preset, recipe
    if exact_rate:
        change({"learning_rate": exact_rate})
        st.rerun()
    return recipe, preset


def load(recipe: Recipe, preset: str) -> None:
    """Let the controls show another recipe when the page runs next.

    Not at once: the rerun of a timer that overtakes a click would call the click's callback, and
    the click's own rerun would then bring the old controls back.
    """
    st.session_state["recipe-to-load"] = preset, recipe


def change(values: dict[str, Any]) -> None:
    """Let some controls show other values when the page runs next."""
    preset, recipe = st.session_state["recipe-shown"]
    load(dataclasses.replace(recipe, **values), preset)


def _take_recipe() -> None:
    """Move the controls to the recipe that was asked for, or to the link's of a new visitor."""
    state = st.session_state
    ignored: list[str] = []
    asked = state.pop("recipe-to-load", None)
    link = st.query_params.get("recipe")
    if asked is None and link and link != state.get("recipe-linked"):
        state["recipe-linked"] = link
        recipe, preset, ignored = from_link(link)
        asked = preset, recipe
    if asked is None and "preset-shown" not in state:
        asked = START, for_available_data(START)
    if asked:
        preset, recipe = asked
        state["preset"] = state["preset-shown"] = preset
        set_controls(for_available_data(preset))  # what cannot be shown stays as the preset has it
        state["recipe-ignored"] = ignored + set_controls(recipe)
    if told := state.pop(RECIPE_TOLD, None):
        st.toast(told, icon=":material/tune:", duration="long")


def _preset() -> str:
    """Let the visitor choose a preset, which moves all controls."""
    state = st.session_state
    preset = PRESETS[state["preset-shown"]]
    reports = (("by its author", preset.reported), ("here, mean of three seeds", preset.reached))
    figures = [f"{accuracy:.2%} {whose}" for whose, accuracy in reports if accuracy]
    name: str = st.selectbox(
        "Preset",
        PRESETS,
        format_func=lambda name: PRESETS[name].title,
        key="preset",
        help=f"{preset.story} Test accuracy on MNIST: {', '.join(figures) or 'not measured'}.",
        persist_state="session",
    )
    if name != state["preset-shown"]:
        state["preset-shown"] = name
        state["recipe-ignored"] = set_controls(for_available_data(name))
    return name


def set_controls(recipe: Recipe) -> list[str]:
    """Move every control to what the recipe says; gives what no control can show, and stays."""
    state: dict[str, Any] = {}
    ignored = []
    for name, described in HYPERPARAMETERS.items():
        value = getattr(recipe, name)
        try:
            if name == "dataset" and value not in datasets.available_names():
                raise ValueError(f"dataset is {value}; it is not on this machine")
            if name == "teachers" and not {run.id for run in done_runs()}.issuperset(value):
                raise ValueError("A run that is among the teachers is not here, or has no model")
            if described.parts:
                state |= _block_values(name, described, value)
            else:
                _check(name, described, value)
            state[name] = len(value) if described.parts else _to_control(value)
        except ValueError as error:
            ignored.append(str(error).rstrip("."))
    st.session_state.update(state)
    return ignored


def _block_values(name: str, described: Hyperparameter, blocks: tuple[Any, ...]) -> dict[str, Any]:
    """What the controls of the blocks show. Raises ``ValueError`` for what they cannot."""
    if described.slider:
        check_number(f"number of {name} blocks", len(blocks), described.slider[:2])
    values = {}
    for number, block in enumerate(blocks, 1):
        for part, value in described.part_values(block).items():
            _check(f"{part} of {name} {number}", described.parts[part], value)
            values[f"{part}{number}"] = value
    return values


def _check(name: str, described: Hyperparameter, value: Any) -> None:
    """Raise ``ValueError`` for what the control cannot show; lists of options grow instead."""
    bounds = described.slider[:2] if described.slider else described.box
    if bounds:
        check_number(name, value, bounds)


def _group(group: str) -> dict[str, Any]:
    """The controls of a group that are not always shown."""
    values: dict[str, Any] = {}
    for name, described in HYPERPARAMETERS.items():
        if described.group == group and name not in OFTEN_TUNED:
            show = _blocks if described.parts else _field
            values[name] = show(name, described)
    return values


def _title(group: str) -> str:
    """The group's name, and how its controls stand."""
    state = st.session_state
    if group == "network":
        stand = f"{state['conv']} {'block' if state['conv'] == 1 else 'blocks'}"
    elif group == "training":
        stand = f"{in_words('optimizer', state['optimizer'])}, {state['schedule']}"
    elif group == "augmentation":
        used = sum(bool(state[name]) for name in AUGMENTATIONS)
        stand = f"{used} of {len(AUGMENTATIONS)}" if used else "none"
    else:
        stand = f"{state['dataset']}, seed {state['seed']}"
    return f"{group.capitalize()} · {stand}"


def _field(name: str, described: Hyperparameter) -> Any:
    """The control of a field, which starts from what the session has."""
    if name == "teachers":
        return _teachers(described)
    offered: list[Any] = list(described.choices or described.options)
    if name == "dataset":
        offered = datasets.available_names()
        if st.session_state[name] not in offered:
            st.session_state[name] = offered[0]
    elif name == "train_images":
        most = datasets.DATASETS[st.session_state["dataset"]].train_images
        offered = [*(count for count in offered if count < most), 0]
        if st.session_state[name] >= most:
            st.session_state[name] = 0
    other, needed = described.needs or ("", None)
    disabled = bool(other) and st.session_state[other] != needed
    value = _control(name, described.label, described, None, offered, disabled)
    if described.default is None and not value:
        return None
    return described.default if disabled else value


def _teachers(described: Hyperparameter) -> tuple[str, ...]:
    """The runs chosen as teachers, where distillation has a share of the loss."""
    disabled = not st.session_state["distillation"]
    chosen: list[str] = st.session_state.setdefault("teachers", [])
    offered = [run for run in done_runs() if run.id in chosen or not disabled]
    labels = {run.id: run_label(run) for run in offered}
    if not labels.keys() >= {*chosen}:  # one was deleted
        st.session_state["teachers"] = [id for id in chosen if id in labels]
    _, most = described.allowed or (0, 0)
    chosen = st.multiselect(
        described.label,
        labels,
        format_func=labels.__getitem__,
        key="teachers",
        max_selections=int(most),
        placeholder=described.empty.capitalize(),
        disabled=disabled,
        help=described.help,
        persist_state="session",
    )
    return () if disabled else tuple(chosen)


def _blocks(name: str, described: Hyperparameter) -> tuple[Any, ...]:
    """The control of the number of blocks, and those of each block."""
    count = _control(name, described.label, described, None, [])
    usual = {part: of_part.default for part, of_part in described.parts.items()}
    blocks: tuple[Any, ...] = ()
    for number in range(1, count + 1):
        with st.container(border=len(usual) > 1, gap="small"):
            for part, of_part in described.parts.items():
                label, offered = f"{of_part.label} {number}", list(of_part.options)
                usual[part] = _control(f"{part}{number}", label, of_part, usual[part], offered)
            blocks += (described.block(*usual.values()) if described.block else usual,)
            if name == "conv":
                _warn_misfit(blocks)
    return blocks


def _warn_misfit(blocks: tuple[Conv, ...]) -> None:
    try:
        layers(Recipe(conv=blocks))
    except DoesNotFit as error:
        if error.block == len(blocks) - 1:
            st.error(str(error), icon=":material/crop_free:")


def _exact_learning_rate() -> float | None:
    """A field for a learning rate between those of the slider; gives one that was just typed."""
    described = HYPERPARAMETERS["learning_rate"]
    text = st.text_input(
        "Exact learning rate",
        key="train-exact-rate",
        placeholder="such as 0.0003",
        help="Any learning rate from 0.000001 to 100, which the slider then takes. By itself the "
        "slider has only 1, 2 and 5 in each power of ten.",
    )
    if not text or text == st.session_state.get("exact-rate-taken"):
        return None
    st.session_state["exact-rate-taken"] = text
    try:
        rate = float(text.replace(",", "."))
        described.check("The learning rate", rate)
    except ValueError:
        low, high = described.allowed or (0, 0)
        st.error(f"A learning rate is a number from {low:f} to {high:g}.")
        return None
    return rate


def _control(
    key: str,
    label: str,
    described: Hyperparameter,
    value: Any,
    offered: list[Any],
    disabled: bool = False,
) -> Any:
    """The control that a hyperparameter asks for; ``value`` is what a new one starts from."""
    value = st.session_state.setdefault(key, value)
    more: dict[str, Any] = {
        "key": key,
        "help": described.help,
        "disabled": disabled,
        "persist_state": "session",
    }
    if described.choices:
        return st.selectbox(label, offered, format_func=described.display, **more)
    if described.options:
        if value not in offered:  # from a link, a run, or typed; 0 may stand for all
            all_last = described.default is None
            offered = sorted([*offered, value], key=lambda item: (all_last and not item, item))
        return st.select_slider(label, offered, format_func=described.display, **more)
    if described.slider:
        low, high, step = described.slider
        return st.slider(label, low, high, step=step, format=described.format, **more)
    if described.box:
        return st.number_input(label, *described.box, **more)
    return st.toggle(label, **more)


def _to_control(value: Any) -> Any:
    """A value as its control has it: 0 for ``None``, a list of what is chosen."""
    if isinstance(value, tuple):
        return list(value)
    return 0 if value is None else value
