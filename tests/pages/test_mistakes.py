"""The Mistakes page: what it says of a run, its filter, and what it does when something lacks."""

import dataclasses
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from streamlit.testing.v1 import AppTest

from digits.data import datasets
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import EPOCH_COLUMNS, RESULT_FIELDS, Run
from digits.store.status import Status

SHIPPED = Path(__file__).parents[2] / "digits" / "store" / "shipped.keras"
APP = str(Path(__file__).parents[2] / "app.py")


def finished_run(wrong: dict[tuple[int, int], int], name: str = "Tested") -> Run:
    """A run on the UCI digits that mistakes so many of a label for another digit, no more."""
    _, y_test = datasets.load_test("uci")
    probabilities = np.eye(10, dtype=np.float32)[y_test] * 0.9 + np.float32(0.01)
    for (label, predicted), count in wrong.items():
        spared = np.flatnonzero((y_test == label) & (probabilities.argmax(axis=1) == label))[:count]
        probabilities[spared] = np.eye(10, dtype=np.float32)[predicted] * 0.8 + np.float32(0.02)
    made = runs.create(Recipe(dataset="uci"), name)
    np.save(made.folder / "test_probabilities.npy", probabilities)
    accuracy = float((probabilities.argmax(axis=1) == y_test).mean())
    reached = {"test_accuracy": accuracy, "test_loss": 0.1, "test_images": len(y_test)}
    made.write_result(dict.fromkeys(RESULT_FIELDS, 0) | reached)
    made.write_status(Status("finished", epoch=1, epochs=1))
    return made


def taught(epochs: list[dict[tuple[int, int], int]], stopped: bool = False) -> Run:
    """A run that after each epoch mistakes so many of a label for another digit.

    Its final model is that of the last epoch, or better than all of them where it was stopped.
    """
    job = finished_run({} if stopped else epochs[-1], name="Taught")
    (job.folder / "test_probabilities").mkdir()
    for number, wrong in enumerate(epochs, 1):
        answers = finished_run(wrong, name="Of one epoch")
        p = answers.probabilities().astype(np.float16)
        answers.delete()
        np.save(job.folder / "test_probabilities" / f"{number:04}.npy", p)
        (job.folder / "weights" / f"{number:04}.weights.h5").touch()
        job.append_epochs([[number, *[0.1] * (len(EPOCH_COLUMNS) - 1)]])
    return job


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
    total = len(datasets.load_test("uci")[1])
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
    fours = int((datasets.load_test("uci")[1] == 4).sum())
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
    assert "Every test image" in app.success[0].value


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
    if datasets.available("mnist"):
        pytest.skip("MNIST is in a place that this test cannot hide")
    app = opened()
    assert app.info
    assert not app.metric


def test_the_epoch_moves_figures_matrix_and_gallery_together():
    taught([{(4, 9): 9, (1, 7): 2}, {(4, 9): 3}, {(1, 7): 1}])
    assert opened(epoch="1").metric[2].value.startswith("11 of")
    app = opened(epoch="2", label="4", predicted="9")
    assert app.metric[2].value.startswith("3 of")
    assert "**3 mistakes** labelled 4 and read as 9" in words(app)
    assert any(button.label == "4 → 9 · 3" for button in app.button)
    assert opened().metric[2].value.startswith("1 of")


@pytest.mark.parametrize("epoch", ["0", "4", "-1", "last"])
def test_a_link_with_an_epoch_that_never_was_still_shows_the_page(epoch):
    taught([{(4, 9): 9}, {(4, 9): 3}])
    assert opened(epoch=epoch).metric[2].value.split()[0] in {"3", "9"}


def test_a_run_stopped_within_an_epoch_has_its_final_model_after_the_last_whole_one():
    taught([{(4, 9): 9}, {(4, 9): 3}], stopped=True)
    app = opened()
    assert app.metric[2].value.startswith("0 of")
    slider = app.select_slider(key="epoch")
    assert slider.options == ["1", "2", "final"]
    slider.set_value(2).run()
    assert app.metric[2].value.startswith("3 of")


def test_a_run_that_was_stopped_in_its_first_epoch_shows_its_final_model():
    taught([], stopped=True)
    app = opened()
    assert app.metric
    assert not app.select_slider


def test_a_run_that_kept_weights_but_no_answers_offers_to_make_them():
    job = taught([{(4, 9): 9}, {(4, 9): 3}])
    shutil.rmtree(job.folder / "test_probabilities")
    app = opened()
    assert any("each epoch's network" in button.label for button in app.button)
    assert app.metric[2].value.startswith("3 of")


def test_a_run_whose_epoch_files_are_gone_says_so_and_shows_its_final_model():
    job = taught([{(4, 9): 9}, {(4, 9): 3}])
    shutil.rmtree(job.folder / "test_probabilities")
    shutil.rmtree(job.folder / "weights")
    app = opened()
    assert any("kept nothing" in caption.value for caption in app.caption)
    assert app.metric[2].value.startswith("3 of")


def test_a_torn_file_of_one_epoch_is_named_and_the_others_still_show():
    job = taught([{(4, 9): 9}, {(4, 9): 3}, {(1, 7): 1}])
    (job.folder / "test_probabilities" / "0002.npy").write_bytes(b"torn")
    app = opened(epoch="2")
    assert "0002.npy" in app.error[0].value
    assert opened(epoch="1").metric[2].value.startswith("9 of")


def test_learning_tells_when_each_digit_was_learned_and_which_were_forgotten():
    taught([{(4, 9): 9}, {(4, 9): 3}, {(4, 9): 3, (1, 7): 2}, {(4, 9): 1}])
    assert "**6 digits** learned for good in epoch 2" in words(opened(view="Learning", epoch="2"))
    assert "**4 digits** learned for good in epoch 4" in words(opened(view="Learning"))
    forgotten = opened(view="Learning", fate="Forgotten again")
    assert "**2 digits** right after an epoch, wrong after the next" in words(forgotten)
    never = opened(view="Learning", fate="Never right")
    assert "**1 digit** right after no epoch" in words(never)


def test_learning_needs_more_than_one_epoch_and_says_so():
    taught([{(4, 9): 9}])
    app = opened(view="Learning")
    assert "more" in app.info[0].value


def test_two_runs_are_compared_in_one_sentence_and_by_their_digits():
    a = finished_run({(4, 9): 20, (1, 7): 1}, name="A")
    b = finished_run({(4, 9): 3, (0, 6): 1}, name="B")
    app = opened(run=a.id, view="A and B", other=b.id)
    assert "**B is better: 18 digits against 1, p < 0.001.**" in words(app)
    assert "**1 digit** that only A reads rightly" in words(app)
    app = opened(run=a.id, view="A and B", other=b.id, side="B right, A wrong")
    assert "**18 digits** that only B reads rightly" in words(app)


def test_with_one_run_alone_there_is_nothing_to_compare_and_the_page_says_what_to_do():
    finished_run({(4, 9): 3})
    assert "second" in opened(view="A and B").info[0].value


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
    expect(digits_in(shown)).to_have_count(int((datasets.load_test("uci")[1] == 0).sum()))
    assert all(name.endswith(": 0 read as 0") for name in names_of(shown))


@pytest.mark.browser
def test_the_keyboard_reaches_filter_digits_and_the_closer_look(shown: Page):
    shown.get_by_role("combobox", name="Given label").focus()
    shown.keyboard.type("1")
    expect(shown.get_by_role("option", name="1", exact=True)).to_be_visible()
    shown.keyboard.press("Enter")
    expect(shown.get_by_text("labelled 1", exact=False).first).to_be_visible()
    expect(digits_in(shown)).to_have_count(2)
    digits = digits_in(shown)
    digits.first.focus()
    shown.keyboard.press("ArrowRight")
    expect(digits.nth(1)).to_be_focused()
    shown.keyboard.press("Enter")
    expect(shown.get_by_text("Labelled 1, but read as 7.")).to_be_visible()
    expect(shown.get_by_role("button", name="Next")).to_be_disabled()
    shown.get_by_role("button", name="Previous").press("Enter")
    expect(shown.get_by_role("button", name="Next")).to_be_enabled()
    shown.get_by_role("button", name="All", exact=True).press("Enter")
    expect(digits).to_have_count(2)


@pytest.fixture
def explained(
    monkeypatch: pytest.MonkeyPatch, server: str, runs_folder: Path, page: Page
) -> Iterator[Page]:
    """The page of a run of three epochs that has a real network: the shipped one."""
    monkeypatch.setenv("DIGITS_RUNS", str(runs_folder))
    job = taught([{(4, 9): 9, (1, 7): 2}, {(4, 9): 3, (1, 7): 3}, {(4, 9): 1}])
    recipe = dataclasses.replace(PRESETS["drawings"].recipe, dataset="uci")
    (job.folder / "recipe.json").write_text(recipe.to_json())
    shutil.copy(SHIPPED, job.model_path)
    page.goto(f"{server}/mistakes?run={job.id}")
    expect(page.get_by_text("1 mistake", exact=True)).to_be_visible()
    yield page
    job.delete()


@pytest.mark.browser
def test_the_epoch_slider_is_moved_by_keyboard_and_play_takes_it_to_the_end(explained: Page):
    slider = explained.get_by_role("slider", name="Epoch")
    slider.focus()
    explained.keyboard.press("ArrowLeft")
    expect(explained.get_by_text("6 mistakes")).to_be_visible()
    expect(explained.get_by_role("button", name="1 → 7 · 3")).to_be_visible()
    expect(digits_in(explained)).to_have_count(6)
    explained.keyboard.press("ArrowLeft")
    expect(explained.get_by_text("11 mistakes")).to_be_visible()
    explained.get_by_role("button", name="Play").press("Enter")
    expect(explained.get_by_role("button", name="Pause")).to_be_visible()
    expect(explained.get_by_text("1 mistake", exact=True)).to_be_visible()
    expect(explained.get_by_role("button", name="Play")).to_be_visible()
    assert explained.evaluate("location.href").endswith("epoch=3")


@pytest.mark.browser
def test_a_digit_is_explained_by_its_pixels_its_epochs_and_its_neighbours(explained: Page):
    digits_in(explained).first.click()
    expect(explained.get_by_text("Labelled 4, but read as 9.")).to_be_visible()
    expect(explained.get_by_alt_text("Pixels that speak for 4", exact=False)).to_be_visible()
    expect(explained.get_by_alt_text("Pixels that speak for 9", exact=False)).to_be_visible()
    expect(explained.get_by_role("img", name="Probabilities after each of 3")).to_be_visible()
    alike = explained.get_by_role("button", name=re.compile("^A training [0-9], .* away$"))
    expect(alike).to_have_count(12)


@pytest.mark.browser
def test_a_lasso_on_the_map_chooses_digits_and_so_do_the_keys(explained: Page):
    explained.set_viewport_size({"width": 1280, "height": 1400})
    explained.get_by_role("radio", name="Map").or_(
        explained.get_by_role("button", name="Map")
    ).first.click()
    area = explained.locator(".st-key-feature-map .nsewdrag").first
    area.wait_for()
    box = area.bounding_box()
    assert box
    x, y, width, height = box["x"] + 2, box["y"] + 2, box["width"] - 4, box["height"] - 4
    explained.mouse.move(x, y)
    explained.mouse.down()
    for right, down in ((1, 0), (1, 1), (0, 1), (0, 0.02)):
        explained.mouse.move(x + width * right, y + height * down, steps=5)
    explained.mouse.up()
    every = len(datasets.load_test("uci")[1])
    expect(explained.get_by_text(f"{every} digits inside the lasso, 1 of them")).to_be_visible()
    explained.get_by_text("Select without a mouse").click()
    edge = explained.get_by_role("slider", name="From left to right").first
    edge.focus()
    for _ in range(5):
        explained.keyboard.press("ArrowRight")
    expect(explained.get_by_text(re.compile(r"\d+ digits in the window"))).to_be_visible()
