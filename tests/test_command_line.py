"""The command line, run as a person runs it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits.data import datasets
from digits.recipes.presets import PRESETS, SHIPPED
from digits.recipes.recipe import HYPERPARAMETERS, Conv, Recipe
from digits.store import runs
from digits.store.models import SHIPPED_MODEL, ModelRef
from digits.store.run_folder import Run
from tests.conftest import PATIENCE, ROOT

pytestmark = pytest.mark.slow


def digits(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "digits", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


def test_training_ends_with_one_json_object_and_a_run_that_the_pages_find() -> None:
    done = digits("train", "three-blocks", "--dataset", "uci", "--epochs", 1, "--seed", 3)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["parameters"] == 81_066
    assert result["epochs"] == 1
    for field in ("run", "seconds", "images_per_second", "val_accuracy", "test_accuracy"):
        assert field in result
    assert result["test_loss"] > 0
    assert "images/s" in done.stderr
    run = runs.open(result["run"])
    assert (run.status.state, run.recipe.seed) == ("finished", 3)


def test_a_run_is_named_by_what_differs_from_the_latest_run() -> None:
    options = "--dataset uci --epochs 1 --conv 8x3p --dense 16 --train-images 100 --batch-size 64"
    for rotation in (5, 10):
        done = digits("train", "simple", *options.split(), "--rotation", rotation)
        assert done.returncode == 0, done.stderr
    assert "rotation 10" in runs.all()[0].name


def test_every_hyperparameter_is_an_option_by_its_name() -> None:
    shown = digits("train", "--help").stdout
    options = set(re.findall(r"--[a-z-]+", shown))
    assert {f"--{name.replace('_', '-')}" for name in HYPERPARAMETERS} <= options


def test_options_change_the_recipe_of_the_preset() -> None:
    options = "--dataset uci --epochs 1 --conv 8x5p,8x3 --dense 16 --batch-norm --train-images 200"
    done = digits("train", "simple", *options.split(), "--learning-rate", "0.01")
    assert done.returncode == 0, done.stderr
    recipe = runs.open(json.loads(done.stdout.splitlines()[-1])["run"]).recipe
    assert (recipe.conv, recipe.dense) == ((Conv(8, 5), Conv(8, pool=False)), (16,))
    assert (recipe.batch_norm, recipe.train_images, recipe.learning_rate) == (True, 200, 0.01)
    assert recipe.dropout == PRESETS["simple"].recipe.dropout


def test_teachers_are_trained_where_they_are_missing() -> None:
    options = "--dataset uci --train-images 200 --epochs 1 --distillation 0.5 --teacher-seeds 1,2"
    for count in (3, 4):
        done = digits("train", "simple", *options.split(), "--dropout", "0.25")
        assert done.returncode == 0, done.stderr
        student = runs.open(json.loads(done.stdout.splitlines()[-1])["run"]).recipe
        assert len(runs.all()) == count, "the same teachers serve the next student"
        teachers = [runs.open(id).recipe for id in student.teachers]
        assert [(one.seed, one.distillation) for one in teachers] == [(1, 0.0), (2, 0.0)]
        assert {(one.epochs, one.dropout) for one in teachers} == {(1, 0.25)}
        assert (student.seed, student.distillation) == (0, 0.5)


def test_a_sweep_ends_with_the_best_settings_and_a_tested_winner() -> None:
    options = "--dataset uci --train-images 200 --epochs 1 --trials 2 --sampler random"
    rate = ["--learning-rate", "1e-3..1e-2", "--conv", ""]
    done = digits("sweep", "simple", *options.split(), *rate)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["trials"], answer["epochs"]) == (2, 2)
    assert 1e-3 <= float(answer["best"]["learning_rate"]) <= 1e-2
    assert 0 < answer["best_val_accuracy"] <= 1
    tested = answer["test_accuracy"]
    assert tested["seeds"] == 3
    assert tested["range"][0] <= tested["mean"] <= tested["range"][1]
    assert "2 of 2 trials" in done.stderr
    assert len(runs.all()) == 5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--learning-rate", "0.1..0.001"], "is upside down; write 0.001..0.1"),
        (["--conv", "8x28p 8x28p,8x3"], "Nothing in this space can be built."),
        (["--learning-rate", "0.1,0.2", "--trials", "0"], "A sweep has 1 to 10,000 trials, not 0."),
        (["--learning-rate", "0.1,0.2", "--workers", "0"], "1 to 256 workers, not 0."),
        ([], "Nothing to search."),
    ],
)
def test_a_sweep_that_cannot_be_is_one_sentence(options: list[str], told: str) -> None:
    done = digits("sweep", "simple", *options)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_picture_is_recognized(tmp_path: Path) -> None:
    x, y = datasets.load_test("uci")
    path = tmp_path / "digit.png"
    Image.fromarray(255 - x[0]).resize((200, 200)).save(path)  # dark on light, as on paper
    done = digits("recognize", path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["digit"] == y[0]
    assert sum(result["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_a_stroke_file_is_scored(tmp_path: Path) -> None:
    one = {"label": 1, "strokes": [[[50, 50], [0, 1000]]]}
    spoilt = {"label": 1, "strokes": [[[0, 1000], [0, 1000]]], "suspect": True}
    path = tmp_path / "strokes.json"
    path.write_text(json.dumps({"format": "pen_digits/1", "digits": [one, one, spoilt]}))
    done = digits("score-drawings", path)
    assert done.returncode == 0, done.stderr
    score = json.loads(done.stdout)
    assert (score["digits"], score["correct"], score["accuracy"]) == (2, 2, 1.0)
    assert np.array(score["confusion_matrix"]).sum() == 2
    assert score["writers"] == 2
    assert score["interval"][0] < score["interval_over_writers"][0] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "simple", "--dataset", "uci", "--epochs", "0"), "epochs is 0"),
        (("train", "simple", "--teacher-seeds", "0"), "such as --distillation 0.9"),
        (("train", "tiny", "--dataset", "uci", "--teachers", "x"), "each must be a run's id"),
        (("train", "simple", "--dataset", "uci", "--train-images", "50000"), "1,29"),
        (("train", "simple", "--dataset", "fashion"), "dataset is 'fashion'"),
        (("recognize", "missing.png"), "missing.png"),
        (("recognize", "README.md"), "README.md"),
        (("score-drawings", "README.md", "--run", "../../etc"), "names no run"),
        (("score-drawings", "README.md"), "README.md"),
        (("score-drawings", "missing.json", "--run", "20260101-000000-abcdef"), "no run"),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    done = digits(*arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert sentence in done.stderr.splitlines()[-1]


def test_a_run_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    run = runs.create(Recipe(dataset="uci"), "Unfinished")
    path = tmp_path / "digit.png"
    Image.new("L", (50, 50)).save(path)
    done = digits("recognize", path, "--run", run.id)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_the_shipped_model_is_small_and_of_its_own_recipe() -> None:
    import keras

    from digits.recipes import layers

    assert SHIPPED_MODEL.stat().st_size < 1_000_000
    model = keras.models.load_model(SHIPPED_MODEL, compile=False)
    assert model.count_params() == layers.count_parameters(SHIPPED)


@pytest.mark.mnist
def test_the_shipped_model_reaches_its_stated_accuracy_on_mnist() -> None:
    from digits.worker.predict import load, predict

    x, y = datasets.load_test("mnist")
    accuracy = (predict(load(ModelRef()), x).argmax(axis=1) == y).mean()
    assert accuracy >= 0.995


def test_a_run_is_exported_for_other_tools_and_tested(trained: Run) -> None:
    done = digits("export", trained.id, "--format", "litert-int8")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert Path(told["file"]).stat().st_size == told["bytes"]
    assert told["images"] == 360
    assert "Writing LiteRT int8." in done.stderr
