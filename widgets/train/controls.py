"""The controls of a recipe, made from its hyperparameters; all are part of the page's link."""

from typing import Any

import streamlit as st

from digits.data import datasets
from digits.recipes.hyperparameters import GROUPS, Hyperparameter
from digits.recipes.layers import DoesNotFit, layers
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import HYPERPARAMETERS, Conv, Recipe

START = "fast"  # the first press of Train soon shows a result


def preset_pills() -> None:
    """Let the visitor choose a preset; shows its story and its test accuracies.

    The page itself moves the controls, not a callback: the rerun of a timer that overtakes the
    click would call it, and the click's own rerun would then bring the old controls back.
    """
    state = st.session_state
    before = state.get("train-preset-shown", None if st.query_params else START)
    state.setdefault("train-preset", before)  # as it was when the visitor left the page
    name = st.pills(
        "Start from a preset",
        PRESETS,
        format_func=lambda name: PRESETS[name].title,
        key="train-preset",
    )
    if name and name != before:
        set_controls(for_available_data(name))
    if name:
        preset = PRESETS[name]
        reports = (("its author", preset.reported), ("here, mean of three seeds", preset.reached))
        figures = [f"{who} {accuracy:.2%}" for who, accuracy in reports if accuracy]
        accuracies = f"Test accuracy: {', '.join(figures)}." if figures else ""
        st.caption(f"{preset.story} {accuracies}")


def set_controls(recipe: Recipe) -> None:
    """Move every control to what the recipe says."""
    state: dict[str, Any] = {}
    for name, described in HYPERPARAMETERS.items():
        value = getattr(recipe, name)
        if not described.parts:
            state[name] = _to_control(value)
            continue
        state[name] = len(value)
        for number, item in enumerate(value, 1):
            for part, part_value in described.part_values(item).items():
                state[f"{part}{number}"] = part_value
    for key in state.keys() - st.session_state.keys():  # controls that are about to appear
        st.query_params[key] = str(state[key]).lower()  # take their first value from the link
    st.session_state.update(state)


def recipe_controls() -> Recipe:
    """Show the controls in a tab for each group; gives the recipe that they stand for.

    A block that does not fit says so at its own controls; the recipe is given all the same.
    """
    start = for_available_data(START)
    values: dict[str, Any] = {}
    for group, tab in zip(GROUPS, st.tabs([group.capitalize() for group in GROUPS]), strict=True):
        with tab:
            values |= _group(group, start)
    st.session_state["train-preset-shown"] = st.session_state.get("train-preset")
    return Recipe(**values)


def _group(group: str, start: Recipe) -> dict[str, Any]:
    if group == "data":
        _offer_mnist()
    if group == "augmentation":
        st.caption("Each training image is changed at random within these limits in every epoch.")
    values: dict[str, Any] = {}
    columns: list[Any] = []
    for name, described in HYPERPARAMETERS.items():
        if described.group != group:
            continue
        if described.parts:
            columns = []
            values[name] = _blocks(name, described, getattr(start, name))
            continue
        columns = columns or _columns(2)
        with columns.pop(0):
            values[name] = _field(name, described, getattr(start, name), values)
    return values


def _offer_mnist() -> None:
    if not datasets.available("mnist"):
        st.info("MNIST is not on this machine, so UCI's 1,797 digits stand in for it.")
        st.page_link("pages/data.py", label="Add MNIST", icon=":material/download:")


def _field(name: str, described: Hyperparameter, value: Any, values: dict[str, Any]) -> Any:
    """The control of a field; ``values`` are those of the group's fields before it."""
    offered: list[Any] = list(described.choices or described.options)
    if name == "dataset":
        offered = datasets.available_names()
        if st.session_state.get(name, offered[0]) not in offered:
            st.session_state[name] = offered[0]  # a link from a server that has MNIST
    if name == "train_images":
        most = datasets.DATASETS[values["dataset"]].train_images
        offered = [*(count for count in offered if count < most), 0]
    other, needed = described.needs or ("", None)
    disabled = bool(other) and values[other] != needed
    taken = _control(name, described.label, described, _to_control(value), offered, disabled)
    if described.default is None and not taken:
        return None
    return described.default if disabled else taken


def _blocks(name: str, described: Hyperparameter, start: tuple[Any, ...]) -> tuple[Any, ...]:
    """The control of the number of blocks, and those of each block."""
    count = _control(name, described.label, described, len(start), [])
    several = len(described.parts) > 1
    places = [st.container(border=True) for _ in range(count)] if several else _columns(count)
    usual = {part: of_part.default for part, of_part in described.parts.items()}
    blocks: tuple[Any, ...] = ()
    for number, place in enumerate(places, 1):
        if start:
            usual = described.part_values(start[min(number, len(start)) - 1])
        with place:
            columns = _columns(len(described.parts)) if several else [place]
            values = []
            for column, (part, of_part) in zip(columns, described.parts.items(), strict=True):
                label, offered = f"{of_part.label} {number}", list(of_part.options)
                with column:
                    values.append(_control(f"{part}{number}", label, of_part, usual[part], offered))
            blocks += (described.block(*values) if described.block else values[0],)
            if name == "conv":
                _warn_misfit(blocks)
    return blocks


def _columns(count: int) -> list[Any]:
    return list(st.columns(count, vertical_alignment="bottom")) if count else []


def _warn_misfit(blocks: tuple[Conv, ...]) -> None:
    try:
        layers(Recipe(conv=blocks))
    except DoesNotFit as error:
        if error.block == len(blocks) - 1:
            st.error(str(error), icon=":material/crop_free:")


def _control(
    key: str,
    label: str,
    described: Hyperparameter,
    value: Any,
    offered: list[Any],
    disabled: bool = False,
) -> Any:
    """The control that a hyperparameter asks for; ``value`` is what it starts from."""
    more: dict[str, Any] = {
        "key": key,
        "help": described.help,
        "disabled": disabled,
        "bind": "query-params",
    }
    if described.choices:
        index = offered.index(value) if value in offered else 0
        return st.selectbox(label, offered, index, format_func=described.display, **more)
    if described.options:
        return st.select_slider(label, offered, value, format_func=described.display, **more)
    if described.slider:
        low, high, step = described.slider
        return st.slider(label, low, high, value, step, format=described.format, **more)
    if described.box:
        return st.number_input(label, *described.box, value, **more)
    return st.toggle(label, value, **more)


def _to_control(value: Any) -> Any:
    """A value as its control has it: 0 for ``None``."""
    return 0 if value is None else value
