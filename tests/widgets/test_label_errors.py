"""The Label errors view: the sets it searches, its summary, and what happens to a bad file."""

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from digits.data import datasets
from digits.evaluation.label_errors import DisputedLabel
from digits.evaluation.predictions import Predictions
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.models import SHIPPED_MODEL
from digits.store.run_folder import EPOCH_COLUMNS, Run
from tests.conftest import PATIENCE
from tests.pages.test_mistakes import figures, finish, finished_run, words

PAGE = str(Path(__file__).parents[2] / "pages" / "mistakes.py")


def probabilities_with(y: np.ndarray, wrong: dict[int, int]) -> np.ndarray:
    """Probabilities (n, 10) that are correct, except for the images in ``wrong``."""
    y_pred = y.copy()
    y_pred[list(wrong)] = list(wrong.values())
    return np.eye(10, dtype=np.float32)[y_pred] * 0.9 + np.float32(0.01)


def validated_run(p_val: np.ndarray | None) -> Run:
    """A run of one epoch, with probabilities ``p_val`` on the validation images."""
    return validate(finished_run({(4, 9): 3}), p_val)


def validate(run: Run, p_val: np.ndarray | None) -> Run:
    """Give a finished run its epoch."""
    run.append_epochs([[1.0] * len(EPOCH_COLUMNS)])
    run.write_test_probabilities(run.test_probabilities().astype(np.float16), 1)
    if p_val is not None:
        run.write_val_probabilities(p_val.astype(np.float16), 1)
    return run


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=PATIENCE)
    app.query_params["view"] = "label-errors"
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def alone(view: str, run: Run, predictions: Predictions, **state: Any) -> AppTest:
    """A view without the page, its controls set; it leaves ``session_state["selection"]``."""

    def show(view, run, predictions):
        import importlib

        import streamlit as st

        st.session_state["selection"] = importlib.import_module(view).view(run, predictions)

    about = {"view": f"widgets.mistakes.{view}", "run": run, "predictions": predictions}
    app = AppTest.from_function(show, kwargs=about, default_timeout=PATIENCE)
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    return app


def npz(x: np.ndarray, y: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=x, y=y)
    return file.getvalue()


def downloads(app: AppTest) -> list[str]:
    return [button.label for button in app.download_button]


def test_contradicted_labels_are_counted_and_can_be_downloaded():
    finished_run({(4, 9): 3, (1, 7): 2})
    app = opened()
    assert "**5 labels** contradicted by the model" in words(app)
    assert "Download the list" in downloads(app)
    assert app.number_input[0].label == "Test image number"


def test_the_least_probable_label_comes_first_with_its_probability():
    y = np.arange(40, dtype=np.uint8) % 10
    p = probabilities_with(y, {3: 5, 7: 1, 12: 0})
    p[7] = [0, 0.9996, 0, 0, 0, 0, 0, 0.0004, 0, 0]
    p[12] = [0.6, 0, 0.4, 0, 0, 0, 0, 0, 0, 0]
    predictions = Predictions("Test image", np.zeros((40, 28, 28)), y, p)
    result = alone("label_errors", finished_run({}), predictions).session_state["selection"]
    assert result.ranked
    assert result.indices.tolist() == [7, 3, 12]
    assert list(result.notes) == ["<0.1%", "1.0%", "40.0%"]


def test_an_estimate_of_no_errors_does_not_claim_that_all_labels_are_right():
    finished_run({(4, 9): 3})  # less confident than on correct nines
    text = words(opened())
    assert "estimates **no** label errors" in text
    assert "does not prove all labels right" in text


def test_an_estimate_of_errors_is_shown():
    y = np.arange(200, dtype=np.uint8) % 10
    wrong = probabilities_with(y, {4: 9, 14: 9, 24: 9})
    predictions = Predictions("Test image", np.zeros((200, 28, 28)), y, wrong)
    app = alone("label_errors", finished_run({}), predictions)
    assert "**about 3 labels** are wrong" in words(app)


def test_label_smoothing_is_named_as_what_hides_errors():
    def named() -> bool:
        page = opened()
        return any("Label smoothing of 0.1" in text.value for text in page.markdown)

    run = finished_run({(4, 9): 3})
    assert not named()
    smoothed = Recipe(dataset="uci", label_smoothing=0.1, loss="categorical_crossentropy")
    (run.folder / "recipe.json").write_text(smoothed.to_json())
    assert named()


def test_a_model_that_contradicts_no_label_leaves_no_list_and_no_promise():
    finished_run({})
    app = opened()
    assert "could still be wrong" in app.success[0].value
    assert "Download the list" not in downloads(app)
    assert not app.number_input


def test_validation_images_are_searched_with_their_own_predictions_and_name():
    _, y_val = datasets.load_val("uci")
    wrong = {5: int(y_val[5] + 1) % 10, 8: int(y_val[8] + 1) % 10}
    validated_run(probabilities_with(y_val, wrong))
    app = opened(search="validation")
    assert f"contradicts **2 of {len(y_val):,}** labels" in words(app)
    assert app.number_input[0].label == "Validation image number"


def test_training_images_are_searched_by_the_runs_of_ten_folds():
    _, y, folds = datasets.load_folds("uci")
    for run in runs.create_folds(Recipe(dataset="uci"), "Folds", ""):
        p = probabilities_with(y, {300: int(y[300] + 1) % 10})[folds == run.recipe.split.fold]
        validate(finish(run, {}), p)
    app = opened(search="training", digit="300")
    assert f"contradicts **1 of {len(y):,}** labels" in words(app)
    assert app.number_input[0].label == "Training image number"
    assert f"Label :green[**{y[300]}**], predicted as :red[**{(y[300] + 1) % 10}**]" in words(app)


def test_without_ten_folds_a_sentence_says_how_to_train_them():
    finished_run({(4, 9): 3})
    app = opened(search="training")
    assert "*10 folds*, beside *Train*" in app.info[-1].value
    assert not app.number_input


def test_a_run_without_validation_predictions_says_so_and_the_page_goes_on():
    validated_run(None)
    app = opened(search="validation")
    assert "val_probabilities/0001.npy" in app.info[-1].value
    assert figures(app)
    assert not app.number_input


def test_a_final_model_of_unknown_epoch_is_explained():
    finished_run({(4, 9): 3})
    assert "unknown which epoch" in opened(search="validation").info[-1].value


def test_predictions_on_other_validation_images_are_not_used():
    validated_run(np.full((7, 10), 0.1))
    assert "validated on 7 images" in opened(search="validation").info[-1].value


def test_disputed_labels_are_listed_with_their_verdict_whatever_the_model_predicts():
    y = np.arange(40, dtype=np.uint8) % 10
    disputed = {
        4: DisputedLabel(4, 9, "split"),
        7: DisputedLabel(7, 1, "corrected"),
        9: DisputedLabel(9, 2, "neither"),
    }
    p = probabilities_with(y, {7: 1, 3: 5})
    predictions = Predictions("Test image", np.zeros((40, 28, 28)), y, p, disputed=disputed)
    run = finished_run({})
    assert alone("label_errors", run, predictions).session_state["selection"].indices.tolist() == [
        3,
        7,
    ]
    listed = alone("label_errors", run, predictions, labels="disputed").session_state["selection"]
    assert listed.indices.tolist() == [7, 4, 9]
    assert list(listed.notes) == ["corrected: 1", "split: 9", "neither"]
    assert "**1** of them contradicted" in listed.title


def test_a_data_set_without_disputed_labels_offers_no_choice_of_them():
    finished_run({(4, 9): 3})
    app = opened()
    assert not [group for group in app.button_group if group.label == "Show the labels"]


def test_uploaded_digits_are_classified_by_the_final_model_and_a_bad_file_takes_nothing_away():
    run = finished_run({})
    shutil.copy(SHIPPED_MODEL, run.model_path)
    x, y = datasets.load_test("uci")
    sevens = np.flatnonzero(y == 7)[:20]
    x, y = x[sevens], y[sevens].copy()
    y[11] = 4  # a label that is wrong
    app = opened(search="upload")
    assert not app.number_input
    app.file_uploader[0].upload("mine.npz", npz(x, y)).run()
    assert not app.exception
    assert app.number_input[0].label == "Own digit number"
    assert any("mine.npz" in caption.value for caption in app.caption)
    assert app.session_state["mistakes-upload"]["probabilities"][run.id][11].argmax() == 7
    before = words(app)
    assert "of 20** labels" in before
    app.file_uploader[0].set_value(("bad.csv", b"1,2,3", "text/csv")).run()
    assert app.error[0].value.startswith("bad.csv is neither")
    assert words(app) == before
    next(button for button in app.button if button.label == "Remove these digits").click().run()
    assert not app.number_input


def test_a_file_for_a_model_that_is_gone_is_explained_in_a_sentence():
    finished_run({})  # without model.keras
    x, y = datasets.load_test("uci")
    app = opened(search="upload")
    app.file_uploader[0].upload("mine.npz", npz(x[:5], y[:5])).run()
    assert not app.exception
    assert app.error
    assert figures(app)
