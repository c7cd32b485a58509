"""Many runs: what all visitors ask is read once for them, and a change is soon seen."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from digits.recipes.recipe import Recipe
from digits.store import files, runs
from digits.store.run_folder import Run
from digits.store.status import Owner, Status
from tests.conftest import ROOT, until
from tests.damage import RESULT

COUNT = 500


@pytest.fixture
def finished() -> Run:
    """One of many finished runs, as they lie on disk long after."""
    model = runs.create(Recipe(dataset="uci"), "Finished")
    model.write_result(RESULT)
    model.write_status(Status("finished", 2, 2))
    content = {path.name: path.read_bytes() for path in model.folder.iterdir()}
    for number in range(COUNT):
        folder = runs.root() / f"20260101-000000-{number:06x}"
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_bytes(text)
        os.utime(folder, (1e9, 1e9))
    return runs.open("20260101-000000-000000")


def reads_of(question: str) -> int:
    """How many files a process opens below the runs when it asks this for the second time."""
    code = f"""
import sys
from digits.store import runs
{question}
opened = []
sys.addaudithook(lambda event, arguments: event == "open" and opened.append(str(arguments[0])))
runs.files.writes += 1  # as if this process had written, so that it looks again
{question}
print(len([path for path in opened if path.startswith(str(runs.root()))]))
"""
    command = [sys.executable, "-c", code]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("question", ["runs.queue()", "runs.search('finished')", "runs.done()"])
def test_nothing_is_read_again_of_runs_that_have_not_changed(finished: Run, question: str) -> None:
    run = runs.create(Recipe(), "Unfinished")
    run.write_status(Status("queued"))
    recent = 8  # files of the runs that this test has made a moment ago
    assert reads_of(question) <= recent


def test_a_question_is_answered_from_the_last_look(finished: Run) -> None:
    runs.queue()
    begun = time.process_time()
    for _ in range(1_000):
        runs.queue()
    assert time.process_time() - begun < 0.2


def test_what_another_process_changes_is_seen_within_a_second(finished: Run) -> None:
    assert runs.queue() == []
    assert finished in runs.search("finished")
    code = f"""
from digits.store import runs
from digits.store.status import Status
run = runs.open("{finished.id}")
run.rename("Renamed")
runs.open("20260101-000000-000001").delete()
other = runs.create(run.recipe, "Added")
other.write_status(Status("queued"))
print(other.id)
"""
    command = [sys.executable, "-c", code]
    added = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    changed = time.monotonic()
    until(lambda: [run.id for run in runs.queue()] == [added.strip()], "the queued run")
    until(lambda: runs.search("renamed") == [finished], "the new name")
    assert time.monotonic() - changed < 1
    assert len(runs.all()) == COUNT + 1
    assert runs.summary(finished).name == "Renamed"


def test_what_this_process_changes_is_seen_at_once(finished: Run) -> None:
    for number in range(5):
        assert finished in runs.done()
        finished.rename(f"Number {number}")
        assert runs.search(f"number {number}") == [finished]
        run = runs.create(Recipe(), "Added")
        run.write_status(Status("queued"))
        assert runs.queue() == [run]
        run.write_status(Status("failed"))
        assert runs.queue() == []
        run.delete()
        assert len(runs.all()) == COUNT + 1


def test_two_changes_within_one_time_stamp_are_both_seen() -> None:
    run = runs.create(Recipe(), "Run")
    run.write_status(Status("failed"))
    stamp = run.folder.stat().st_mtime_ns
    assert runs.summary(run).state == "failed"
    text = json.dumps({"state": "queued", "owner": None})
    files.replace(run.folder, "status.json", lambda path: path.write_text(text))
    os.utime(run.folder, ns=(stamp, stamp))
    assert runs.queue() == [run]


def test_a_run_leaves_the_queue_when_its_process_dies() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    run = runs.create(Recipe(), "Run")
    run.write_status(Status("running", owner=Owner.of(process.pid)))
    os.utime(run.folder, (1e9, 1e9))
    assert runs.queue() == [run]
    process.kill()
    process.wait()
    until(lambda: runs.queue() == [], "the queue to be empty")
    assert runs.summary(run).state == "interrupted"


def test_no_folder_and_a_file_in_its_place_are_no_runs(tmp_path: Path) -> None:
    assert runs.all() == runs.queue() == runs.done() == runs.search("x") == []
    runs.root().write_text("")
    files.writes += 1
    assert runs.all() == []
