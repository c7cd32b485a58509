"""Weights of epochs within limits of disk space: which go, which stay, and what is said of it."""

import numpy as np
import pytest

from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import EPOCH_COLUMNS, Run
from digits.store.status import Status
from digits.store.thinning import thin, thin_all, thinned

EPOCHS, BEST, SIZE = 12, 7, 1_000_000


def run_with_weights(state: str = "finished") -> Run:
    run = runs.create(Recipe(dataset="uci", epochs=EPOCHS), "Test")
    for epoch in range(1, EPOCHS + 1):
        row = dict.fromkeys(EPOCH_COLUMNS, 0.5) | {"epoch": epoch, "val_loss": abs(epoch - BEST)}
        run.append_epochs([row.values()])
        run.write_weights(lambda path: path.write_bytes(bytes(SIZE)), epoch)
        run.write_test_probabilities(np.full((5, 10), 0.1, np.float16), epoch)
    run.write_status(Status(state, EPOCHS, EPOCHS))  # type: ignore[arg-type]
    return run


def test_the_oldest_go_first_until_the_limit_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_with_weights()
    thin(run)
    assert thinned(run) == ""
    monkeypatch.setenv("DIGITS_RUN_MB", "9.5")
    thin(run)
    assert run.saved_epochs() == [1, 2, 4, 7, 8, 9, 10, 11, 12]
    assert thinned(run) == "The weights of epochs 3, 5 – 6 were removed to save disk space."
    assert run.evaluated_epochs() == list(range(1, EPOCHS + 1))
    with pytest.raises(ValueError, match="were removed to save disk space"):
        run.weights_path(3)


def test_first_last_best_and_powers_of_two_stay_at_any_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DIGITS_RUN_MB", "0")
    run = run_with_weights()
    thin(run)
    thin(run)
    assert run.saved_epochs() == [1, 2, 4, BEST, 8, EPOCHS]


def test_of_all_runs_the_oldest_that_are_done_are_thinned_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    going, *done = [run_with_weights("running"), *(run_with_weights() for _ in range(3))]
    done.sort(key=lambda run: run.id)
    (done[0].folder / "epochs.csv").unlink()  # damaged: left alone
    monkeypatch.setenv("DIGITS_RUNS_MB", str(4 * EPOCHS - 8))
    thin_all()
    left = [len(list((run.folder / "weights").iterdir())) for run in (going, *done)]
    assert left == [12, 12, 6, 10]


def test_a_limit_that_is_no_number_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_RUN_MB", "many")
    with pytest.raises(ValueError, match="DIGITS_RUN_MB is 'many'"):
        thin(run_with_weights())


def test_weights_that_are_written_again_are_no_longer_missed() -> None:
    run = run_with_weights()
    run.remove_weights([3, 5])
    run.write_weights(lambda path: path.write_bytes(b""), 5)
    assert thinned(run) == "The weights of epoch 3 were removed to save disk space."
