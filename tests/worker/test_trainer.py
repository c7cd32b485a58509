"""Training in this process, on UCI's digits: results, resumption, stopping, failing."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from digits.data import datasets
from digits.recipes.presets import MIN_UCI_EPOCHS, PRESETS
from digits.recipes.recipe import Conv, Recipe
from digits.recipes.schedule import RateChange
from digits.store import forks, learning_rate, watched
from digits.store.models import ModelRef
from digits.store.runs import Run
from digits.store.status import Status
from digits.worker import trainer
from digits.worker.predict import load, predict, predict_at_epochs
from digits.worker.trainer import train
from tests.conftest import queued

pytestmark = pytest.mark.slow

SMALL = Recipe(
    dataset="uci",
    conv=(Conv(16),),
    dense=(32,),
    dropout=0.2,
    learning_rate=0.005,
    batch_size=64,
    epochs=4,
    precision="float32",
)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of ``SMALL`` that nothing happened to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RUNS", str(tmp_path_factory.mktemp("unbroken")))
        run = queued(SMALL)
    train(run)
    return run


class Killed(BaseException):
    """Stands in for a death that no code can catch: it passes every handler."""


def die_at(epoch: int, step: int = 0):  # type: ignore[no-untyped-def]
    def tell(status: Status) -> None:
        if status.epoch >= epoch and status.step >= step and status.state == "running":
            raise Killed

    return tell


def test_drawings_are_predicted_with_the_validation_sample() -> None:
    run = queued(dataclasses.replace(SMALL, epochs=1))
    digits = datasets.load("uci")
    watched.follow(run, digits.x_val[:3])
    train(run)
    x, _, p = run.validation_sample() or (np.empty(0),) * 3
    latest = watched.follow(run, digits.x_val[:3])
    assert all(answer is not None for answer in latest)
    same = [
        (place, n) for n in range(3) for place in np.flatnonzero((x == digits.x_val[n]).all((1, 2)))
    ]
    assert same
    for place, n in same:
        assert latest[n] == pytest.approx(p[place], abs=2e-3)


def test_a_run_learns_and_leaves_everything_behind() -> None:
    run = queued(SMALL)
    result = train(run)
    digits = datasets.load("uci")
    steps = -(-len(digits.x_train) // SMALL.batch_size)
    assert result is not None
    assert run.status.state == "finished"
    assert run.result() == result
    assert result["test_accuracy"] > 0.9
    assert run.step_metrics()["step"].tolist() == list(range(1, steps * 4 + 1))
    assert run.epoch_metrics()["epoch"].tolist() == [1, 2, 3, 4]
    assert run.epoch_metrics()["val_loss"][-1] < run.epoch_metrics()["val_loss"][0]
    assert len(list((run.folder / "weights").glob("*.weights.h5"))) == 4
    after_each = [np.load(run.folder / "val_probabilities" / f"{n:04}.npy") for n in range(1, 5)]
    right = [(p.argmax(axis=1) == digits.y_val).mean() for p in after_each]
    assert right == pytest.approx(run.epoch_metrics()["val_accuracy"], abs=0.01)
    p = run.test_probabilities()
    assert p.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert result["test_accuracy"] == (p.argmax(axis=1) == digits.y_test).mean()


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_the_kept_model_opens_in_plain_keras_and_says_the_same(ending: str) -> None:
    run = queued(dataclasses.replace(SMALL, epochs=1))
    train(run)
    x, y = datasets.load_test("uci")
    opened = keras.models.load_model(run.folder / f"model.{ending}")
    answers = opened.predict(x[..., None].astype(np.float32) / 255, verbose=0)
    assert answers == pytest.approx(run.test_probabilities(), abs=1e-4)
    loss, accuracy = opened.evaluate(x[..., None] / np.float32(255), _targets(opened, y), verbose=0)
    assert loss == pytest.approx(run.result()["test_loss"], rel=1e-3)  # type: ignore[index]
    assert accuracy == pytest.approx(run.result()["test_accuracy"])  # type: ignore[index]


def _targets(model: keras.Model, y: np.ndarray) -> np.ndarray:
    one_hot = isinstance(model.loss, keras.losses.CategoricalCrossentropy)
    return np.eye(10)[y] if one_hot else y


def test_plain_keras_learns_the_same_from_the_same_batches() -> None:
    """Our loop against ``train_on_batch``: same weights after an epoch, no dropout, no shuffle."""
    from digits.worker import model
    from digits.worker.train_step import build_graph, train_steps

    recipe = dataclasses.replace(SMALL, dropout=0.0)
    digits = datasets.load("uci")
    x, y = digits.x_train[:320], digits.y_train[:320]
    ours, theirs = (model.compile(model.build(recipe), recipe) for _ in range(2))
    ours.optimizer.build(ours.trainable_variables)
    rates = np.full(5, recipe.learning_rate, np.float32)
    loss, _ = train_steps(build_graph(ours, recipe, 320), x, y)(np.arange(320), 0, 5, 0, rates)
    expected = []
    for start in range(0, 320, 64):
        batch = x[start : start + 64, ..., None].astype(np.float32) / 255
        theirs.reset_metrics()
        expected.append(theirs.train_on_batch(batch, y[start : start + 64])[0])
    assert loss == pytest.approx(expected, rel=1e-3)
    for our, their in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert our == pytest.approx(their, abs=1e-4)


@pytest.mark.parametrize("when", [{"epoch": 0, "step": 0}, {"epoch": 2}])
def test_a_killed_run_goes_on_to_where_it_would_have_come(
    when: dict[str, int], unbroken: Run
) -> None:
    torn = queued(SMALL)
    with pytest.raises(Killed):
        train(torn, die_at(**when))
    torn.append_steps([(999, 9, 9)])  # written after the last checkpoint
    torn.append_epochs([(999, 9, 9, 9, 9, 9, 9, 9)])
    train(torn)
    same_as(torn, unbroken)


@pytest.mark.parametrize("worth_finishing", [10.0, 0.0])
def test_a_paused_run_goes_on_to_where_it_would_have_come(
    worth_finishing: float, unbroken: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "WORTH_FINISHING", worth_finishing)
    monkeypatch.setattr(trainer, "STATUS_INTERVAL", 0.0)
    paused = queued(SMALL)
    steps = len(unbroken.step_metrics()["step"]) // SMALL.epochs

    def tell(status: Status) -> None:
        if status.step > steps and status.state == "running":  # within the second epoch
            paused.request_pause()

    assert train(paused, tell) is None
    epoch = paused.status.epoch
    assert epoch == (2 if worth_finishing else 1)
    assert paused.status.state == "paused"
    assert paused.status.message == f"Paused after epoch {epoch}."
    assert paused.step_metrics()["step"].tolist() == list(range(1, epoch * steps + 1))
    assert paused.result() is None
    resume(paused)
    same_as(paused, unbroken)


def test_a_run_pauses_after_the_epoch_that_was_asked_for(unbroken: Run) -> None:
    paused = queued(SMALL)
    for rung in (1, 3):
        paused.request_pause(rung)
        resume(paused)
        assert paused.status.state == "paused"
        assert paused.epoch_metrics()["epoch"].tolist() == list(range(1, rung + 1))
    resume(paused)
    same_as(paused, unbroken)


def test_a_run_that_pauses_after_its_last_epoch_is_tested_only_when_it_is_resumed() -> None:
    run = queued(dataclasses.replace(SMALL, epochs=1))
    run.request_pause(1)
    assert train(run) is None
    assert (run.status.state, run.status.message) == ("paused", "Trained in full, not tested.")
    assert run.result() is None
    steps = run.step_metrics()["step"].tolist()
    resume(run)
    assert run.status.state == "finished"
    assert run.result()
    assert run.step_metrics()["step"].tolist() == steps


def test_a_pause_at_once_in_the_last_epoch_lets_the_run_end() -> None:
    run = queued(dataclasses.replace(SMALL, epochs=1))

    def tell(status: Status) -> None:
        if status.step and status.state == "running":
            run.request_pause()

    assert train(run, tell) is not None
    assert run.status.state == "finished"


def test_a_run_that_is_asked_to_pause_and_to_stop_stops() -> None:
    run = queued(SMALL)
    run.request_pause()
    run.request_stop()
    assert train(run) is not None
    assert run.status.state == "stopped"


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_learning_rate_changed_under_way_is_replayed_after_a_death(
    epoch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the worker dies in the epoch of the change, before that is saved."""
    monkeypatch.setattr(trainer, "STATUS_INTERVAL", 0.0)
    whole, torn = queued(SMALL), queued(SMALL)
    per_epoch = -(-len(datasets.load("uci").x_train) // SMALL.batch_size)

    def change(run: Run, dies_after: int) -> Callable[[Status], None]:
        def tell(status: Status) -> None:
            if status.epoch == 1 and status.step == per_epoch and status.state == "running":
                learning_rate.request(run, 0.0005)
            if status.epoch == dies_after and status.step == 2 * per_epoch:
                raise Killed

        return tell

    train(whole, change(whole, -1))
    with pytest.raises(Killed):
        train(torn, change(torn, epoch))
    train(torn)
    assert torn.epoch_metrics()["learning_rate"] == pytest.approx([0.005] + [0.0005] * 3)
    assert learning_rate.changes(torn) == (RateChange(per_epoch, 0.0005),)
    same_as(torn, whole)


def test_a_run_of_two_epochs_and_two_more_is_one_of_four(unbroken: Run) -> None:
    parent = queued(dataclasses.replace(SMALL, epochs=2))
    train(parent)
    more = forks.train_more(parent, 2)
    parent.delete()
    more.write_status(dataclasses.replace(more.status, state="queued"))
    train(more)
    half = len(unbroken.step_metrics()["step"]) // 2
    assert more.step_metrics()["step"].tolist() == list(range(1, half + 1))
    theirs = unbroken.step_metrics()["loss"][half:]
    assert more.step_metrics()["loss"] == pytest.approx(theirs, abs=0.02)
    for own, whole in zip(_weights(more), _weights(unbroken), strict=True):
        assert own == pytest.approx(whole, abs=0.01)


def test_a_fork_with_other_settings_begins_where_its_parent_was(unbroken: Run) -> None:
    recipe = dataclasses.replace(SMALL, optimizer="sgd", dropout=0.0, conv_dropout=0.1, epochs=1)
    fork = forks.fork(unbroken, 2, recipe, "Fork")
    fork.write_status(dataclasses.replace(fork.status, state="queued"))
    x, _ = datasets.load_test("uci")
    start = predict_at_epochs(fork, [0], x)
    assert start == pytest.approx(predict_at_epochs(unbroken, [2], x), abs=1e-5)
    assert train(fork) is not None
    assert fork.status.note == ""
    assert fork.step_metrics()["loss"][0] < unbroken.step_metrics()["loss"][0] / 2


def test_a_run_over_the_limit_of_its_weights_resumes_and_ends_all_the_same(
    unbroken: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_RUN_MB", "0")
    run = queued(dataclasses.replace(SMALL, epochs=6, patience=5))
    run.request_pause(5)
    resume(run)
    assert set(run.saved_epochs()) == {1, 2, 4, 5, run.best_epoch()}
    (path,) = [path for epoch, path in run.checkpoints() if epoch == 5]
    path.write_bytes(b"")  # so that the checkpoint before must do
    resume(run)
    assert run.status.state == "finished"
    assert run.epoch_metrics()["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert set(run.saved_epochs()) >= {1, 2, 4, 6, run.best_epoch()}
    assert run.evaluated_epochs() == run.saved_epochs()
    assert run.final_epoch() == run.best_epoch()


def resume(run: Run) -> None:
    """What the engine does with it."""
    run.clear_requests()
    run.write_status(dataclasses.replace(run.status, state="queued"))
    train(run)


def same_as(run: Run, whole: Run) -> None:
    assert run.status.state == "finished"
    assert run.step_metrics()["step"].tolist() == whole.step_metrics()["step"].tolist()
    assert run.epoch_metrics()["epoch"].tolist() == whole.epoch_metrics()["epoch"].tolist()
    assert run.step_metrics()["loss"] == pytest.approx(whole.step_metrics()["loss"], abs=0.02)
    for mine, theirs in zip(_weights(run), _weights(whole), strict=True):
        assert mine == pytest.approx(theirs, abs=0.01)


def _weights(run: Run) -> list[np.ndarray]:
    return load(ModelRef(run)).get_weights()


def test_the_wish_to_stop_ends_a_run_with_what_it_has_learned() -> None:
    run = queued(dataclasses.replace(SMALL, epochs=50))

    def tell(status: Status) -> None:
        if status.epoch == 2:
            run.request_stop()

    result = train(run, tell)
    assert run.status.state == "stopped"
    assert result is not None
    assert result["epochs"] == 2
    assert run.model_path.exists()


@pytest.mark.parametrize("seed", range(3))
def test_validation_follows_from_the_first_epoch_on_few_images(seed: int) -> None:
    recipe = dataclasses.replace(
        PRESETS["fast"].recipe, dataset="uci", epochs=MIN_UCI_EPOCHS, seed=seed
    )
    run = queued(recipe)

    def tell(status: Status) -> None:
        if status.epoch == 2:
            run.request_stop()

    train(run, tell)
    assert run.epoch_metrics()["val_accuracy"].min() > 0.7


def test_a_run_stopped_in_its_first_epoch_still_has_a_result() -> None:
    run = queued(SMALL)
    run.request_stop()
    result = train(run)
    assert run.status.state == "stopped"
    assert result is not None
    assert (result["epochs"], result["seconds"], result["images_per_second"]) == (0, 0, None)
    assert len(run.test_probabilities()) == len(datasets.load_test("uci")[1])


@pytest.mark.parametrize("epochs", [0, 1])
def test_the_time_of_a_run_that_was_cut_short_counts_its_last_epoch(
    epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "STATUS_INTERVAL", 0.0)
    run = queued(SMALL)

    def tell(status: Status) -> None:
        if status.step > epochs * status.steps / SMALL.epochs:
            run.request_stop()

    result = train(run, tell)
    assert result is not None
    whole = run.epoch_metrics()
    assert (run.status.state, result["epochs"], len(whole["epoch"])) == ("stopped", epochs, epochs)
    assert result["seconds"] > round(whole["seconds"].sum(), 3)
    assert result["cpu_seconds"] > round(whole["cpu_seconds"].sum(), 3)
    assert (result["images_per_second"] is None) == (epochs == 0)


def test_a_loss_beyond_all_numbers_ends_as_failed_with_a_sentence() -> None:
    run = queued(
        dataclasses.replace(
            SMALL,
            optimizer="sgd",
            learning_rate=100.0,
            activation="elu",
            conv=(Conv(16), Conv(16)),
            dense=(32, 32),
        )
    )
    assert train(run) is None
    assert run.status.state == "failed"
    assert "learning rate of 100 is too high" in run.status.message


def test_a_data_set_that_is_gone_ends_as_failed_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    run = queued(dataclasses.replace(SMALL, dataset="mnist"))
    assert train(run) is None
    assert run.status.state == "failed"
    assert "MNIST" in run.status.message


def test_early_stopping_keeps_the_best_epoch() -> None:
    hot = dataclasses.replace(SMALL, learning_rate=0.05, epochs=50, patience=2, train_images=200)
    run = queued(hot)
    result = train(run)
    assert result is not None
    val_loss = run.epoch_metrics()["val_loss"]
    assert len(val_loss) < 50
    assert len(val_loss) - 1 - val_loss.argmin() == 2
    assert result["val_loss"] == pytest.approx(val_loss.min(), rel=1e-3)


@pytest.mark.parametrize(
    "change",
    [
        {"loss": "categorical_crossentropy", "label_smoothing": 0.1},
        {"batch_norm": True},
        {"shift": 2.0, "rotation": 10.0, "zoom": 0.1},
        {"precision": "bfloat16"},
        {"schedule": "one-cycle", "optimizer": "adamw"},
        {"optimizer": "nadam"},
        {"optimizer": "rmsprop", "learning_rate": 0.001},
        {"optimizer": "sgd", "learning_rate": 0.05, "activation": "tanh"},
    ],
)
def test_every_kind_of_recipe_learns(change: dict) -> None:
    result = train(queued(dataclasses.replace(SMALL, epochs=6, **change)))
    assert result is not None
    assert result["test_accuracy"] > 0.8


def test_bytes_get_the_probabilities_that_keras_gives_to_floats() -> None:
    run = queued(dataclasses.replace(SMALL, epochs=1))
    train(run)
    x, _ = datasets.load_test("uci")
    model = load(ModelRef(run))
    by_keras = model.predict(x[..., None].astype(np.float32) / 255, verbose=0)
    assert predict(model, x) == pytest.approx(by_keras, abs=1e-6)
    assert predict(model, x[:0]).shape == (0, 10)
