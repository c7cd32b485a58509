"""Deleted runs can be brought back for a while, and never hold room that others need."""

import os
import time

import pytest

from digits.recipes.recipe import Recipe
from digits.store import runs, trash
from digits.store.run_folder import Run
from digits.store.status import Status


@pytest.fixture
def run() -> Run:
    made = runs.create(Recipe(dataset="uci"), "Deleted by mistake")
    made.write_status(Status("finished"))
    return made


def test_a_deleted_run_is_in_no_list_and_comes_back_as_it_was(run: Run) -> None:
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    trash.discard(run)
    assert runs.all() == []
    with pytest.raises(LookupError):
        runs.open(run.id)
    trash.restore(runs.root(), run.id)
    assert runs.all() == [run]
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before


def test_a_later_deletion_removes_what_was_deleted_long_ago(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = runs.create(Recipe(dataset="uci"), "Deleted later")
    trash.discard(run)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + trash.SECONDS + 1)
    trash.discard(other)
    assert len(os.listdir(runs.root())) == 1
    with pytest.raises(LookupError, match=f"{run.id} cannot be brought back"):
        trash.restore(runs.root(), run.id)
    trash.restore(runs.root(), other.id)


def test_deleted_runs_make_room_for_a_new_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    trash.discard(run)
    usage = type("usage", (), {"free": 0})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(OSError, match="disk is full"):
        runs.create(Recipe(dataset="uci"), "New")
    assert os.listdir(runs.root()) == []


def test_on_a_disk_that_is_nearly_full_a_deletion_is_for_good(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("usage", (), {"free": trash.ROOM})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    assert not trash.keeps(run)
    trash.discard(run)
    assert os.listdir(runs.root()) == []


def test_a_run_that_is_still_going_is_not_deleted(run: Run) -> None:
    run.write_status(Status("running"))
    with pytest.raises(ValueError, match="still going"):
        trash.discard(run)
    assert runs.all() == [run]
