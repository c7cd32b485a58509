"""What is prepared ahead of a click: it trains as if it had not been, and is given away once."""

import dataclasses

import pytest

from digits.recipes.recipe import Conv, Recipe
from digits.store.run_folder import Run
from digits.worker.preload import MAX_PRELOADED, preload, prepare, take
from digits.worker.trainer import train
from tests.conftest import queued

pytestmark = pytest.mark.slow

SMALL = Recipe(
    dataset="uci",
    conv=(Conv(8),),
    dense=(),
    dropout=0.2,
    batch_size=64,
    epochs=1,
    precision="float32",
)


def trained(recipe: Recipe) -> Run:
    run = queued(recipe)
    train(run)
    return run


def losses(recipe: Recipe) -> list[float]:
    return trained(recipe).step_metrics()["loss"].tolist()


def test_a_run_that_was_prepared_ahead_learns_as_any_other() -> None:
    plain = losses(SMALL)
    preload(SMALL)
    assert losses(SMALL) == plain


def test_what_was_prepared_is_given_away_once_for_training_changes_it() -> None:
    preload(SMALL)
    first, second = take(SMALL), take(SMALL)
    assert first.network is not second.network


NORMED = dataclasses.replace(SMALL, dropout=0.0, batch_norm=True, optimizer="nadam")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NORMED, dataclasses.replace(NORMED, seed=5, learning_rate=0.02, schedule="one-cycle")),
        (SMALL, SMALL),
        (SMALL, dataclasses.replace(SMALL, validation="fold-2")),
    ],
)
def test_a_run_that_takes_over_a_graph_learns_as_if_it_had_built_it(
    before: Recipe, after: Recipe
) -> None:
    from digits.worker.preload import _ended

    _ended.clear()
    alone = trained(after)
    _ended.clear()
    losses(before)
    [network] = _ended.values()
    again = trained(after)
    assert again.step_metrics()["loss"].tolist() == alone.step_metrics()["loss"].tolist()
    assert (again.test_probabilities() == alone.test_probabilities()).all()
    assert list(_ended.values()) == [network]


@pytest.mark.parametrize(
    "change",
    [
        {"dropout": 0.1},
        {"seed": 1},
        {"batch_size": 32},
        {"optimizer": "sgd"},
        {"train_images": 500},
        {"loss": "categorical_crossentropy"},
        {"conv": (Conv(8, 5),)},
    ],
)
def test_no_graph_is_taken_over_that_would_train_otherwise(change: dict[str, object]) -> None:
    from digits.worker.preload import _ended

    _ended.clear()
    losses(SMALL)
    [network] = _ended.values()
    assert take(dataclasses.replace(SMALL, **change)).network is not network


def test_a_run_takes_over_what_was_prepared_for_another_click() -> None:
    other = dataclasses.replace(NORMED, seed=5)
    alone = losses(other)
    from digits.worker.preload import _ended, _preloaded

    _ended.clear()
    _preloaded.clear()
    preload(NORMED)
    network = _preloaded[NORMED].network
    assert losses(other) == alone
    assert not _preloaded
    assert list(_ended.values()) == [network]


def test_kernels_are_dropped_once_a_network_is_forgotten_or_has_served_many_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from digits.worker import preload

    sizes = []
    monkeypatch.setattr(preload, "drop_kernels", lambda: sizes.append(size))
    monkeypatch.setattr(preload, "MAX_RUNS", 3)
    preload._ended.clear()
    for size in (64, 64, 64, 128, 256, 256):
        losses(dataclasses.replace(NORMED, batch_size=size))  # another network for each size
    assert sizes == [64, 256]


def test_of_many_set_ups_only_the_latest_are_kept_for_each_holds_its_images() -> None:
    recipes = [dataclasses.replace(SMALL, seed=seed) for seed in range(MAX_PRELOADED + 1)]
    for recipe in recipes:
        preload(recipe)
    from digits.worker.preload import _preloaded

    assert list(_preloaded) == recipes[1:]


def test_written_digits_are_mixed_with_the_training_images_alone() -> None:
    plain = prepare(SMALL).data
    mixed = prepare(dataclasses.replace(SMALL, synthetic=50)).data
    assert (mixed.x_train[: len(plain.x_train)] == plain.x_train).all()
    assert mixed.y_train[len(plain.y_train) :].tolist() == list(range(10)) * 5
    assert (mixed.x_val == plain.x_val).all()
