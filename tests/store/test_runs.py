"""The run folder: what it refuses, and what it says of damaged files."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from digits.data.datasets import Split
from digits.recipes.recipe import Recipe
from digits.store import files, runs
from digits.store.run_folder import EPOCH_COLUMNS, NOTES_LENGTH, Run
from digits.store.status import Owner, Status
from tests.conftest import until


@pytest.fixture
def run() -> Run:
    return runs.create(Recipe(dataset="uci"), "A run")


def test_a_new_run_is_found_again_with_its_recipe_and_name(run: Run) -> None:
    found = runs.open(run.id)
    assert found == run
    assert (found.name, found.recipe) == ("A run", Recipe(dataset="uci"))
    assert runs.all() == [run]


def test_a_run_is_found_by_words_of_its_name_its_recipe_and_its_state(run: Run) -> None:
    other = runs.create(Recipe(dataset="uci", optimizer="sgd"), "Another")
    other.write_status(Status("failed"))
    assert runs.search("") == runs.all()
    assert runs.search("ANOTHER failed") == runs.search("sgd") == [other]
    assert runs.search("adam") == [run]
    assert runs.search("adam failed") == []
    other.rename("Renamed")
    assert runs.search("renamed") == [other]
    (other.folder / "about.json").write_text("{")
    until(lambda: runs.search("damaged") == [other], "the damage to be seen")


def test_a_file_that_changed_says_so(run: Run) -> None:
    before = run.file_stamps("steps.csv", "status.json")
    assert run.file_stamps("steps.csv", "status.json") == before
    run.append_steps([(1, 2.3, 0.1)])
    after = run.file_stamps("steps.csv", "status.json")
    assert after != before
    run.append_steps([(2, 2.2, 0.1)])
    assert run.file_stamps("steps.csv", "status.json") != after


@pytest.mark.parametrize(
    "id",
    ["", "..", "../etc", "20260101-000000-abcdef/..", "20260101-000000-ABCDEF", "a\0b", "x" * 999],
)
def test_a_hostile_id_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="The link names no run"):
        runs.open(id)


def test_an_unknown_id_is_told_from_a_hostile_one() -> None:
    with pytest.raises(LookupError, match="no run 20260101-000000-abcdef"):
        runs.open("20260101-000000-abcdef")


def test_a_run_is_interrupted_once_its_owner_is_gone(run: Run) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    run.write_status(Status("running", epoch=2, epochs=5, owner=Owner.of(process.pid)))
    assert run.status.state == "running"
    process.kill()
    process.wait()
    assert run.status.state == "interrupted"
    assert "epoch 2" in run.status.message


def test_a_recycled_pid_is_not_taken_for_the_owner(run: Run) -> None:
    me = Owner.of(os.getpid())
    run.write_status(Status("running", owner=Owner(me.host, me.pid, me.started - 100)))
    assert run.status.state == "interrupted"


def test_the_queue_serves_the_running_one_first_and_then_by_time() -> None:
    owner = Owner.of(os.getpid())
    late, early, going, done = (runs.create(Recipe(), name) for name in "abcd")
    late.write_status(Status("queued", since="2026-01-02T00:00:00", owner=owner))
    early.write_status(Status("queued", since="2026-01-01T00:00:00", owner=owner))
    going.write_status(Status("running", since="2026-01-03T00:00:00", owner=owner))
    done.write_status(Status("finished", since="2025-01-01T00:00:00", owner=owner))
    assert runs.queue() == [going, early, late]


def test_a_half_written_last_row_is_left_for_the_next_look(run: Run) -> None:
    run.append_steps([(1, 2.5, 0.1), (2, 2.25, 0.2)])
    with (run.folder / "steps.csv").open("a") as file:
        file.write("3,1.9")
    steps = run.step_metrics()
    assert steps["step"].tolist() == [1, 2]
    assert steps["loss"].tolist() == [2.5, 2.25]


def test_no_rows_yet_are_empty_columns(run: Run) -> None:
    assert {name: len(column) for name, column in run.epoch_metrics().items()} == dict.fromkeys(
        EPOCH_COLUMNS, 0
    )


def test_truncating_keeps_the_first_rows(run: Run) -> None:
    run.append_steps([(n, 0, 0) for n in range(1, 10)])
    run.truncate_metrics(0, 4)
    assert run.step_metrics()["step"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe\x00", b'{"state": 1, "magic": 2}']
)
@pytest.mark.parametrize("file", ["status.json", "about.json", "recipe.json", "result.json"])
def test_a_torn_json_file_is_named(run: Run, file: str, content: bytes) -> None:
    (run.folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=file):
        _ = (run.status, run.name, run.recipe, run.result())


@pytest.mark.parametrize("file", ["steps.csv", "epochs.csv"])
def test_a_csv_with_text_in_it_is_named(run: Run, file: str) -> None:
    (run.folder / file).write_text("step,loss,accuracy\n1,what,0.5\n")
    with pytest.raises(ValueError, match=file):
        _ = (run.step_metrics(), run.epoch_metrics())


@pytest.mark.parametrize("content", [b"", b"text", b"\x93NUMPY\x01\x00v\x00{'descr"])
def test_a_torn_array_is_named(run: Run, content: bytes) -> None:
    (run.folder / "test_probabilities.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"test_probabilities\.npy"):
        run.test_probabilities()


def test_an_array_of_objects_is_refused(run: Run) -> None:
    np.save(run.folder / "test_probabilities.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"test_probabilities\.npy"):
        run.test_probabilities()


def test_a_run_that_trains_cannot_be_deleted_and_a_damaged_one_can(run: Run) -> None:
    run.write_status(Status("running", owner=Owner.of(os.getpid())))
    with pytest.raises(ValueError, match="Stop it"):
        run.delete()
    (run.folder / "status.json").write_text("{")
    run.delete()
    assert runs.all() == []


def test_what_was_asked_is_forgotten_but_for_a_pause_after_an_epoch_to_come(run: Run) -> None:
    run.write_status(Status("interrupted", epoch=2, epochs=5))
    for epoch, left in ((None, None), (2, None), (3, 3)):
        run.request_stop()
        run.request_pause(epoch)
        run.clear_requests()
        assert not run.stop_requested
        assert run.pause_epoch() == left
    (run.folder / "pause.json").write_text("soon")
    run.clear_requests()
    assert run.pause_epoch() is None


def test_a_worker_that_still_writes_does_not_bring_a_deleted_run_back(run: Run) -> None:
    def save(path: Path) -> None:
        np.save(path, np.zeros(3))
        run.delete()

    with pytest.raises(FileNotFoundError):
        files.replace(run.folder, "map_tsne.npy", save)
    assert list(runs.root().iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"noise": 1}', '{"noise": {"unit": ""}}'])
def test_damaged_robustness_curves_are_named(run: Run, content: str) -> None:
    assert run.robustness() is None
    (run.folder / "robustness.json").write_text(content)
    with pytest.raises(ValueError, match=r"robustness\.json"):
        run.robustness()


def test_the_epochs_that_a_run_has_are_those_with_a_row_and_a_file(run: Run) -> None:
    assert run.saved_epochs() == run.evaluated_epochs() == []
    run.append_epochs([(n, *[0] * 7) for n in (1, 2)])
    (run.folder / "weights").mkdir()
    (run.folder / "weights" / "0002.weights.h5").touch()
    (run.folder / "weights" / "0003.weights.h5").touch()  # torn off before its row was counted
    assert run.saved_epochs() == [2]
    with pytest.raises(ValueError, match="weights of epoch 1"):
        run.weights_path(1)
    with pytest.raises(ValueError, match=r"test_probabilities/0002\.npy"):
        run.test_probabilities(2)


def test_renaming_trims_and_refuses_nothing(run: Run) -> None:
    run.rename("  Better \n name ")
    assert run.name == "Better name"
    with pytest.raises(ValueError, match="needs a name"):
        run.rename("  ")


def test_a_json_file_is_replaced_in_one_piece(run: Run) -> None:
    run.rename("B")
    assert json.loads((run.folder / "about.json").read_text())["name"] == "B"
    assert not list(Path(run.folder).glob("part-*"))


def test_runs_of_the_same_second_have_numbers_of_their_own():
    assert [runs.create(Recipe(), "Run").number for _ in range(20)] == list(range(1, 21))


def test_notes_keep_their_lines_and_are_searched(run: Run) -> None:
    run.write_notes("First line\nsecond\x00 \u202eline\n" + "x" * 3_000)
    assert run.notes.startswith("First line\nsecond line\nxxx")
    assert len(run.notes) == NOTES_LENGTH
    run.rename("Renamed")
    assert run.notes.startswith("First line")
    assert runs.search("second") == [run]


def test_a_run_for_each_fold_validates_on_images_that_no_other_has() -> None:
    made = runs.create_folds(Recipe(seed=7), "Fast", "fast")
    assert [run.recipe.split for run in made] == [Split(fold=fold) for fold in range(1, 11)]
    assert {run.recipe.seed for run in made} == {7}
    assert [run.name for run in made[::9]] == ["Fast × 10 · fold 1", "Fast × 10 · fold 10"]
    assert len({run.group for run in made}) == 1


def test_runs_of_several_seeds_are_one_group() -> None:
    made = runs.create_seeds(Recipe(seed=7), "Fast", "fast", 3)
    assert sorted(made, key=lambda run: run.id) == made  # though of the same second
    assert [run.recipe for run in made] == [Recipe(seed=seed) for seed in (7, 8, 9)]
    assert [run.name for run in made] == [f"Fast × 3 · seed {seed}" for seed in (7, 8, 9)]
    assert len({run.group for run in made}) == 1
    [single] = runs.create_seeds(Recipe(seed=7), "Fast", "fast", 1)
    assert (single.group, single.name) == ("", "Fast")


def test_a_run_that_another_process_adds_or_deletes_is_noticed(run: Run) -> None:
    copy = run.folder.with_name(f"{run.id[:-6]}abcdef")
    for command, expected in (("cp -r", {run, Run(copy)}), ("rm -r", {run})):
        os.utime(runs.root(), (1e9, 1e9))  # has not changed for long, so that names are kept
        time.sleep(2 * runs.MAX_AGE)
        assert set(runs.all()) != expected
        folders = [run.folder, copy] if command == "cp -r" else [copy]
        subprocess.run([*command.split(), *folders], check=True)
        until(lambda expected=expected: set(runs.all()) == expected, "the change", 10)
