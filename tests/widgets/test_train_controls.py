"""The controls of a recipe follow its hyperparameters, a link and what is loaded into them."""

import dataclasses
import re

import pytest
from streamlit.testing.v1 import AppTest

from digits.recipes.differences import from_link, to_link
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import HYPERPARAMETERS, Conv, Recipe
from digits.store.run_folder import Run
from tests.conftest import PATIENCE

PARTS = {
    part: described for field in HYPERPARAMETERS.values() for part, described in field.parts.items()
}


def _page(link: str = "", **query: str) -> AppTest:
    """The controls alone, with a link; the recipe that they give as text."""

    def script() -> None:
        import streamlit as st

        from digits.recipes.presets import PRESETS
        from widgets.train import controls

        if name := st.query_params.get("load"):
            del st.query_params["load"]
            controls.load(PRESETS[name].recipe, name)
        recipe, preset = controls.recipe_controls()
        st.text(recipe.to_json())
        st.text(preset)
        st.text("\n".join(st.session_state["recipe-ignored"]))

    page = AppTest.from_function(script, default_timeout=PATIENCE)
    page.query_params.update(query | ({"recipe": link} if link else {}))
    return page.run()


def recipe(page: AppTest) -> Recipe:
    assert not page.exception
    return Recipe.from_json(page.text[0].value)


def ignored(page: AppTest) -> list[str]:
    return page.text[2].value.splitlines()


def _controls(page: AppTest) -> dict[str, tuple[str, str]]:
    """Label and help of every control, by key."""
    kinds = ("slider", "select_slider", "selectbox", "multiselect", "toggle", "number_input")
    return {
        control.key: (control.label, control.help)
        for kind in kinds
        for control in page.get(kind)
        if control.key
    }


@pytest.mark.mnist
def test_every_hyperparameter_has_a_control_with_its_name_as_key() -> None:
    page = _page("fast;dense=64")
    controls = _controls(page)
    for name, described in HYPERPARAMETERS.items():
        assert controls[name] == (described.label, described.help)
    for part, described in PARTS.items():
        assert controls[f"{part}1"] == (f"{described.label} 1", described.help)
    keys = {re.sub(r"\d+$", "", key) for key in controls} - {"preset"}
    assert keys == set(HYPERPARAMETERS | PARTS)


@pytest.mark.mnist
@pytest.mark.parametrize("preset", PRESETS)
def test_a_link_and_what_is_loaded_move_all_controls(preset: str) -> None:
    for page in (_page(preset), _page(load=preset)):
        assert recipe(page) == PRESETS[preset].recipe
        assert page.text[1].value == preset
        assert ignored(page) == []


def test_a_link_carries_values_between_those_of_the_sliders() -> None:
    wanted = dataclasses.replace(
        for_available_data("fast"),
        dataset="uci",
        conv=(Conv(9, 7, pool=False), Conv(17)),
        dense=(33, 16),
        learning_rate=0.00025,
        batch_size=100,
        train_images=700,
        epochs=7,
    )
    page = _page(to_link(wanted, "fast"))
    assert recipe(page) == wanted
    assert ignored(page) == []


def test_a_finished_run_can_be_the_teacher_where_distillation_has_a_share(trained: Run) -> None:
    page = _page("tiny;dataset=uci")
    teachers = page.multiselect(key="teachers")
    assert not teachers.disabled
    assert recipe(page).teachers == ()
    teachers.select(trained.id).run()
    assert recipe(page).teachers == (trained.id,)
    page.slider(key="distillation").set_value(0.0).run()
    assert page.multiselect(key="teachers").disabled
    assert recipe(page).teachers == ()
    page.slider(key="distillation").set_value(0.5).run()
    assert recipe(page).teachers == (trained.id,), "nothing is lost"
    trained.delete()
    page.run()
    assert recipe(page).teachers == ()


def test_a_link_carries_teachers_that_are_here_and_tells_of_others(trained: Run) -> None:
    linked = f"tiny;dataset=uci;teachers={trained.id}"
    page = _page(linked)
    assert recipe(page).teachers == (trained.id,)
    assert ignored(page) == []
    page = _page(f"{linked},20260131-093000-4f2a1c")
    assert recipe(page).teachers == ()
    assert ignored(page) == ["A run that is among the teachers is not here, or has no model"]


def test_what_the_controls_cannot_show_is_told_and_the_rest_is_taken() -> None:
    page = _page("fast;dataset=uci;epochs=60;seed=123456;dropout=0.5;filters=9;conv=8x20")
    taken = recipe(page)
    assert (taken.dropout, taken.seed) == (0.5, 0)
    assert taken.epochs != 60
    told = "\n".join(ignored(page))
    assert "epochs is 60; it can be 1 to 50" in told
    assert "seed is 123456; it can be 0 to 9999" in told
    assert "“filters=9” is no hyperparameter" in told
    assert "kernel_size of conv 1 is 20; it can be 1 to 11" in told


def test_a_link_without_any_sense_leaves_the_first_preset() -> None:
    for link in ("teapot", "fast;conv=99;dropout=abc;learning_rate=x;head=attention", ";;"):
        page = _page(link)
        assert recipe(page) == from_link("fast")[0]
        assert ignored(page)


def test_a_preset_moves_the_controls_and_keeps_none_of_the_changes() -> None:
    page = _page("fast;dataset=uci;dropout=0.5")
    page.selectbox(key="preset").set_value("too-hot").run()
    assert recipe(page) == for_available_data("too-hot")
    assert page.text[1].value == "too-hot"
    page.slider(key="dropout").set_value(0.3).run()
    assert recipe(page).dropout == 0.3
    assert page.text[1].value == "too-hot"


def test_any_learning_rate_can_be_typed() -> None:
    page = _page("fast;dataset=uci")
    rate = page.text_input(key="train-exact-rate")
    rate.set_value("0.0003").run()
    assert recipe(page).learning_rate == 0.0003
    page.select_slider(key="learning_rate").set_value(0.01).run()
    assert recipe(page).learning_rate == 0.01
    for text in ("nine", "-1", "1e9", "nan", "inf"):
        page.text_input(key="train-exact-rate").set_value(text).run()
        assert "from 0.000001 to 100" in page.error[0].value
        assert recipe(page).learning_rate == 0.01


def test_a_control_without_effect_is_disabled_and_not_in_the_recipe() -> None:
    page = _page("simple;dataset=uci")
    assert page.slider(key="label_smoothing").disabled
    page.selectbox(key="loss").set_value("categorical_crossentropy").run()
    page.slider(key="label_smoothing").set_value(0.2).run()
    assert recipe(page).label_smoothing == 0.2
    page.selectbox(key="loss").set_value("sparse_categorical_crossentropy").run()
    assert recipe(page).label_smoothing == 0


def test_blocks_come_and_go_with_their_controls() -> None:
    page = _page("simple;dataset=uci")
    page.slider(key="conv").set_value(3).run()
    page.select_slider(key="filters3").set_value(8).run()
    assert [block.filters for block in recipe(page).conv] == [32, 32, 8]
    page.slider(key="conv").set_value(1).run()
    page.slider(key="dense").set_value(1).run()
    assert recipe(page).conv == (Conv(32),)
    assert recipe(page).dense == (64,)
