"""Forks: what they copy of their parent, what they refuse, and how they name it."""

import dataclasses

import numpy as np
import pytest

from digits.recipes.keras_script import Stage
from digits.recipes.recipe import Conv, Fork, Recipe
from digits.recipes.schedule import RateChange
from digits.store import files, finetuning, forks, learning_rate, runs
from digits.store.run_folder import EPOCH_COLUMNS, Run
from digits.store.status import Status

RECIPE = Recipe(dataset="uci", epochs=3, learning_rate=0.002)
SAVED = (1, 3)


@pytest.fixture
def parent() -> Run:
    run = runs.create(RECIPE, "Parent", "fast")
    for epoch in (1, 2, 3):
        run.append_epochs([(epoch, *[0.1] * (len(EPOCH_COLUMNS) - 1))])
    for epoch in SAVED:
        run.write_weights(lambda path: path.write_text(f"weights {path.name}"), epoch)
    run.write_checkpoint(lambda path: path.write_text("checkpoint"), 3)
    run.write_status(Status("finished", 3, 3))
    return run


def test_a_fork_has_all_that_it_needs_when_its_parent_is_deleted(parent: Run) -> None:
    recipe = dataclasses.replace(RECIPE, dropout=0.3, learning_rate=0.0005)
    fork = forks.fork(parent, 1, recipe, "Fork")
    assert forks.origin(fork) == "Forked from 1 Parent after epoch 1."
    parent.delete()
    own = forks.own_parent(fork)
    assert own.recipe == RECIPE
    assert own.weights_path(1).read_text().startswith("weights")
    assert own.checkpoints() == []  # of another epoch
    assert forks.origin(fork) == "Forked from 1 Parent, which was deleted, after epoch 1."
    assert fork.recipe == dataclasses.replace(recipe, fork=Fork(parent.id, 1, 1))
    assert Recipe.from_json(fork.recipe.to_json()) == fork.recipe


def test_a_run_knows_its_forks_and_nothing_is_read_of_runs_that_are_none(parent: Run) -> None:
    assert runs.children(parent) == []
    fork = forks.fork(parent, 1, RECIPE, "Fork")
    again = forks.train_more(parent, 1)
    assert set(runs.children(parent)) == {fork, again}
    (parent.folder / "recipe.json").unlink()  # which is not needed
    (again.folder / "recipe.json").write_text("torn")
    files.writes += 1
    assert runs.children(parent) == [fork]
    fork.write_status(Status("failed"))
    fork.delete()
    assert runs.children(parent) == []


def test_training_more_goes_on_after_the_last_epoch_at_the_last_rate(parent: Run) -> None:
    learning_rate.request(parent, 0.0003)
    learning_rate.record_request(parent, 5)
    more = forks.train_more(parent, 2)
    assert (more.recipe.epochs, more.recipe.learning_rate) == (2, 0.0003)
    assert more.recipe.fork == Fork(parent.id, 3, 3)
    assert more.name == "Parent · 2 more epochs"
    assert [epoch for epoch, _ in forks.own_parent(more).checkpoints()] == [3]
    more.append_epochs([(1, *[0.1] * (len(EPOCH_COLUMNS) - 1))])
    more.write_weights(lambda path: path.write_text(""), 1)
    again = forks.train_more(more, 1)
    assert again.recipe.fork == Fork(more.id, 1, 4)


@pytest.mark.parametrize(
    "change",
    [{"conv": (Conv(32), Conv(32))}, {"batch_norm": True}, {"dense": ()}, {"head": "global-max"}],
)
def test_another_network_is_refused_in_a_sentence(parent: Run, change: dict) -> None:
    with pytest.raises(ValueError, match="keeps the network of its parent"):
        forks.fork(parent, 1, dataclasses.replace(RECIPE, **change), "Fork")
    assert runs.all() == [parent]


def test_weights_that_are_gone_are_a_sentence_and_leave_no_run(parent: Run) -> None:
    with pytest.raises(ValueError, match="epoch 2 of run"):
        forks.fork(parent, 2, RECIPE, "Fork")
    (parent.folder / "about.json").unlink()
    with pytest.raises(OSError, match="about"):
        forks.fork(parent, 1, RECIPE, "Fork")
    assert runs.all() == [parent]


def test_a_fork_of_a_fine_tuned_run_knows_the_drawings_that_it_was_trained_on(parent: Run) -> None:
    images, labels = np.zeros((2, 28, 28), np.uint8), np.arange(2, dtype=np.uint8)
    data = finetuning.FinetuningData(images, labels, images, labels, np.array(["abc"]))
    files.write_arrays(parent.folder, finetuning.DRAWINGS, data)
    fork = forks.fork(parent, 3, RECIPE, "Fork")
    assert finetuning.seen_drawings(fork) == {"abc"}


def test_a_script_repeats_all_runs_that_a_fork_goes_on_from_though_they_are_gone(
    parent: Run,
) -> None:
    learning_rate.request(parent, 0.0003)
    learning_rate.record_request(parent, 5)
    more = forks.train_more(parent, 2)
    parent.delete()
    more.append_epochs([(1, *[0.1] * (len(EPOCH_COLUMNS) - 1))])
    more.write_weights(lambda path: path.write_text(""), 1)
    again = forks.fork(more, 1, dataclasses.replace(RECIPE, optimizer="sgd"), "Again")
    first, second, third = forks.stages(again)
    assert first == Stage(RECIPE, (RateChange(5, 0.0003),), 3)
    assert second == Stage(more.recipe, (), 1, keeps_optimizer=True)
    assert third == Stage(again.recipe)
    own = forks.own_parent(again)
    (own.folder / forks.STAGES).write_text("torn")
    with pytest.raises(ValueError, match="stages"):
        forks.stages(again)
    (own.folder / forks.STAGES).unlink()
    assert forks.stages(again) == (third,)


def test_a_run_that_starts_anew_has_no_origin(parent: Run) -> None:
    assert forks.origin(parent) == ""


@pytest.mark.parametrize("change", [{"seed": 1}, {"validation": "fold-1"}])
def test_images_that_the_parent_learned_cannot_validate_its_fork(parent: Run, change: dict) -> None:
    with pytest.raises(ValueError, match=r"has learned the others: those of seed 0\."):
        forks.fork(parent, 1, dataclasses.replace(RECIPE, **change), "Fork")
    assert runs.all() == [parent]
