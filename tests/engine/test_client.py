"""The engine with real processes: queue, prediction while training, and what kill -9 does."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from digits.data import datasets
from digits.engine import Engine, JobStatus
from digits.recipes.presets import SHIPPED
from digits.recipes.recipe import Conv, Recipe
from digits.store import forks, learning_rate, models, runs
from digits.store.models import ModelRef
from digits.store.runs import Run
from tests.conftest import PATIENCE, ROOT, until

pytestmark = pytest.mark.slow

LONG = Recipe(  # some 20 s on two cores
    dataset="uci", conv=(Conv(64), Conv(64)), dense=(64,), batch_size=32, epochs=40
)
SHORT = dataclasses.replace(LONG, conv=(Conv(8),), epochs=3)
INTERRUPTED = dataclasses.replace(LONG, epochs=6)  # long enough to be killed, and then finished


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    started = Engine()
    yield started
    started.close()


def state(run: Run) -> str:
    return run.status.state


def whole(run: Run) -> None:
    """Every step and every epoch once, in order."""
    assert run.epoch_metrics()["epoch"].tolist() == list(range(1, run.recipe.epochs + 1))
    per_epoch = -(-len(datasets.load("uci").x_train) // run.recipe.batch_size)
    assert run.step_metrics()["step"].tolist() == list(range(1, per_epoch * run.recipe.epochs + 1))


def test_runs_are_trained_one_after_the_other_and_predictions_beside_them(engine: Engine) -> None:
    first, second = runs.create(LONG, "first"), runs.create(SHORT, "second")
    engine.submit(first)
    engine.submit(second)
    until(lambda: state(first) == "running", "the first run to start")
    assert runs.queue() == [first, second]
    assert state(second) == "queued"
    x, y = datasets.load_test("uci")
    answers = engine.predict(ModelRef(), x[:50])
    assert answers.shape == (50, 10)
    assert (answers.argmax(axis=1) == y[:50]).mean() > 0.8
    assert state(first) == "running"
    engine.stop(first)
    until(lambda: state(first) == "stopped", "the first run to stop")
    until(lambda: state(second) == "finished", "the second run to finish")
    whole(second)
    own = engine.predict(ModelRef(second), x)
    assert own == pytest.approx(second.test_probabilities(), abs=1e-5)


def test_a_run_taken_off_the_queue_never_starts(engine: Engine) -> None:
    first, second = runs.create(LONG, "first"), runs.create(SHORT, "second")
    engine.submit(first)
    engine.submit(second)
    until(lambda: state(first) == "running", "the first run to start")
    engine.stop(second)
    assert state(second) == "cancelled"
    engine.stop(first)
    until(lambda: state(first) == "stopped", "the first run to stop")
    engine.predict(ModelRef(), np.zeros((1, 28, 28), np.uint8))  # the worker had its chance
    assert state(second) == "cancelled"
    engine.submit(second)
    until(lambda: state(second) == "finished", "the second run to finish after all")


def test_what_was_to_be_prepared_for_a_click_is_not_prepared_after_it(engine: Engine) -> None:
    first, second = runs.create(LONG, "first"), runs.create(SHORT, "second")
    engine.submit(first)
    until(lambda: state(first) == "running", "the first run to start")
    engine.preload(SHORT)  # waits for its turn
    assert engine.preloading
    _, prepared = engine.preloading
    engine.submit(second)
    assert prepared.cancelled()
    engine.stop(first)
    until(lambda: state(second) == "finished", "the second run to finish")


def test_a_killed_worker_is_replaced_and_the_run_goes_on(engine: Engine) -> None:
    run = runs.create(INTERRUPTED, "survivor")
    engine.submit(run)
    until(lambda: run.status.epoch >= 2, "two epochs")
    kill_worker(engine)
    until(lambda: state(run) == "finished", "the run to finish")
    whole(run)


def test_a_run_is_paused_killed_changed_and_forked_without_a_gap(engine: Engine) -> None:
    run = runs.create(dataclasses.replace(SHORT, epochs=6), "paused")
    other = runs.create(SHORT, "other")
    run.request_pause(3)  # an epoch to come, so that it outlives being queued
    engine.submit(run)
    engine.submit(other)
    until(lambda: state(other) == "finished", "the other run to finish")
    assert state(run) == "paused"
    assert run.epoch_metrics()["epoch"].tolist() == [1, 2, 3]
    assert not run.has_model
    kill_worker(engine)
    assert engine.alive()
    assert state(run) == "paused"
    learning_rate.request(run, 0.0001)
    engine.submit(run)
    until(lambda: run.status.epoch == 4, "the first epoch after the change")
    kill_worker(engine)
    until(lambda: state(run) == "finished", "the run to finish")
    whole(run)
    rates = run.epoch_metrics()["learning_rate"]
    assert rates == pytest.approx([run.recipe.learning_rate] * 3 + [0.0001] * 3)
    fork = forks.fork(run, 3, dataclasses.replace(SHORT, epochs=2), "fork")
    run.delete()
    engine.submit(fork)
    until(lambda: state(fork) == "finished", "the fork to finish")
    whole(fork)


def test_a_run_is_paused_now_and_later_kept_as_it_is(engine: Engine) -> None:
    run, waiting = runs.create(LONG, "paused"), runs.create(SHORT, "waiting")
    engine.submit(run)
    engine.submit(waiting)
    until(lambda: run.status.epoch >= 2, "two epochs")
    engine.pause(waiting)
    assert state(waiting) == "paused"
    engine.pause(run)
    until(lambda: state(run) == "paused", "the run to pause")
    epochs = run.status.epoch
    assert len(run.epoch_metrics()["epoch"]) == epochs
    engine.keep(run)
    until(lambda: state(run) == "stopped", "its evaluation")
    assert run.result()["epochs"] == epochs  # type: ignore[index]
    assert state(waiting) == "paused"


def kill_worker(engine: Engine) -> None:
    worker = worker_of(engine.cluster.pid)  # type: ignore[union-attr]
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)


def worker_of(cluster: int) -> psutil.Process:
    """The process that trains: the largest below the cluster's."""
    return max(
        psutil.Process(cluster).children(recursive=True), key=lambda one: one.memory_info().rss
    )


def test_a_model_that_is_not_there_is_a_sentence(engine: Engine) -> None:
    run = runs.create(SHORT, "unfinished")
    with pytest.raises(ValueError, match="has no model"):
        engine.predict(ModelRef(run), np.zeros((1, 28, 28), np.uint8))
    gone = runs.create(SHORT, "gone")
    gone.delete()
    with pytest.raises(ValueError, match="was deleted"):
        engine.predict(ModelRef(gone), np.zeros((1, 28, 28), np.uint8))


def test_the_preview_of_augmentation_moves_images_only_as_far_as_told(engine: Engine) -> None:
    still = engine.augment(SHORT, 5)
    assert (still[0] == still[1]).all()
    moved = engine.augment(dataclasses.replace(SHORT, shift=3.0), 5)
    assert (moved[0] != moved[1]).any()
    assert moved.shape == (2, 5, 28, 28)


def test_a_network_is_asked_for_its_reasons(engine: Engine, trained: Run) -> None:
    x, _ = datasets.load_test("uci")
    final = engine.saliency(ModelRef(trained), x[0], [3, 8])
    first = engine.saliency(ModelRef(trained, 1), x[0], [3, 8])
    assert final.shape == first.shape == (2, 28, 28)
    assert (final != first).any()
    assert engine.saliency(ModelRef(), x[0], [1]).shape == (1, 28, 28)
    [(maps, filters)] = engine.activations(ModelRef(trained), x[0])
    assert len(maps) == filters == trained.recipe.conv[0].filters
    assert len(engine.activations(ModelRef(), x[0])) == len(SHIPPED.conv)
    images, labels, distances = engine.nearest_neighbors(ModelRef(trained), x[0], 5)
    assert (len(images), len(labels), len(distances)) == (5, 5, 5)
    assert (engine.pca_map(trained) == trained.embedding_map("pca")).all()
    assert engine.robustness_examples(x[0], "shift").shape == (9, 28, 28)
    with pytest.raises(ValueError, match="weights of epoch 9"):
        engine.saliency(ModelRef(trained, 9), x[0], [1])
    unfinished = runs.create(SHORT, "unfinished")
    for question in (
        engine.pca_map,
        lambda run: engine.nearest_neighbors(ModelRef(run), x[0]),
        lambda run: engine.activations(ModelRef(run), x[0]),
    ):
        with pytest.raises(ValueError, match="has no model"):
            question(unfinished)


def test_long_work_waits_its_turn_and_is_done_once(engine: Engine, trained: Run) -> None:
    run = runs.create(LONG, "first")
    engine.submit(run)
    until(lambda: state(run) == "running", "the run to start")
    assert engine.job_status("robustness", trained) == JobStatus("absent")
    for _ in range(2):
        engine.start_background_job("robustness", trained)
        engine.start_background_job("tsne", trained)
    assert engine.job_status("robustness", trained) == JobStatus("queued", ahead=1)
    assert engine.job_status("tsne", trained) == JobStatus("queued", ahead=2)
    engine.predict(ModelRef(), np.zeros((1, 28, 28), np.uint8))  # is not held up
    engine.stop(run)
    seen: set[JobStatus] = set()

    def done() -> bool:
        seen.update(engine.job_status(what, trained) for what in ("robustness", "tsne"))
        return trained.robustness() is not None and trained.embedding_map("tsne") is not None

    until(done, "both to be done")
    until(lambda: engine.job_status("tsne", trained).state == "absent", "the end to be heard of")
    assert "queued" in {status.state for status in seen}
    assert {status.state for status in seen} <= {"queued", "running", "absent"}
    assert trained.job_progress("tsne") is None
    (trained.folder / "map_tsne.npy").unlink()
    engine.start_background_job("tsne", trained)
    until(lambda: trained.embedding_map("tsne") is not None, "a second map")


def test_features_wait_for_no_turn_and_hold_nobody_up(engine: Engine, trained: Run) -> None:
    x, _ = datasets.load_test("uci")
    run = runs.create(LONG, "first")
    engine.submit(run)
    until(lambda: state(run) == "running", "the run to start")
    kept = [trained, models.results_folder(ModelRef())]
    for one in kept:
        engine.start_background_job("embeddings", one)
        engine.start_background_job("embeddings", one)
    engine.predict(ModelRef(), x[:1])
    until(lambda: all(one.has_embeddings for one in kept), "both to be done")
    assert state(run) == "running"
    engine.stop(run)
    until(
        lambda: engine.job_status("embeddings", kept[1]).state == "absent", "the end to be heard of"
    )
    written = kept[1].file_stamps("embeddings.npz")
    assert engine.nearest_neighbors(ModelRef(), x[0])[0].shape == (12, 28, 28)
    assert kept[1].file_stamps("embeddings.npz") == written


def test_work_that_failed_says_why_and_can_be_asked_for_again(engine: Engine, trained: Run) -> None:
    away = trained.model_path.rename(trained.folder / "away.keras")
    (trained.folder / "test_probabilities" / "0002.npy").unlink()
    engine.start_background_job("epochs", trained)
    until(lambda: engine.job_status("epochs", trained).state == "failed", "the failure")
    assert "has no model" in engine.job_status("epochs", trained).message
    away.rename(trained.model_path)
    engine.start_background_job("epochs", trained)
    until(lambda: trained.evaluated_epochs() == [1, 2, 3], "the missing epoch")
    until(lambda: engine.job_status("epochs", trained).state == "absent", "the end to be heard of")


def test_a_run_deleted_while_work_waits_stays_deleted(engine: Engine, trained: Run) -> None:
    run = runs.create(LONG, "first")
    engine.submit(run)
    until(lambda: state(run) == "running", "the run to start")
    works = ("epochs", "robustness", "tsne")
    for work in works:
        engine.start_background_job(work, trained)
    trained.delete()
    engine.stop(run)
    for work in works:
        until(lambda work=work: engine.job_status(work, trained).state == "failed", "the failure")
        assert "deleted" in engine.job_status(work, trained).message
    assert list(runs.root().iterdir()) == [run.folder]
    engine.predict(ModelRef(), np.zeros((1, 28, 28), np.uint8))


def test_a_killed_server_leaves_nothing_running_and_the_run_can_be_resumed() -> None:
    run = runs.create(INTERRUPTED, "orphan")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, run.id], cwd=ROOT, stdin=subprocess.PIPE
    )
    until(lambda: run.status.epoch >= 2, "two epochs")
    below = psutil.Process(server.pid).children(recursive=True)
    assert len(below) >= 2
    server.kill()
    server.wait()
    _, alive = psutil.wait_procs(below, timeout=PATIENCE)
    assert alive == []
    assert state(run) == "interrupted"
    epoch = run.status.epoch
    assert epoch >= 2
    assert f"after epoch {epoch}" in run.status.message
    engine = Engine()
    try:
        engine.submit(run)
        until(lambda: state(run) == "running", "the run to go on")
        assert run.status.epoch >= epoch
        until(lambda: state(run) == "finished", "the run to finish")
    finally:
        engine.close()
    whole(run)
    assert run.status.attempt == 2


def test_a_server_that_dies_at_once_leaves_nothing_either() -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", "from digits.engine import Engine; Engine(); input()"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
    )
    tree = psutil.Process(server.pid)
    until(lambda: len(tree.children(recursive=True)) >= 3, "a worker to begin")
    below = tree.children(recursive=True)
    server.kill()
    server.wait()
    assert psutil.wait_procs(below, timeout=PATIENCE)[1] == []


SERVER = """
import sys
from digits.engine import Engine
from digits.store import runs
engine = Engine()
engine.submit(runs.open(sys.argv[1]))
sys.stdin.read()
"""


def test_an_engine_has_as_many_workers_as_are_asked_for_of_one_thread_each() -> None:
    with pytest.raises(ValueError, match="1 to 256 workers, not 257"):
        Engine(257)
    engine = Engine(2)
    try:
        until(lambda: engine.workers() == 2, "two workers")
        for variable in ("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"):
            assert [*engine.client.run(os.getenv, variable).values()] == ["1", "1"]
    finally:
        engine.close()


def test_workers_of_another_cluster_cannot_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_SCHEDULER", "tcp://127.0.0.1:1")
    with pytest.raises(ValueError, match="has its own workers"):
        Engine(2)


def test_asking_imports_no_tensorflow() -> None:
    code = "import sys; import digits.engine, digits.data.datasets; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "digits.engine" in done.stdout
    for heavy in ("tensorflow", "keras", "sklearn", "scipy", "pandas", "plotly"):
        assert heavy not in done.stdout.split()
