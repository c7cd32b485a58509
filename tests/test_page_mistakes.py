"""The Mistakes page: what it says of a run, its filter, and what it does when something lacks."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from streamlit.testing.v1 import AppTest

from digits import data, run
from digits.recipe import Recipe
from digits.run import RESULT, Run
from digits.status import Status

APP = str(Path(__file__).parents[1] / "app.py")


def finished_run(wrong: dict[tuple[int, int], int], name: str = "Tested") -> Run:
    """A run on the UCI digits that mistakes so many of a label for another digit, no more."""
    _, y_test = data.load_test("uci")
    probabilities = np.eye(10, dtype=np.float32)[y_test] * 0.9 + np.float32(0.01)
    for (label, predicted), count in wrong.items():
        spared = np.flatnonzero(
            (y_test == label) & (probabilities.argmax(axis=1) == label),
        )[:count]
        probabilities[spared] = np.eye(10, dtype=np.float32)[predicted] * 0.8 + np.float32(0.02)
    made = run.create(Recipe(dataset="uci"), name)
    np.save(made.folder / "test_probabilities.npy", probabilities)
    accuracy = float((probabilities.argmax(axis=1) == y_test).mean())
    reached = {"test_accuracy": accuracy, "test_loss": 0.1, "test_images": len(y_test)}
    made.write("result.json", dict.fromkeys(RESULT, 0) | reached)
    made.write_status(Status("finished", epoch=1, epochs=1))
    return made


def opened(**query: str) -> AppTest:
    """The page as the link with that query shows it."""
    app = AppTest.from_file(APP, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/mistakes.py").run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def test_without_a_run_the_page_says_what_to_do_first():
    app = opened()
    assert app.info
    assert not app.metric


def test_the_page_counts_the_mistakes_and_gives_the_interval():
    finished_run({(4, 9): 3, (1, 7): 2})
    total = len(data.load_test("uci")[1])
    app = opened()
    accuracy, _, misclassified = app.metric
    assert misclassified.value == f"5 of {total}"
    assert accuracy.value == f"{1 - 5 / total:.2%}"
    low, high = (float(number) for number in re.findall(r"([\d.]+)%", accuracy.delta)[1:])
    assert low < 100 * (1 - 5 / total) < high
    assert "**5 mistakes**" in words(app)


def test_the_most_confused_pair_is_a_button_that_filters_and_the_filter_can_be_lifted():
    finished_run({(4, 9): 3, (1, 7): 2})
    app = opened()
    next(button for button in app.button if button.label == "4 → 9 · 3").click().run()
    assert (app.session_state["label"], app.session_state["predicted"]) == (4, 9)
    assert "**3 mistakes** labelled 4 and read as 9" in words(app)
    next(button for button in app.button if button.label == "Show all mistakes").click().run()
    assert "**5 mistakes**" in words(app)
    assert not [button for button in app.button if button.label == "Show all mistakes"]


def test_the_link_carries_run_filter_and_order():
    chosen = finished_run({(4, 9): 3})
    finished_run({(0, 6): 4}, name="Newer")
    app = opened(run=chosen.id, label="4", predicted="9", sort="Loss")
    assert "**3 mistakes** labelled 4 and read as 9" in words(app)
    assert app.session_state["sort"] == "loss"


@pytest.mark.parametrize("label", ["4", "ten", "-1"])
def test_a_link_with_nonsense_in_it_still_shows_the_page(label):
    finished_run({(4, 9): 3})
    app = opened(label=label, predicted="x", sort="beauty", page="99")
    assert "**3 mistakes**" in words(app)


def test_a_cell_of_the_diagonal_shows_the_digits_that_were_right():
    finished_run({(4, 9): 3})
    fours = int((data.load_test("uci")[1] == 4).sum())
    app = opened(label="4", predicted="4")
    assert f"**{fours - 3} digits** labelled 4 and read as 4" in words(app)


def test_a_filter_that_nothing_matches_says_so_and_can_be_lifted():
    finished_run({(4, 9): 3})
    app = opened(label="0", predicted="1")
    assert "No test image" in app.info[0].value
    next(button for button in app.button if button.label == "Show all mistakes").click().run()
    assert "**3 mistakes**" in words(app)


def test_a_run_without_mistakes_is_congratulated():
    finished_run({})
    app = opened()
    assert app.metric[2].value.startswith("0 of")
    assert "every test image" in app.success[0].value


@pytest.mark.parametrize("content", [None, b"", b"not an array"])
def test_damaged_or_missing_probabilities_are_named_in_one_sentence(content):
    file = finished_run({}).folder / "test_probabilities.npy"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    app = opened()
    assert "test_probabilities.npy" in app.error[0].value
    assert not app.metric


def test_probabilities_of_another_test_set_are_not_compared_with_this_one():
    made = finished_run({})
    np.save(made.folder / "test_probabilities.npy", np.full((7, 10), 0.1, np.float32))
    app = opened()
    assert "tested on 7 images" in app.error[0].value


def test_a_test_set_that_is_not_at_hand_is_explained(monkeypatch, tmp_path):
    made = finished_run({})
    (made.folder / "recipe.json").write_text(Recipe(dataset="mnist").to_json())
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if data.available("mnist"):
        pytest.skip("MNIST is in a place that this test cannot hide")
    app = opened()
    assert app.info
    assert not app.metric


def digits_in(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Test image"))


def names_of(page: Page) -> list[str]:
    return [digit.get_attribute("aria-label") or "" for digit in digits_in(page).all()]


def click_cell(page: Page, label: int, predicted: int) -> None:
    drawing = page.locator(".st-key-matrix .nsewdrag")
    box = drawing.bounding_box()
    assert box
    x, y = box["width"] * (predicted + 0.5) / 10, box["height"] * (label + 0.5) / 10
    drawing.click(position={"x": x, "y": y})


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, server: str, runs_folder: Path, page: Page
) -> Iterator[Page]:
    """The page of a run with 3 + 2 mistakes, in a browser."""
    monkeypatch.setenv("DIGITS_RUNS", str(runs_folder))
    made = finished_run({(4, 9): 3, (1, 7): 2})
    page.goto(f"{server}/mistakes?run={made.id}")
    expect(page.get_by_text("5 mistakes")).to_be_visible()
    expect(page.locator(".st-key-matrix .nsewdrag")).to_be_visible()
    expect(digits_in(page)).to_have_count(5)
    yield page
    made.delete()


@pytest.mark.browser
def test_a_click_on_a_cell_shows_exactly_its_digits(shown: Page):
    click_cell(shown, label=4, predicted=9)
    expect(shown.get_by_text("labelled 4 and read as 9")).to_be_visible()
    expect(digits_in(shown)).to_have_count(3)
    assert all(name.endswith(": 4 read as 9") for name in names_of(shown))
    assert "label=4&predicted=9" in shown.url


@pytest.mark.browser
def test_a_click_on_the_diagonal_shows_the_digits_that_were_right(shown: Page):
    click_cell(shown, label=0, predicted=0)
    expect(shown.get_by_text("labelled 0 and read as 0")).to_be_visible()
    expect(digits_in(shown)).to_have_count(int((data.load_test("uci")[1] == 0).sum()))
    assert all(name.endswith(": 0 read as 0") for name in names_of(shown))


@pytest.mark.browser
def test_the_keyboard_reaches_filter_digits_and_the_closer_look(shown: Page):
    shown.get_by_role("combobox", name="Given label").focus()
    shown.keyboard.type("1")
    shown.keyboard.press("Enter")
    expect(shown.get_by_text("labelled 1", exact=False).first).to_be_visible()
    expect(digits_in(shown)).to_have_count(2)
    digits = digits_in(shown)
    digits.first.focus()
    shown.keyboard.press("ArrowRight")
    expect(digits.nth(1)).to_be_focused()
    shown.keyboard.press("Enter")
    closer = shown.get_by_role("dialog")
    expect(closer.get_by_text("Labelled 1, but read as 7.")).to_be_visible()
    number = re.findall(r"\d+", digits.nth(1).get_attribute("aria-label") or "")[0]
    expect(closer.get_by_text(f"Test image {number}")).to_be_visible()
    shown.keyboard.press("Escape")
    expect(closer).to_be_hidden()
