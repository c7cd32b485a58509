"""The controls of a recipe follow its hyperparameters, and the link carries them by name."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from digits.recipes.presets import PRESETS
from digits.recipes.recipe import HYPERPARAMETERS, Conv, Recipe

PARTS = {
    part: described for field in HYPERPARAMETERS.values() for part, described in field.parts.items()
}


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
    assert {re.sub(r"\d+$", "", key) for key in controls} == set(HYPERPARAMETERS | PARTS)


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
