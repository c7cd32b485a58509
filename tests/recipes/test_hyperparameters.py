"""The table of hyperparameters: complete, consistent, and followed by controls and options."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from digits.recipes.hyperparameters import GROUPS, Hyperparameter
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import HYPERPARAMETERS, Conv, Recipe, parse_conv, parse_dense
from tests.conftest import ROOT

PARTS = {
    part: described for field in HYPERPARAMETERS.values() for part, described in field.parts.items()
}
ALL = HYPERPARAMETERS | PARTS


def test_every_field_of_a_recipe_but_fine_tuning_is_described() -> None:
    names = {field.name for field in dataclasses.fields(Recipe)}
    assert names - set(HYPERPARAMETERS) == {"finetune"}
    assert set(HYPERPARAMETERS["conv"].parts) == {field.name for field in dataclasses.fields(Conv)}


@pytest.mark.parametrize("name", ALL)
def test_every_hyperparameter_has_a_label_a_group_and_two_sentences_of_help(name: str) -> None:
    described = ALL[name]
    assert described.label
    assert described.group in GROUPS
    assert len(re.findall(r"[.!?](?= [A-Z]|$)", described.help)) == 2, described.help
    assert described.help.endswith(".")


@pytest.mark.parametrize("name", ALL)
def test_what_a_control_offers_lies_within_the_allowed_range(name: str) -> None:
    described = ALL[name]
    offered = [*described.options, *(described.slider or ())[:2], *(described.box or ())]
    if described.allowed:
        low, high = described.allowed
        assert offered
        assert all(low <= value <= high for value in offered)
        controls = (described.options, described.slider, described.box)
        assert sum(map(bool, controls)) == 1, "one kind of control"
    else:
        assert not offered
        assert described.choices or described.kind is bool
    if described.slider:
        assert len({type(value) for value in described.slider}) == 1, "Streamlit wants one type"


@pytest.mark.parametrize("name", [name for name in ALL if ALL[name].needs])
def test_what_a_hyperparameter_needs_is_asked_before_it_and_in_the_same_group(name: str) -> None:
    other, value = ALL[name].needs or ("", None)
    names = list(HYPERPARAMETERS)
    assert names.index(other) < names.index(name)
    assert HYPERPARAMETERS[other].group == ALL[name].group
    assert value in HYPERPARAMETERS[other].choices


@pytest.mark.parametrize("preset", PRESETS)
def test_the_controls_can_show_every_preset(preset: str) -> None:
    def shows(described: Hyperparameter, value: object) -> bool:
        if described.options:
            return value in described.options or (value is None and described.empty != "")
        if described.slider or described.box:
            low, high = (described.slider or described.box or ())[:2]
            return isinstance(value, int | float) and low <= value <= high
        return value in described.choices or isinstance(value, bool)

    for name, described in HYPERPARAMETERS.items():
        value = getattr(PRESETS[preset].recipe, name)
        if described.parts:
            for item in value:
                for part, part_value in described.part_values(item).items():
                    assert shows(described.parts[part], part_value), part
            value = len(value)
        assert shows(described, value), name


def _page(query: dict[str, str]) -> AppTest:
    """The controls alone, with a link; the recipe that they give as text."""

    def script() -> None:
        import streamlit as st

        from widgets.train.controls import recipe_controls, set_controls

        if preset := st.query_params.get("take"):
            from digits.recipes.presets import PRESETS

            set_controls(PRESETS[preset].recipe)
        st.text(recipe_controls().to_json())

    page = AppTest.from_function(script, default_timeout=30)
    page.query_params.update(query)
    return page.run()


def _controls(page: AppTest) -> dict[str, tuple[str, str]]:
    """Label and help of every control, by key."""
    kinds = ("slider", "select_slider", "selectbox", "toggle", "number_input")
    return {
        control.key: (control.label, control.help)
        for kind in kinds
        for control in page.get(kind)
        if control.key
    }


@pytest.mark.mnist
def test_every_hyperparameter_has_a_control_with_its_name_as_key() -> None:
    page = _page({"dense": "1"})
    assert not page.exception
    controls = _controls(page)
    for name, described in HYPERPARAMETERS.items():
        assert controls[name] == (described.label, described.help)
    for part, described in PARTS.items():
        assert controls[f"{part}1"] == (f"{described.label} 1", described.help)
    assert {re.sub(r"\d+$", "", key) for key in controls} == set(ALL)


@pytest.mark.mnist
def test_the_names_are_the_parameters_of_the_link() -> None:
    link = {
        "learning_rate": "0.05",
        "batch_size": "256",
        "train_images": "1,000",
        "batch_norm": "false",
        "conv_dropout": "0.25",
        "label_smoothing": "0.1",
        "conv": "2",
        "filters1": "8",
        "kernel_size1": "7",
        "pool1": "false",
        "dense": "2",
        "units1": "32",
        "stroke_width": "0.5",
    }
    recipe = Recipe.from_json(_page(link).text[0].value)
    assert recipe.conv[0] == Conv(8, 7, pool=False)
    assert len(recipe.conv) == len(recipe.dense) == 2
    assert recipe.dense[0] == 32
    for name in link.keys() & HYPERPARAMETERS.keys() - {"conv", "dense", "train_images"}:
        assert HYPERPARAMETERS[name].display(getattr(recipe, name)) == link[name]
    assert recipe.train_images == 1_000


@pytest.mark.mnist
def test_unknown_old_and_impossible_parameters_of_a_link_are_ignored() -> None:
    link = {"blocks": "2", "rate": "0.1", "batch": "16", "batchnorm": "false", "written": "1000"}
    link |= {"conv": "99", "dropout": "abc", "filters1": "7", "learning_rate": "x", "seed": "-4"}
    link |= {"dataset": "fashion", "head": "attention", "pool1": "perhaps", "epochs": "1e9"}
    page = _page(link)
    assert not page.exception
    assert Recipe.from_json(page.text[0].value) == PRESETS["fast"].recipe


@pytest.mark.mnist
@pytest.mark.parametrize("preset", PRESETS)
def test_controls_set_to_a_preset_give_its_recipe_back(preset: str) -> None:
    page = _page({"take": preset})
    assert not page.exception
    assert Recipe.from_json(page.text[0].value) == PRESETS[preset].recipe


@pytest.mark.mnist
def test_a_control_without_effect_is_disabled_and_not_in_the_recipe() -> None:
    page = _page({"loss": "Cross-entropy, integer labels", "label_smoothing": "0.2"})
    [smoothing] = [slider for slider in page.slider if slider.key == "label_smoothing"]
    assert smoothing.disabled
    assert Recipe.from_json(page.text[0].value).label_smoothing == 0


def test_every_hyperparameter_is_an_option_of_the_command_line() -> None:
    command = [sys.executable, "-m", "digits", "train", "--help"]
    shown = subprocess.run(command, cwd=Path(ROOT), capture_output=True, text=True, check=True)
    options = set(re.findall(r"--[a-z-]+", shown.stdout))
    assert {f"--{name.replace('_', '-')}" for name in HYPERPARAMETERS} <= options


def test_blocks_and_layers_are_read_from_text() -> None:
    assert parse_conv("32x5p,64x3p,128x3") == (Conv(32, 5), Conv(64), Conv(128, pool=False))
    assert parse_dense("64,32") == (64, 32)
    assert parse_conv("") == parse_dense("") == ()
    with pytest.raises(ValueError, match="32x5p"):
        parse_conv("32x5p,many")
