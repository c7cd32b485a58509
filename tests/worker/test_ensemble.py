"""The models of several runs as one file: what it answers, and what cannot be one."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from digits.data import datasets
from digits.store.ensemble import ensemble_accuracy
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker.ensemble import write_ensemble
from digits.worker.predict import load, load_file, predict


def shaken(run: Run) -> Run:
    """A copy whose model has other weights, and the probabilities of these."""
    other = Run(Path(shutil.copytree(run.folder, run.folder.with_name("20260131-093000-4f2a1c"))))
    model = load(ModelRef(other))
    random = np.random.default_rng(0)
    weights = model.get_weights()
    model.set_weights([w + random.normal(0, 0.5 * w.std(), w.shape) for w in weights])
    other.write_model(model.save)
    other.write_test_probabilities(predict(model, datasets.load_test("uci")[0]))
    return other


def test_the_file_answers_with_the_mean_of_the_runs(trained: Run, tmp_path: Path) -> None:
    group, path = [trained, shaken(trained)], tmp_path / "both.keras"
    told = write_ensemble(group, path)
    x, _ = datasets.load_test("uci")
    a, b = (predict(load(ModelRef(run)), x) for run in group)
    assert np.abs(a - b).max() > 0.1
    np.testing.assert_allclose(predict(load_file(path), x), (a + b) / 2, atol=1e-5)
    assert told["test_accuracy"] == ensemble_accuracy(group)
    assert told["parameters"] == 2 * load(ModelRef(trained)).count_params()
    assert (told["networks"], told["test_images"]) == (2, 360)
    assert told["bytes"] == path.stat().st_size


def test_one_run_can_be_averaged_over_moved_copies_of_the_image(
    trained: Run, tmp_path: Path
) -> None:
    told = write_ensemble([trained], tmp_path / "moved.keras", shift=1)
    x, y = datasets.load_test("uci")
    edged = x.copy()
    edged[:, 0, 0] = 255  # ink that leaves the image does not come in on the other side
    model = load(ModelRef(trained))
    padded = np.pad(edged, ((0, 0), (1, 1), (1, 1)))
    starts = (1, 1), (0, 1), (2, 1), (1, 0), (1, 2)
    copies = [
        predict(model, padded[:, row : row + 28, column : column + 28]) for row, column in starts
    ]
    averaged = load_file(tmp_path / "moved.keras")
    np.testing.assert_allclose(predict(averaged, edged), np.mean(copies, axis=0), atol=1e-5)
    assert told["test_accuracy"] == (predict(averaged, x).argmax(axis=1) == y).mean()
    data = datasets.load("uci", trained.recipe.split)
    right = predict(averaged, data.x_val).argmax(axis=1) == data.y_val
    assert told["val_accuracy"] == right.mean()
    assert (told["networks"], told["copies"]) == (1, 5)
    assert told["parameters"] == model.count_params()


def test_what_cannot_be_one_model_is_a_sentence_and_leaves_no_file(
    trained: Run, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="two runs or more"):
        write_ensemble([trained], tmp_path / "one.keras")
    with pytest.raises(ValueError, match="0 to 4 pixels; 5 is not"):
        write_ensemble([trained], tmp_path / "one.keras", shift=5)
    with pytest.raises(ValueError, match=r"must end in \.keras"):
        write_ensemble([trained, trained], tmp_path / "two.h5")
    with pytest.raises(ValueError, match=r"There is no folder .*nowhere"):
        write_ensemble([trained, trained], tmp_path / "nowhere" / "two.keras")
    other = shaken(trained)
    other.model_path.unlink()
    with pytest.raises(ValueError, match="no model"):
        write_ensemble([trained, other], tmp_path / "two.keras")
    assert not list(tmp_path.glob("*.keras")) + list(tmp_path.glob("*.h5"))
