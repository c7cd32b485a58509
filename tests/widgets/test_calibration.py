"""The Calibration view: its verdict, its bins, and what it does where something lacks."""

import numpy as np
import pytest
from scipy.special import softmax
from streamlit.testing.v1 import AppTest

from digits.data import datasets
from digits.evaluation.calibration import MAX_TEMPERATURE, MIN_TEMPERATURE, fit_temperature, scale
from digits.evaluation.predictions import Predictions, Selection
from digits.recipes.recipe import Recipe
from digits.store.run_folder import EPOCH_COLUMNS, Run
from tests.conftest import PATIENCE
from tests.pages.test_mistakes import finished_run, words
from tests.widgets.test_label_errors import PAGE, alone
from widgets.mistakes.calibration import BINS, EDGES, verdict


def logits(y: np.ndarray, sharper: float, seed: int = 0) -> np.ndarray:
    """Probabilities (n, 10) from which ``y`` may well be drawn, run sharper than they should."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(y), 10))
    right = softmax(scores * 2.5, axis=1)
    drawn = (right.cumsum(axis=1) > rng.random((len(y), 1))).argmax(axis=1)
    rows = np.arange(len(y))  # let the digit that was drawn be the label
    scores[rows, drawn], scores[rows, y] = scores[rows, y], scores[rows, drawn]
    return softmax(scores * 2.5 * sharper, axis=1)


def sure_run(sharper: float) -> tuple[Run, Predictions]:
    """A run whose final model is that of its only epoch, and what it says of the test images."""
    (x, y), (_, y_val) = datasets.load_test("uci"), datasets.load_val("uci")
    run, p = finished_run({}), logits(y, sharper).astype(np.float32)
    run.append_epochs([[1.0] * len(EPOCH_COLUMNS)])
    run.write_test_probabilities(p)
    run.write_test_probabilities(p.astype(np.float16), 1)
    p_val = logits(y_val, sharper, seed=1).astype(np.float16)
    run.write_val_probabilities(p_val, 1)
    return run, Predictions("Test image", x, y, p)


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=PATIENCE)
    app.query_params["view"] = "calibration"
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def selection(run: Run, predictions: Predictions, **state: object) -> Selection:
    return alone("calibration", run, predictions, **state).session_state["selection"]


@pytest.mark.parametrize(("sharper", "finding"), [(3, "overconfident"), (0.3, "underconfident")])
def test_an_over_or_underconfident_model_is_called_so(sharper: float, finding: str):
    sure_run(sharper)
    app = opened()
    assert f"**{finding}**" in words(app)
    assert "Scaling helps" in words(app)
    assert float(metrics(app)["Temperature"]) == pytest.approx(sharper, rel=0.3)


def test_a_calibrated_model_is_called_so():
    sure_run(1)
    assert "**well calibrated**" in words(opened())


def test_little_gain_is_not_called_progress_and_harm_is_named():
    assert "no more than chance" in verdict(1.2, 1.5, 0.0020, 0.0011, 0.002, smoothed=False)
    assert "raises the test error" in verdict(1.2, 1.5, 0.002, 0.006, 0.002, smoothed=False)
    assert "falls from 5.00% to 1.00%" in verdict(1.2, 1.5, 0.05, 0.01, 0.002, smoothed=False)


def test_label_smoothing_is_named_only_where_it_explains_what_is_seen():
    assert "label smoothing" in verdict(0.4, 0.6, 0.05, 0.01, 0.002, smoothed=True)
    assert "label smoothing" not in verdict(1.4, 1.6, 0.05, 0.01, 0.002, smoothed=True)
    assert "label smoothing" not in verdict(0.4, 0.6, 0.05, 0.01, 0.002, smoothed=False)


@pytest.mark.parametrize(
    ("low", "high"),
    [(MIN_TEMPERATURE, 0.5), (2, MAX_TEMPERATURE), (MIN_TEMPERATURE, MAX_TEMPERATURE)],
)
def test_a_temperature_at_the_end_of_its_range_is_no_verdict(low: float, high: float):
    assert "Too few" in verdict(low, high, 0.05, 0.01, 0.002, smoothed=False)


def test_a_model_without_a_mistake_gets_no_verdict():
    run, _ = sure_run(1)
    _, y_val = datasets.load_val("uci")
    perfect = np.eye(10, dtype=np.float16)[y_val]
    run.write_val_probabilities(perfect, 1)
    assert "Too few" in words(opened())


def test_the_most_confident_mistakes_come_first():
    selected = selection(*sure_run(2))
    confidence = selected.predictions.probabilities.max(axis=1)[selected.indices]
    assert selected.ranked
    assert (
        sorted(selected.indices.tolist()) == np.flatnonzero(~selected.predictions.correct).tolist()
    )
    assert (np.diff(confidence) <= 0).all()


def test_a_bin_holds_the_digits_of_its_confidence_wrong_ones_first():
    run, predictions = sure_run(2)
    place = 3  # 70 to 90 %
    assert BINS[place] == "70 – 90%"
    selected = selection(run, predictions, confidence=place)
    confidence = predictions.probabilities.max(axis=1)
    expected = (confidence >= 0.7) & (confidence < 0.9)
    assert sorted(selected.indices.tolist()) == np.flatnonzero(expected).tolist()
    right = predictions.correct[selected.indices]
    assert 0 < right.sum() < len(right)
    assert (np.diff(right.astype(int)) >= 0).all()
    assert f"**{(~right).sum()}** misclassified" in selected.title


def test_a_bin_of_the_scaled_curve_holds_the_digits_of_that_confidence():
    run, predictions = sure_run(2)
    selected = selection(run, predictions, confidence=3, **{"mistakes-curve": "Scaled"})
    _, y_val = datasets.load_val("uci")
    scaled = scale(predictions.probabilities, fit_temperature(y_val, run.val_probabilities(1))).max(
        axis=1
    )
    expected = np.flatnonzero((scaled >= EDGES[2]) & (scaled < EDGES[3]))
    assert sorted(selected.indices.tolist()) == expected.tolist()
    assert "scaled confidence" in selected.title


def test_the_link_carries_the_bin():
    sure_run(2)
    app = opened(confidence="70 – 90%")
    assert "confidence 70 – 90%" in words(app)


@pytest.mark.parametrize("missing", ["val_probabilities/0001.npy", "test_probabilities/0001.npy"])
def test_without_validation_predictions_there_is_the_error_and_no_temperature(missing: str):
    run, _ = sure_run(2)
    (run.folder / missing).unlink()
    app = opened()
    assert "No temperature" in app.info[-1].value
    assert "Calibration error" in metrics(app)
    assert "Temperature" not in metrics(app)
    assert app.number_input


def test_predictions_on_other_validation_images_are_not_used():
    run, _ = sure_run(2)
    run.write_val_probabilities(np.full((7, 10), 0.1, np.float16), 1)
    assert "validated on 7 images" in opened().info[-1].value


def test_a_model_equally_confident_on_every_digit_has_no_curve_and_says_why():
    run, predictions = sure_run(1)
    run.write_test_probabilities(np.full_like(predictions.probabilities, 0.1))
    app = opened()
    assert any("no curve to draw" in info.value for info in app.info)


def test_label_smoothing_of_the_recipe_reaches_the_verdict():
    run, _ = sure_run(0.3)
    smoothed = Recipe(dataset="uci", label_smoothing=0.1, loss="categorical_crossentropy")
    (run.folder / "recipe.json").write_text(smoothed.to_json())
    assert "as expected from label smoothing" in words(opened())
