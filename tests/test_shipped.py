"""The folder in which the shipped model is asked like a run."""

from pathlib import Path

import numpy as np
import pytest

from digits import data, run, shipped
from digits.run import Run


def test_the_shipped_model_has_a_folder_that_is_in_no_list_of_runs(trained: Run) -> None:
    kept = shipped.run_of("shipped")
    assert kept.folder.parent == run.root()
    assert run.all() == [trained]
    assert kept.model_path.read_bytes() == shipped.MODEL.read_bytes()
    assert kept.recipe.dataset == data.default()
    assert not kept.has_features
    assert shipped.run_of(trained.id) == trained


def test_it_is_the_same_folder_until_the_model_or_the_data_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = shipped.run_of("shipped")
    assert shipped.run_of("shipped") == kept
    other = tmp_path / "other.keras"
    other.write_bytes(b"another model")
    monkeypatch.setattr(shipped, "MODEL", other)
    assert shipped.run_of("shipped") != kept
    assert shipped.run_of("shipped").model_path.read_bytes() == b"another model"


def test_on_ucis_digits_it_finds_the_like_of_a_digit_among_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from digits.features import neighbours

    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if data.available("mnist"):
        pytest.skip("MNIST is in a place that this test cannot hide")
    x, y = data.load_test("uci")
    kept = shipped.run_of("shipped")
    found = [neighbours(kept, image)[1] for image in x[:20]]
    assert np.mean(np.stack(found) == y[:20, None]) > 0.8
    assert kept.has_features


def test_what_is_no_run_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="names no run"):
        shipped.run_of("../shipped")
    with pytest.raises(LookupError, match="no run"):
        shipped.run_of("20260101-000000-abcdef")
