"""The folder in which the shipped model is asked like a run."""

from pathlib import Path

import numpy as np
import pytest

from digits.data import datasets
from digits.store import models, runs
from digits.store.models import ModelRef
from digits.store.runs import Run


def test_the_shipped_model_has_a_folder_that_is_in_no_list_of_runs(trained: Run) -> None:
    kept = models.results_folder(ModelRef())
    assert kept.folder.parent == runs.root()
    assert runs.all() == [trained]
    assert kept.model_path.read_bytes() == models.SHIPPED_MODEL.read_bytes()
    assert kept.recipe.dataset == datasets.default()
    assert not kept.has_embeddings
    assert models.results_folder(ModelRef(trained)) == trained


def test_it_is_the_same_folder_until_the_model_or_the_data_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = models.results_folder(ModelRef())
    assert models.results_folder(ModelRef()) == kept
    other = tmp_path / "other.keras"
    other.write_bytes(b"another model")
    monkeypatch.setattr(models, "SHIPPED_MODEL", other)
    assert models.results_folder(ModelRef()) != kept
    assert models.results_folder(ModelRef()).model_path.read_bytes() == b"another model"


def test_on_ucis_digits_it_finds_the_like_of_a_digit_among_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from digits.worker.embeddings import nearest_neighbors

    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if datasets.available("mnist"):
        pytest.skip("MNIST is in a place that this test cannot hide")
    x, y = datasets.load_test("uci")
    kept = models.results_folder(ModelRef())
    found = [nearest_neighbors(kept, image)[1] for image in x[:20]]
    assert np.mean(np.stack(found) == y[:20, None]) > 0.8
    assert kept.has_embeddings
