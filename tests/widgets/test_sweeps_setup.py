"""The set-up of a sweep, without a browser, and what the page says of bad input."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from digits.recipes.recipe import HYPERPARAMETERS, Conv, Recipe
from digits.store import sweeps
from tests.conftest import PATIENCE
from tests.sweeps import searched
from widgets.sweeps.setup import CONTROLS, QUESTIONS

APP = str(Path(__file__).parents[2] / "app.py")


def opened(recipe: Recipe | None = None, **link: str) -> AppTest:
    """The set-up, for a visitor whose controls on Train show that recipe."""
    app = AppTest.from_file(APP, default_timeout=PATIENCE)
    if recipe:
        app.session_state["recipe-shown"] = "fast", recipe
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page("pages/sweeps.py").run()
    assert not app.exception
    return app


def can_start(app: AppTest) -> bool:
    return any(button.key == "start" for button in app.button)


def test_the_page_says_what_a_sweep_is_and_what_it_will_do() -> None:
    app = opened()
    assert app.title[0].value == "Sweeps"
    assert app.markdown[0].value.startswith("A sweep answers a question")
    app.number_input(key="sweep-epochs-fast").set_value(9).run()
    assert [metric.value for metric in app.metric] == ["about 68", "not known yet"]
    assert "270 epochs" in app.caption[-1].value
    assert can_start(app)


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_can_be_asked_as_it_stands(question: str) -> None:
    app = opened()
    next(button for button in app.button if button.label == question).click().run()
    assert set(app.pills[0].value) == set(QUESTIONS[question])
    labels = {HYPERPARAMETERS[name].label for name in QUESTIONS[question]}
    assert {text.label for text in app.text_input} == labels
    assert not app.error
    assert can_start(app)


def test_the_link_on_train_brings_what_its_controls_say_whatever_was_chosen_before() -> None:
    recipe = Recipe(dataset="uci", learning_rate=0.02, epochs=12, train_images=700)
    app = opened(recipe, sweep="new")
    app.selectbox(key="sweep-base").set_value("tiny").run()
    app.query_params["base"] = "controls"
    app.run()
    assert app.selectbox(key="sweep-base").value == CONTROLS
    assert app.number_input(key=f"sweep-epochs-{CONTROLS}").value == 12
    assert app.selectbox(key=f"sweep-images-{CONTROLS}-uci").value == 700
    app.selectbox(key="sweep-base").set_value("tiny").run()
    assert app.selectbox(key="sweep-base").value == "tiny"


def test_the_link_holds_what_is_searched_and_brings_it_back() -> None:
    app = opened(sweep="new", search="dropout=0..0.3;conv=8x3p,8x3 16x3p;epochs=1,2")
    assert app.pills[0].value == ["dropout", "conv"]
    texts = {text.label: text.value for text in app.text_input}
    assert texts == {"Dropout before output": "0..0.3", "Convolution blocks": "8x3p,8x3 16x3p"}
    assert "Not searched: epochs" in app.caption[0].value
    app.text_input(key="sweep-of-dropout").set_value("0.1,0.2").run()
    assert app.query_params["search"] == "dropout=0.1,0.2;conv=8x3p,8x3 16x3p"
    assert app.text_input(key="sweep-of-dropout").value == "0.1,0.2"
    assert not app.warning
    sweep = searched(3)
    app.query_params["sweep"] = sweep.id
    app.run()
    assert "search" not in app.query_params


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("learning_rate", "0.1..0.001", "upside down; write 0.001..0.1"),
        ("batch_size", "many", "batch"),
        ("batch_size", "64", "batch size: “64” leaves nothing to choose from"),
        ("conv", "8x3p 8x", "conv"),
    ],
)
def test_a_range_or_a_list_that_is_none_is_a_sentence(name: str, text: str, words: str) -> None:
    app = opened()
    app.pills[0].set_value([name]).run()
    app.text_input(key=f"sweep-of-{name}").set_value(text).run()
    assert words in app.error[0].value.lower()
    assert not can_start(app)


def test_no_trials_and_a_space_that_cannot_be_built_are_a_sentence() -> None:
    app = opened(Recipe(dataset="uci", conv=(Conv(8),)))
    app.number_input(key="sweep-trials").set_value(0).run()
    assert "A sweep has 1 to 10,000 trials, not 0." in app.error[0].value
    app.number_input(key="sweep-trials").set_value(9)
    app.pills[0].set_value(["conv"]).run()
    app.text_input(key="sweep-of-conv").set_value("8x5p,8x20 8x3p,8x3p,8x3p,8x3p,8x3p").run()
    assert "Nothing in this space can be built" in app.error[0].value
    app.pills[0].set_value([]).run()
    assert "at least one" in app.info[0].value
    assert not can_start(app)
    assert sweeps.all() == []


@pytest.mark.parametrize("file", ["plan.json", "progress.json", "trial-2.json", "final-1.json"])
def test_a_torn_file_of_a_sweep_is_a_sentence(file: str) -> None:
    sweep = searched(3)
    (sweep.folder / file).write_text("{")
    app = opened(sweep=sweep.id)
    assert f"{file} of sweep {sweep.id} is damaged" in app.error[0].value


def test_a_sweep_whose_runs_were_deleted_says_so() -> None:
    sweep = searched(3)
    for entry in [*sweep.entries(), *sweep.entries("final")]:
        entry.run.delete()
    told = " ".join(info.value for info in opened(sweep=sweep.id).info)
    assert "The runs of all trials were deleted" in told
    assert "The runs of the winner were deleted" in told
