"""The Calibration view: its verdict, its bins, and what it does where something lacks."""

import numpy as np
import pytest
from scipy.special import softmax
from streamlit.testing.v1 import AppTest

import digits.evaluation.predictions
from digits.data import datasets
from digits.evaluation.calibration import MAX_TEMPERATURE, MIN_TEMPERATURE, scale, temperature
from digits.recipes.recipe import Recipe
from digits.store.run_folder import EPOCH_COLUMNS, Run
from tests.pages.test_mistakes import finished_run, words
from tests.widgets.test_label_errors import PAGE, alone
from widgets.mistakes.calibration import BINS, EDGES, judge


def logits(y: np.ndarray, sharper: float, seed: int = 0) -> np.ndarray:
    """Probabilities (n, 10) from which ``y`` may well be drawn, made sharper than they should."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(y), 10))
    right = softmax(scores * 2.5, axis=1)
    drawn = (right.cumsum(axis=1) > rng.random((len(y), 1))).argmax(axis=1)
    rows = np.arange(len(y))  # let the digit that was drawn be the label
    scores[rows, drawn], scores[rows, y] = scores[rows, y], scores[rows, drawn]
    return softmax(scores * 2.5 * sharper, axis=1)


def sure_run(sharper: float) -> tuple[Run, digits.evaluation.predictions.Predictions]:
    """A run whose final model is that of its only epoch, and what it says of the test images."""
    (x, y), (_, y_val) = datasets.load_test("uci"), datasets.load_val("uci", seed=0)
    made, p = finished_run({}), logits(y, sharper).astype(np.float32)
    made.append_epochs([[1.0] * len(EPOCH_COLUMNS)])
    (made.folder / "test_probabilities").mkdir()
    np.save(made.folder / "test_probabilities.npy", p)
    np.save(made.folder / "test_probabilities" / "0001.npy", p.astype(np.float16))
    p_val = logits(y_val, sharper, seed=1).astype(np.float16)
    np.save(made.folder / "val_probabilities" / "0001.npy", p_val)
    return made, digits.evaluation.predictions.Predictions("Test image", x, y, p)


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    app.query_params["view"] = "Calibration"
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def selection(
    run: Run, tested: digits.evaluation.predictions.Predictions, **state: object
) -> digits.evaluation.predictions.Selection:
    return alone("calibration", run, tested, **state).session_state["found"]


@pytest.mark.parametrize(("sharper", "verdict"), [(3, "too sure"), (0.3, "not sure enough")])
def test_a_network_that_is_too_sure_or_not_sure_enough_is_told_so(sharper: float, verdict: str):
    sure_run(sharper)
    app = opened()
    assert f"**{verdict}**" in words(app)
    assert "Scaling mends it" in words(app)
    assert float(figures(app)["Temperature"]) == pytest.approx(sharper, rel=0.3)


def test_a_network_that_knows_what_it_knows_is_left_in_peace():
    sure_run(1)
    assert "**as sure as it should be**" in words(opened())


def test_little_gain_is_not_called_progress_and_harm_is_named():
    assert "no more than chance" in judge(1.2, 1.5, 0.0020, 0.0011, 0.002, smoothed=False)
    assert "does harm" in judge(1.2, 1.5, 0.002, 0.006, 0.002, smoothed=False)
    assert "falls from 5.00% to 1.00%" in judge(1.2, 1.5, 0.05, 0.01, 0.002, smoothed=False)


def test_label_smoothing_is_named_only_where_it_explains_what_is_seen():
    assert "label smoothing" in judge(0.4, 0.6, 0.05, 0.01, 0.002, smoothed=True)
    assert "label smoothing" not in judge(1.4, 1.6, 0.05, 0.01, 0.002, smoothed=True)
    assert "label smoothing" not in judge(0.4, 0.6, 0.05, 0.01, 0.002, smoothed=False)


@pytest.mark.parametrize(
    ("low", "high"),
    [(MIN_TEMPERATURE, 0.5), (2, MAX_TEMPERATURE), (MIN_TEMPERATURE, MAX_TEMPERATURE)],
)
def test_a_temperature_at_the_end_of_its_range_is_no_verdict(low: float, high: float):
    assert "do not tell" in judge(low, high, 0.05, 0.01, 0.002, smoothed=False)


def test_a_network_without_a_mistake_gets_no_verdict():
    made, _ = sure_run(1)
    _, y_val = datasets.load_val("uci", seed=0)
    perfect = np.eye(10, dtype=np.float16)[y_val]
    np.save(made.folder / "val_probabilities" / "0001.npy", perfect)
    assert "do not tell" in words(opened())


def test_the_most_confident_mistakes_come_first():
    found = selection(*sure_run(2))
    confidence = found.of.probabilities.max(axis=1)[found.indices]
    assert found.ranked
    assert sorted(found.indices.tolist()) == np.flatnonzero(~found.of.right).tolist()
    assert (np.diff(confidence) <= 0).all()


def test_a_bin_holds_the_digits_of_its_confidence_wrong_ones_first():
    run, tested = sure_run(2)
    place = 3  # 70 to 90 %
    assert BINS[place] == "70 – 90%"
    found = selection(run, tested, sure=place)
    confidence = tested.probabilities.max(axis=1)
    expected = (confidence >= 0.7) & (confidence < 0.9)
    assert sorted(found.indices.tolist()) == np.flatnonzero(expected).tolist()
    right = tested.right[found.indices]
    assert 0 < right.sum() < len(right)
    assert (np.diff(right.astype(int)) >= 0).all()
    assert f"**{(~right).sum()}** of them read wrongly" in found.title


def test_a_bin_of_the_scaled_curve_holds_the_digits_of_that_confidence():
    run, tested = sure_run(2)
    found = selection(run, tested, sure=3, of_curve="Scaled")
    _, y_val = datasets.load_val("uci", seed=0)
    scaled = scale(tested.probabilities, temperature(y_val, run.val_probabilities(1))).max(axis=1)
    expected = np.flatnonzero((scaled >= EDGES[2]) & (scaled < EDGES[3]))
    assert sorted(found.indices.tolist()) == expected.tolist()
    assert "scaled confidence" in found.title


def test_the_link_carries_the_bin():
    sure_run(2)
    app = opened(sure="70 – 90%")
    assert "confidence 70 – 90%" in words(app)


@pytest.mark.parametrize("lacks", ["val_probabilities/0001.npy", "test_probabilities/0001.npy"])
def test_without_answers_to_the_validation_images_there_is_the_error_and_no_temperature(lacks: str):
    made, _ = sure_run(2)
    (made.folder / lacks).unlink()
    app = opened()
    assert "no temperature" in app.info[-1].value
    assert "Calibration error" in figures(app)
    assert "Temperature" not in figures(app)
    assert app.number_input


def test_answers_to_other_validation_images_are_not_compared_with_these():
    made, _ = sure_run(2)
    np.save(made.folder / "val_probabilities" / "0001.npy", np.full((7, 10), 0.1, np.float16))
    assert "validated on 7 images" in opened().info[-1].value


def test_a_network_equally_sure_of_every_digit_has_no_curve_and_says_why():
    made, tested = sure_run(1)
    np.save(
        made.folder / "test_probabilities.npy", np.full(tested.probabilities.shape, 0.1, np.float32)
    )
    app = opened()
    assert any("no curve to draw" in info.value for info in app.info)


def test_label_smoothing_of_the_recipe_reaches_the_verdict():
    made, _ = sure_run(0.3)
    smoothed = Recipe(dataset="uci", label_smoothing=0.1, loss="categorical_crossentropy")
    (made.folder / "recipe.json").write_text(smoothed.to_json())
    assert "as label smoothing teaches" in words(opened())
