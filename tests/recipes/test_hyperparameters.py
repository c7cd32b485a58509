"""The table of hyperparameters: complete, consistent, and with controls that keep to it."""

import dataclasses
import re

import pytest

from digits.recipes.hyperparameters import GROUPS, Hyperparameter
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import HYPERPARAMETERS, ORIGINS, Conv, Recipe, parse_conv, parse_dense

PARTS = {
    part: described for field in HYPERPARAMETERS.values() for part, described in field.parts.items()
}
ALL = HYPERPARAMETERS | PARTS


def test_every_field_of_a_recipe_but_its_origin_is_described() -> None:
    names = {field.name for field in dataclasses.fields(Recipe)}
    assert names - set(HYPERPARAMETERS) == set(ORIGINS)
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
    if described.pattern:  # offers what is there when it is shown
        assert not offered
    elif described.allowed:
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
        if described.pattern:
            assert value == (), "a preset is the same on every server"
            continue
        assert shows(described, value), name


def test_blocks_and_layers_are_read_from_text() -> None:
    assert parse_conv("32x5p,64x3p,128x3") == (Conv(32, 5), Conv(64), Conv(128, pool=False))
    assert parse_dense("64,32") == (64, 32)
    assert parse_conv("") == parse_dense("") == ()
    with pytest.raises(ValueError, match="32x5p"):
        parse_conv("32x5p,many")
