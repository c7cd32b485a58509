"""What a run does about damaged files, a full disk, and workers that die of it."""

import dataclasses
import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digits.store.files import reason
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.store.status import LAST_EXIT, RESUMABLE, Status
from digits.worker.predict import load, predict_at_epochs
from digits.worker.trainer import MAX_DEATHS, train
from tests.conftest import ROOT, TINY, queued
from tests.worker.test_trainer import Killed

pytestmark = pytest.mark.slow

FOUR_EPOCHS = dataclasses.replace(TINY, epochs=4)


def dead_after(epoch: int) -> Run:
    """A run whose worker died after this epoch."""
    run = queued(FOUR_EPOCHS)

    def die(status: Status) -> None:
        if status.epoch >= epoch and status.state == "running" and not status.message:
            raise Killed

    with pytest.raises(Killed):
        train(run, die)
    return run


def final_weights(run: Run) -> list[np.ndarray]:
    return load(ModelRef(run)).get_weights()


def test_a_torn_checkpoint_costs_one_epoch_and_nothing_else() -> None:
    whole, torn = queued(FOUR_EPOCHS), dead_after(3)
    train(whole)
    [(epoch, path), _] = torn.checkpoints()
    assert epoch == 3
    os.truncate(path, path.stat().st_size // 2)
    train(torn)
    assert torn.status.state == "finished"
    assert "checkpoint of epoch 3 was damaged" in torn.status.note
    assert str(torn.folder) not in torn.status.note
    assert torn.epoch_metrics()["epoch"].tolist() == [1, 2, 3, 4]
    for mine, theirs in zip(final_weights(torn), final_weights(whole), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-5)


def test_without_a_whole_checkpoint_the_weights_of_the_last_epoch_do() -> None:
    run = dead_after(3)
    before = run.epoch_metrics()["val_loss"][:3]
    for _, path in run.checkpoints():
        path.write_bytes(b"no checkpoint")
    train(run)
    assert run.status.state == "finished"
    assert "Epoch 3 was resumed without the state of the optimizer" in run.status.note
    assert run.epoch_metrics()["epoch"].tolist() == [1, 2, 3, 4]
    assert (run.epoch_metrics()["val_loss"][:3] == before).all()


def test_a_damaged_best_epoch_gives_way_to_the_next_best() -> None:
    run = queued(dataclasses.replace(FOUR_EPOCHS, patience=9))

    def damage(status: Status) -> None:
        if status.message.startswith("Evaluating"):
            run.weights_path(run.best_epoch()).write_bytes(b"torn")

    result = train(run, damage)
    assert run.status.state == "finished"
    assert f"weights of epoch {run.best_epoch()} were damaged" in run.status.note
    second = np.sort(run.epoch_metrics()["val_loss"])[1]
    assert result is not None
    assert result["val_loss"] == pytest.approx(second, rel=1e-3)


def test_a_run_without_any_whole_file_begins_again() -> None:
    run = dead_after(2)
    for path in [*run.folder.glob("checkpoint-*"), *run.folder.glob("weights/*")]:
        path.write_bytes(b"")
    train(run)
    assert run.status.state == "finished"
    assert run.epoch_metrics()["epoch"].tolist() == [1, 2, 3, 4]


def test_lost_rows_are_told_and_shift_no_epoch() -> None:
    run = dead_after(2)
    (run.folder / "epochs.csv").unlink()
    result = train(run)
    assert "epochs.csv" in run.status.note
    assert "gap" in run.status.note
    assert run.epoch_metrics()["epoch"].tolist() == [3, 4]
    assert run.saved_epochs() == run.evaluated_epochs() == [3, 4]
    assert run.final_epoch() == 4
    assert result is not None
    assert result["epochs"] == 4


def test_damaged_weights_of_an_epoch_are_a_sentence_without_a_path(trained: Run) -> None:
    trained.weights_path(2).write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"weights of epoch 2 of run \S+ are damaged") as caught:
        predict_at_epochs(trained, [2], np.zeros((1, 28, 28), np.uint8))
    assert "/" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 100, 0.5])
def test_a_torn_model_is_a_sentence_without_a_path(trained: Run, size: float) -> None:
    whole = trained.model_path.stat().st_size
    os.truncate(trained.model_path, int(size * whole if size < 1 else size))
    with pytest.raises(ValueError, match=r"model\.keras is damaged") as caught:
        load(ModelRef(trained))
    assert "/" not in str(caught.value)


def test_a_run_of_which_workers_die_fails_and_says_of_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LAST_EXIT, "-9")
    run = queued(FOUR_EPOCHS)

    def die(status: Status) -> None:
        if not status.message and status.state == "running":
            raise Killed

    for deaths in range(MAX_DEATHS):
        assert run.status.deaths == max(0, deaths - 1)
        with pytest.raises(Killed):
            train(run, die)
    assert train(run) is None
    assert run.status.state == "failed"
    assert f"{MAX_DEATHS} workers in a row died" in run.status.message
    assert "memory" in run.status.message


def test_an_epoch_between_two_deaths_starts_the_count_anew() -> None:
    run = dead_after(1)
    with pytest.raises(Killed):
        train(run, lambda status: die_later(status))
    assert run.status.deaths == 0


def die_later(status: Status) -> None:
    if status.epoch == 2:
        raise Killed


@pytest.mark.parametrize("state", ["finished", "stopped", "cancelled", "failed", "interrupted"])
def test_what_has_ended_is_not_trained_again(state: str) -> None:
    run = queued(FOUR_EPOCHS)
    run.write_status(Status(state))
    assert train(run) is None
    assert run.status.state == state
    assert run.checkpoints() == []


def test_a_finished_run_leaves_nothing_in_memory() -> None:
    def graphs() -> int:
        gc.collect()
        return sum("FuncGraph" in type(thing).__name__ for thing in gc.get_objects())

    train(queued(FOUR_EPOCHS))
    before = graphs()
    for _ in range(2):
        train(queued(FOUR_EPOCHS))
    assert graphs() <= before


FULL_DISK = """
import os, pathlib, subprocess, sys
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.files import reason
from digits.store.status import Status
from digits.worker.trainer import train

os.environ["DIGITS_RUNS"] = sys.argv[1]
recipe = Recipe(dataset="uci", conv=(), dense=(), batch_size=200, epochs=4, train_images=400)
run = runs.create(recipe, "Full")
run.write_status(Status("queued", epochs=4))
filler = pathlib.Path(sys.argv[1], "filler")

def fill(status):
    if status.epoch == 2 and not filler.exists():
        with filler.open("wb", buffering=0) as out:
            try:
                while out.write(bytes(4096)):
                    pass
            except OSError:
                pass

train(run, fill)
print("1", run.status.state, run.status.epoch, run.status.message)
print("2", *run.folder.glob("**/part-*"))
try:
    runs.create(recipe, "No room")
except OSError as error:
    print("3", error)
filler.unlink()
run.write_status(Status("queued", epoch=run.status.epoch, epochs=4))
train(run)
print("4", run.status.state, run.epoch_metrics()["epoch"].astype(int).tolist())
run.delete()
print("5", len(runs.all()))

def remount(how):
    subprocess.run(["mount", "-o", f"remount,{how}", sys.argv[1]], check=True)

run = runs.create(recipe, "Read-only")
run.write_status(Status("queued", epochs=4))
try:
    train(run, lambda status: status.epoch == 2 and remount("ro"))
except OSError as error:
    print("6", run.status.epoch, reason(error))
remount("rw")
run.write_status(Status("queued", epoch=run.status.epoch, epochs=4))
train(run)
print("7", run.status.state, run.epoch_metrics()["epoch"].astype(int).tolist())
"""


def test_a_full_and_a_read_only_disk_are_said_and_cost_no_epoch(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    script = f'mount -t tmpfs -o size=24m tmpfs {small} && exec "$0" -c "$1" {small}'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, sys.executable, FULL_DISK],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    lines = {line[0]: line[2:] for line in done.stdout.splitlines() if line[:1].isdigit()}
    assert lines["1"].startswith("failed 2 The disk is full"), done.stderr
    assert "/" not in lines["1"]
    assert lines["2"] == ""
    assert lines["3"].startswith("The disk is full")
    assert lines["4"] == "finished [1, 2, 3, 4]"
    assert lines["5"] == "0"
    assert lines["6"] == "2 The folder of runs, or a file in it, is read-only for the app."
    assert lines["7"] == "finished [1, 2, 3, 4]"
    assert "failed" in RESUMABLE


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device", "/srv/runs/x/part-1-a.csv"),
        OSError(
            "[Errno 28] Can't synchronously write data (file write failed: filename = "
            "'/srv/runs/x', errno = 28, error message = 'No space left on device')"
        ),
        OSError(122, "Disk quota exceeded", "/srv/runs"),
        PermissionError(13, "Permission denied", "/srv/runs/x/status.json"),
        ValueError("File not found: filepath=/srv/runs/x/model.keras. Please ensure it is there."),
        OSError("Unable to open file (name = '/srv/my runs/x.h5', errno = 2)"),
        FileNotFoundError(2, "No such file or directory", "/srv/my runs/x.h5"),
    ],
)
def test_no_reason_names_a_path_of_the_server(error: Exception) -> None:
    said = reason(error)
    assert "/" not in said
    assert "srv" not in said
    full = getattr(error, "errno", None) in (28, 122) or "errno = 28" in str(error)
    assert ("disk is full" in said) == full
