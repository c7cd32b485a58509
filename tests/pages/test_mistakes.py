"""The Mistakes page: metrics of a run, filters, views, and what is shown when data is missing."""

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
from digits.store.run_folder import EPOCH_COLUMNS, Run
from digits.store.status import Status
from tests.damage import RESULT

SHIPPED = Path(__file__).parents[2] / "digits" / "store" / "shipped.keras"
APP = str(Path(__file__).parents[2] / "app.py")


def finished_run(wrong: dict[tuple[int, int], int], name: str = "Tested") -> Run:
    """A run on the UCI digits that misclassifies so many of a label as another digit, no more."""
    p = probabilities_with(wrong)
    _, y_test = datasets.load_test("uci")
    run = runs.create(Recipe(dataset="uci"), name)
    run.write_test_probabilities(p)
    accuracy = float((p.argmax(axis=1) == y_test).mean())
    metrics = {"test_accuracy": accuracy, "test_loss": 0.1, "test_images": len(y_test)}
    run.write_result(RESULT | metrics)
    run.write_status(Status("finished", epoch=1, epochs=1))
    return run


def probabilities_with(wrong: dict[tuple[int, int], int]) -> np.ndarray:
    """Probabilities (n, 10) float32 for the UCI test images with these mistakes."""
    _, y_test = datasets.load_test("uci")
    one_hot = np.eye(10, dtype=np.float32)
    p = one_hot[y_test] * 0.9 + np.float32(0.01)
    for (label, predicted), count in wrong.items():
        correct = np.flatnonzero((y_test == label) & (p.argmax(axis=1) == label))
        p[correct[:count]] = one_hot[predicted] * 0.8 + np.float32(0.02)
    return p


def run_with_epochs(epochs: list[dict[tuple[int, int], int]], stopped: bool = False) -> Run:
    """A run that after each epoch misclassifies so many of a label as another digit.

    Its final model is that of the last epoch, or better than all of them where it was stopped.
    """
    run = finished_run({} if stopped else epochs[-1], name="With epochs")
    for epoch, wrong in enumerate(epochs, 1):
        run.write_test_probabilities(probabilities_with(wrong).astype(np.float16), epoch)
        run.write_weights(Path.touch, epoch)
        run.append_epochs([[epoch, *[0.1] * (len(EPOCH_COLUMNS) - 1)]])
    return run


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
    assert "**3 mistakes** labeled 4 and predicted as 9" in words(app)
    next(button for button in app.button if button.label == "Show all mistakes").click().run()
    assert "**5 mistakes**" in words(app)
    assert not [button for button in app.button if button.label == "Show all mistakes"]


def test_the_link_carries_run_filter_and_order():
    chosen = finished_run({(4, 9): 3})
    finished_run({(0, 6): 4}, name="Newer")
    app = opened(run=chosen.id, label="4", predicted="9", sort="Loss")
    assert "**3 mistakes** labeled 4 and predicted as 9" in words(app)
    assert app.session_state["sort"] == "loss"


@pytest.mark.parametrize("label", ["4", "ten", "-1"])
def test_a_link_with_nonsense_in_it_still_shows_the_page(label):
    finished_run({(4, 9): 3})
    app = opened(label=label, predicted="x", sort="beauty", page="99")
    assert "**3 mistakes**" in words(app)


def test_a_cell_of_the_diagonal_shows_the_correct_digits():
    finished_run({(4, 9): 3})
    fours = int((datasets.load_test("uci")[1] == 4).sum())
    app = opened(label="4", predicted="4")
    assert f"**{fours - 3} digits** labeled 4 and predicted as 4" in words(app)


def test_a_filter_that_nothing_matches_says_so_and_can_be_lifted():
    finished_run({(4, 9): 3})
    app = opened(label="0", predicted="1")
    assert "No matching test images" in app.info[0].value
    next(button for button in app.button if button.label == "Show all mistakes").click().run()
    assert "**3 mistakes**" in words(app)


def test_a_run_without_mistakes_says_that_all_images_were_classified_correctly():
    finished_run({})
    app = opened()
    assert app.metric[2].value.startswith("0 of")
    assert "All test images were classified correctly" in app.success[0].value


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
    run = finished_run({})
    np.save(run.folder / "test_probabilities.npy", np.full((7, 10), 0.1, np.float32))
    app = opened()
    assert "tested on 7 images" in app.error[0].value


def test_a_test_set_that_is_not_at_hand_is_explained(monkeypatch, tmp_path):
    run = finished_run({})
    (run.folder / "recipe.json").write_text(Recipe(dataset="mnist").to_json())
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if datasets.available("mnist"):
        pytest.skip("MNIST is in a place that this test cannot hide")
    app = opened()
    assert app.info
    assert not app.metric


def test_the_epoch_moves_figures_matrix_and_gallery_together():
    run_with_epochs([{(4, 9): 9, (1, 7): 2}, {(4, 9): 3}, {(1, 7): 1}])
    assert opened(epoch="1").metric[2].value.startswith("11 of")
    app = opened(epoch="2", label="4", predicted="9")
    assert app.metric[2].value.startswith("3 of")
    assert "**3 mistakes** labeled 4 and predicted as 9" in words(app)
    assert any(button.label == "4 → 9 · 3" for button in app.button)
    assert opened().metric[2].value.startswith("1 of")


@pytest.mark.parametrize("epoch", ["0", "4", "-1", "last"])
def test_a_link_with_an_epoch_that_never_was_still_shows_the_page(epoch):
    run_with_epochs([{(4, 9): 9}, {(4, 9): 3}])
    assert opened(epoch=epoch).metric[2].value.split()[0] in {"3", "9"}


def test_a_run_stopped_within_an_epoch_has_its_final_model_after_the_last_whole_one():
    run_with_epochs([{(4, 9): 9}, {(4, 9): 3}], stopped=True)
    app = opened()
    assert app.metric[2].value.startswith("0 of")
    slider = app.select_slider(key="epoch")
    assert slider.options == ["1", "2", "final"]
    slider.set_value(2).run()
    assert app.metric[2].value.startswith("3 of")


def test_a_run_that_was_stopped_in_its_first_epoch_shows_its_final_model():
    run_with_epochs([], stopped=True)
    app = opened()
    assert app.metric
    assert not app.select_slider


def test_a_run_with_weights_but_no_predictions_per_epoch_offers_to_compute_them():
    run = run_with_epochs([{(4, 9): 9}, {(4, 9): 3}])
    shutil.rmtree(run.folder / "test_probabilities")
    app = opened()
    assert any("Evaluate every epoch" in button.label for button in app.button)
    assert app.metric[2].value.startswith("3 of")


def test_a_run_whose_epoch_files_are_gone_says_so_and_shows_its_final_model():
    run = run_with_epochs([{(4, 9): 9}, {(4, 9): 3}])
    shutil.rmtree(run.folder / "test_probabilities")
    shutil.rmtree(run.folder / "weights")
    app = opened()
    assert any("No per-epoch checkpoints" in caption.value for caption in app.caption)
    assert app.metric[2].value.startswith("3 of")


def test_a_torn_file_of_one_epoch_is_named_and_the_others_still_show():
    run = run_with_epochs([{(4, 9): 9}, {(4, 9): 3}, {(1, 7): 1}])
    (run.folder / "test_probabilities" / "0002.npy").write_bytes(b"torn")
    app = opened(epoch="2")
    assert "0002.npy" in app.error[0].value
    assert opened(epoch="1").metric[2].value.startswith("9 of")


def test_learning_shows_when_each_digit_was_learned_and_which_were_forgotten():
    run_with_epochs([{(4, 9): 9}, {(4, 9): 3}, {(4, 9): 3, (1, 7): 2}, {(4, 9): 1}])
    assert "**6 digits** learned in epoch 2" in words(opened(view="Learning", epoch="2"))
    assert "**4 digits** learned in epoch 4" in words(opened(view="Learning"))
    forgotten = opened(view="Learning", learning="Forgotten")
    assert "**2 digits** correct after one epoch, misclassified after the next" in words(forgotten)
    never = opened(view="Learning", learning="Never learned")
    assert "**1 digit** misclassified after every epoch" in words(never)


def test_learning_needs_more_than_one_epoch_and_says_so():
    run_with_epochs([{(4, 9): 9}])
    app = opened(view="Learning")
    assert "more" in app.info[0].value


def test_two_runs_are_compared_in_one_sentence_and_by_their_digits():
    a = finished_run({(4, 9): 20, (1, 7): 1}, name="A")
    b = finished_run({(4, 9): 3, (0, 6): 1}, name="B")
    app = opened(run=a.id, view="Compare", other=b.id)
    assert "**B is better: 18 digits against 1, p < 0.001.**" in words(app)
    assert "**1 digit** that only A classifies correctly" in words(app)
    app = opened(run=a.id, view="Compare", other=b.id, side="Only B correct")
    assert "**18 digits** that only B classifies correctly" in words(app)


def test_with_one_run_alone_there_is_nothing_to_compare_and_the_page_says_what_to_do():
    finished_run({(4, 9): 3})
    assert "second" in opened(view="Compare").info[0].value


def digits_in(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Test image"))


def names_of(page: Page) -> list[str]:
    return [digit.get_attribute("aria-label") or "" for digit in digits_in(page).all()]


def click_cell(page: Page, label: int, predicted: int) -> None:
    drawing = page.locator(".st-key-mistakes-matrix .nsewdrag")
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
    run = finished_run({(4, 9): 3, (1, 7): 2})
    page.goto(f"{server}/mistakes?run={run.id}")
    expect(page.get_by_text("5 mistakes")).to_be_visible()
    expect(page.locator(".st-key-mistakes-matrix .nsewdrag")).to_be_visible()
    expect(digits_in(page)).to_have_count(5)
    yield page
    run.delete()


@pytest.mark.browser
def test_a_click_on_a_cell_shows_exactly_its_digits(shown: Page):
    click_cell(shown, label=4, predicted=9)
    expect(shown.get_by_text("labeled 4 and predicted as 9")).to_be_visible()
    expect(digits_in(shown)).to_have_count(3)
    assert all(name.endswith(": 4 predicted as 9") for name in names_of(shown))
    assert "label=4&predicted=9" in shown.url


@pytest.mark.browser
def test_a_click_on_the_diagonal_shows_the_correct_digits(shown: Page):
    click_cell(shown, label=0, predicted=0)
    expect(shown.get_by_text("labeled 0 and predicted as 0")).to_be_visible()
    expect(digits_in(shown)).to_have_count(int((datasets.load_test("uci")[1] == 0).sum()))
    assert all(name.endswith(": 0 predicted as 0") for name in names_of(shown))


@pytest.mark.browser
def test_the_keyboard_reaches_filter_digits_and_details(shown: Page):
    shown.wait_for_selector("[data-test-script-state=notRunning]")  # it may draw the list anew
    shown.get_by_role("combobox", name="True label").focus()
    shown.keyboard.type("1")
    expect(shown.get_by_role("option", name="1", exact=True)).to_be_visible()
    shown.keyboard.press("Enter")
    expect(shown.get_by_text("labeled 1", exact=False).first).to_be_visible()
    expect(digits_in(shown)).to_have_count(2)
    digits = digits_in(shown)
    digits.first.focus()
    shown.keyboard.press("ArrowRight")
    expect(digits.nth(1)).to_be_focused()
    shown.keyboard.press("Enter")
    expect(shown.get_by_text("Label 1, predicted as 7.")).to_be_visible()
    expect(shown.get_by_role("button", name="Next")).to_be_disabled()
    shown.get_by_role("button", name="Previous").press("Enter")
    expect(shown.get_by_role("button", name="Next")).to_be_enabled()
    shown.get_by_role("button", name="All", exact=True).press("Enter")
    expect(digits).to_have_count(2)


@pytest.fixture
def explained(
    monkeypatch: pytest.MonkeyPatch, server: str, runs_folder: Path, page: Page
) -> Iterator[Page]:
    """The page of a run of three epochs that has a real model: the shipped one."""
    monkeypatch.setenv("DIGITS_RUNS", str(runs_folder))
    run = run_with_epochs([{(4, 9): 9, (1, 7): 2}, {(4, 9): 3, (1, 7): 3}, {(4, 9): 1}])
    recipe = dataclasses.replace(PRESETS["drawings"].recipe, dataset="uci")
    (run.folder / "recipe.json").write_text(recipe.to_json())
    shutil.copy(SHIPPED, run.model_path)
    page.goto(f"{server}/mistakes?run={run.id}")
    expect(page.get_by_text("1 mistake", exact=True)).to_be_visible()
    yield page
    run.delete()


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
def test_the_details_of_a_digit_show_saliency_epochs_and_neighbors(explained: Page):
    digits_in(explained).first.click()
    expect(explained.get_by_text("Label 4, predicted as 9.")).to_be_visible()
    expect(explained.get_by_alt_text("Pixels that speak for 4", exact=False)).to_be_visible()
    expect(explained.get_by_alt_text("Pixels that speak for 9", exact=False)).to_be_visible()
    expect(explained.get_by_role("img", name="Probabilities after each of 3")).to_be_visible()
    neighbors = explained.get_by_role("button", name=re.compile("^A training [0-9], .* away$"))
    expect(neighbors).to_have_count(12)


@pytest.mark.browser
def test_a_lasso_on_the_map_selects_digits_and_so_does_the_keyboard(explained: Page):
    explained.set_viewport_size({"width": 1280, "height": 1400})
    explained.get_by_role("radio", name="Embedding map").or_(
        explained.get_by_role("button", name="Embedding map")
    ).first.click()
    area = explained.locator(".st-key-mistakes-map .nsewdrag").first
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
    expect(explained.get_by_text(f"{every} digits in the lasso, 1 misclassified")).to_be_visible()
    explained.get_by_text("Select without a mouse").click()
    edge = explained.get_by_role("slider", name="Horizontal range").first
    edge.focus()
    for _ in range(5):
        explained.keyboard.press("ArrowRight")
    expect(explained.get_by_text(re.compile(r"\d+ digits in the region"))).to_be_visible()
