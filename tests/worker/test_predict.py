"""The answers of every epoch on the test images: what is in them, and when they are made."""

import dataclasses
import shutil

import numpy as np
import pytest

from digits.data import datasets
from digits.store.runs import Run
from digits.store.status import Status
from digits.worker import model, predict
from digits.worker.trainer import train
from tests.conftest import queued

pytestmark = pytest.mark.slow


def of_the_final_model(run: Run) -> list[int]:
    """The epochs that say exactly what the final model says."""
    final = run.test_probabilities().astype(np.float16)
    tested = run.evaluated_epochs()
    return [epoch for epoch in tested if (run.test_probabilities(epoch) == final).all()]


def test_every_epoch_says_what_plain_keras_says_with_its_weights(trained: Run) -> None:
    assert trained.saved_epochs() == trained.evaluated_epochs() == [1, 2, 3]
    x, _ = datasets.load_test("uci")
    network = model.build(trained.recipe)
    for epoch in (1, 2, 3):
        network.load_weights(trained.weights_path(epoch))
        answers = network.predict(x[..., None] / np.float32(255), verbose=0)
        kept = trained.test_probabilities(epoch)
        assert kept.dtype == np.float16
        assert kept == pytest.approx(answers, abs=1e-3)
    assert of_the_final_model(trained) == [3]


def test_with_early_stopping_the_best_epoch_has_the_answers_of_the_final_model(
    trained: Run,
) -> None:
    run = queued(
        dataclasses.replace(
            trained.recipe, learning_rate=0.05, epochs=50, patience=2, train_images=200
        )
    )
    train(run)
    best = int(run.epoch_metrics()["val_loss"].argmin()) + 1
    assert best < len(run.epoch_metrics()["val_loss"])
    assert of_the_final_model(run) == [best]


def test_the_test_images_are_left_alone_until_the_run_has_its_result(trained: Run) -> None:
    run = queued(dataclasses.replace(trained.recipe, epochs=2))
    messages = []

    def tell(status: Status) -> None:
        if not (run.folder / "result.json").exists():
            assert run.evaluated_epochs() == []
        messages.append(status.message)

    train(run, tell)
    assert "Predicting the test images after epoch 1 of 2." in messages
    assert messages[-1] == ""


def test_a_run_stopped_within_an_epoch_has_only_the_whole_ones(
    trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digits.worker.trainer.STATUS_INTERVAL", 0)
    run = queued(dataclasses.replace(trained.recipe, batch_size=16))

    def tell(status: Status) -> None:
        if status.step % 81 and status.epoch == 1:  # of 81 steps an epoch
            run.request_stop()

    train(run, tell)
    assert run.status.state == "stopped"
    assert run.evaluated_epochs() == [1]
    assert of_the_final_model(run) == []


def test_what_is_missing_is_made_again_and_nothing_else(trained: Run) -> None:
    before = [trained.test_probabilities(epoch) for epoch in (1, 2, 3)]
    shutil.rmtree(trained.folder / "test_probabilities")  # as in runs of older versions
    assert trained.evaluated_epochs() == []
    predict.predict_missing_epochs(trained)
    assert (np.stack(before) == [trained.test_probabilities(epoch) for epoch in (1, 2, 3)]).all()
    (trained.folder / "test_probabilities" / "0001.npy").unlink()
    trained.weights_path(2).unlink()
    others = trained.file_stamps("test_probabilities/0002.npy", "test_probabilities/0003.npy")
    predict.predict_missing_epochs(trained)
    assert (trained.test_probabilities(1) == before[0]).all()
    assert others == trained.file_stamps(
        "test_probabilities/0002.npy", "test_probabilities/0003.npy"
    )
    assert trained.saved_epochs() == [1, 3]


def test_a_run_without_a_model_is_a_sentence(trained: Run) -> None:
    trained.model_path.unlink()
    with pytest.raises(ValueError, match="has no model"):
        predict.predict_missing_epochs(trained)
