"""The Labels view: whose labels it searches, what it says of them, and what a bad file costs."""

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

import digits.evaluation.predictions
from digits.data import datasets
from digits.evaluation.label_errors import DisputedLabel
from digits.recipes.recipe import Recipe
from digits.store.models import SHIPPED_MODEL
from digits.store.run_folder import EPOCH_COLUMNS, Run
from tests.pages.test_mistakes import finished_run, words

PAGE = str(Path(__file__).parents[2] / "pages" / "mistakes.py")


def answers(y: np.ndarray, wrong: dict[int, int]) -> np.ndarray:
    """Probabilities (n, 10) that are right, but for the images in ``wrong``."""
    y_pred = y.copy()
    y_pred[list(wrong)] = list(wrong.values())
    return np.eye(10, dtype=np.float32)[y_pred] * 0.9 + np.float32(0.01)


def validated_run(p_val: np.ndarray | None) -> Run:
    """A run of one epoch, which became its final model; it says ``p_val`` of the validation."""
    made = finished_run({(4, 9): 3})
    made.append_epochs([[1.0] * len(EPOCH_COLUMNS)])
    (made.folder / "test_probabilities").mkdir()
    np.save(
        made.folder / "test_probabilities" / "0001.npy",
        made.test_probabilities().astype(np.float16),
    )
    if p_val is not None:
        np.save(made.folder / "val_probabilities" / "0001.npy", p_val.astype(np.float16))
    return made


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    app.query_params["view"] = "Labels"
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def alone(
    view: str, run: Run, tested: digits.evaluation.predictions.Predictions, **state: Any
) -> AppTest:
    """A view without the page, its controls set so; what it gives is ``session_state["found"]``."""

    def show(view, run, tested):
        import importlib

        import streamlit as st

        st.session_state["found"] = importlib.import_module(view).view(run, tested)

    about = {"view": f"widgets.mistakes.{view}", "run": run, "tested": tested}
    app = AppTest.from_function(show, kwargs=about, default_timeout=30)
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    return app


def npz(x: np.ndarray, y: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=x, y=y)
    return file.getvalue()


def test_contradicted_labels_are_counted_and_can_be_downloaded():
    finished_run({(4, 9): 3, (1, 7): 2})
    app = opened()
    assert "**5 labels** that it contradicts" in words(app)
    assert app.download_button
    assert app.number_input[0].label == "Test image number"


def test_the_least_probable_label_comes_first_with_its_probability():
    y = np.arange(40, dtype=np.uint8) % 10
    p = answers(y, {3: 5, 7: 1, 12: 0})
    p[7] = [0, 0.9996, 0, 0, 0, 0, 0, 0.0004, 0, 0]
    p[12] = [0.6, 0, 0.4, 0, 0, 0, 0, 0, 0, 0]
    tested = digits.evaluation.predictions.Predictions("Test image", np.zeros((40, 28, 28)), y, p)
    found = alone("labels", finished_run({}), tested).session_state["found"]
    assert found.ranked
    assert found.indices.tolist() == [7, 3, 12]
    assert list(found.notes) == ["label <0.1%", "label 1.0%", "label 40.0%"]


def test_an_estimate_of_no_errors_is_not_sold_as_all_labels_being_right():
    finished_run({(4, 9): 3})  # less sure than of nines that are right
    said = words(opened())
    assert "**none** of them surely wrong" in said
    assert "does not make them all right" in said


def test_an_estimate_of_errors_is_told():
    y = np.arange(200, dtype=np.uint8) % 10
    wrong = answers(y, {4: 9, 14: 9, 24: 9})
    tested = digits.evaluation.predictions.Predictions(
        "Test image", np.zeros((200, 28, 28)), y, wrong
    )
    app = alone("labels", finished_run({}), tested)
    assert "**about 3 labels** to be wrong" in words(app)


def test_label_smoothing_is_named_as_what_hides_errors():
    made = finished_run({(4, 9): 3})
    assert "label smoothing" not in opened().caption[-1].value
    smoothed = Recipe(dataset="uci", label_smoothing=0.1, loss="categorical_crossentropy")
    (made.folder / "recipe.json").write_text(smoothed.to_json())
    assert any("label smoothing of 0.1" in caption.value for caption in opened().caption)


def test_a_network_that_contradicts_no_label_leaves_no_list_and_no_promise():
    finished_run({})
    app = opened()
    assert "could still be among them" in app.success[0].value
    assert not app.download_button
    assert not app.number_input


def test_validation_images_are_searched_with_their_own_answers_and_name():
    _, y_val = datasets.load_val("uci", seed=0)
    wrong = {5: int(y_val[5] + 1) % 10, 8: int(y_val[8] + 1) % 10}
    validated_run(answers(y_val, wrong))
    app = opened(searched="Validation images")
    assert f"contradicts **2 of {len(y_val):,}** labels" in words(app)
    assert app.number_input[0].label == "Validation image number"


def test_a_run_without_answers_to_the_validation_images_says_so_and_the_page_goes_on():
    validated_run(None)
    app = opened(searched="Validation images")
    assert "val_probabilities/0001.npy" in app.info[-1].value
    assert app.metric
    assert not app.number_input


def test_a_final_model_of_unknown_epoch_is_explained():
    finished_run({(4, 9): 3})
    assert "not known which epoch" in opened(searched="Validation images").info[-1].value


def test_answers_to_other_validation_images_are_not_compared_with_these():
    validated_run(np.full((7, 10), 0.1))
    assert "validated on 7 images" in opened(searched="Validation images").info[-1].value


def test_disputed_labels_are_listed_with_their_verdict_whatever_the_network_says():
    y = np.arange(40, dtype=np.uint8) % 10
    said = {
        4: DisputedLabel(4, 9, "split"),
        7: DisputedLabel(7, 1, "corrected"),
        9: DisputedLabel(9, 2, "neither"),
    }
    p = answers(y, {7: 1, 3: 5})
    tested = digits.evaluation.predictions.Predictions(
        "Test image", np.zeros((40, 28, 28)), y, p, disputed=said
    )
    made = finished_run({})
    assert alone("labels", made, tested).session_state["found"].indices.tolist() == [3, 7]
    listed = alone("labels", made, tested, doubt="Disputed").session_state["found"]
    assert listed.indices.tolist() == [7, 4, 9]
    assert list(listed.notes) == ["corrected: 1", "split: 9", "neither"]
    assert "**1** of them contradicted" in listed.title


def test_a_data_set_without_disputed_labels_offers_no_choice_of_them():
    finished_run({(4, 9): 3})
    app = opened()
    assert not [group for group in app.button_group if group.label == "Show the labels"]


def test_ones_own_digits_are_read_by_the_final_model_and_a_bad_file_takes_nothing_away():
    made = finished_run({})
    shutil.copy(SHIPPED_MODEL, made.model_path)
    x, y = datasets.load_test("uci")
    sevens = np.flatnonzero(y == 7)[:20]
    x, y = x[sevens], y[sevens].copy()
    y[11] = 4  # a label that is wrong
    app = opened(searched="My own digits")
    assert not app.number_input
    app.file_uploader[0].upload("mine.npz", npz(x, y)).run()
    assert not app.exception
    assert app.number_input[0].label == "Own digit number"
    assert any("mine.npz" in caption.value for caption in app.caption)
    assert app.session_state["own"]["answers"][made.id][11].argmax() == 7
    before = words(app)
    assert "of 20** labels" in before
    app.file_uploader[0].set_value(("bad.csv", b"1,2,3", "text/csv")).run()
    assert app.error[0].value.startswith("bad.csv is neither")
    assert words(app) == before
    next(button for button in app.button if button.label == "Forget these digits").click().run()
    assert not app.number_input


def test_a_file_for_a_model_that_is_gone_is_answered_in_a_sentence():
    finished_run({})  # without model.keras
    x, y = datasets.load_test("uci")
    app = opened(searched="My own digits")
    app.file_uploader[0].upload("mine.npz", npz(x[:5], y[:5])).run()
    assert not app.exception
    assert app.error
    assert app.metric
