"""The engine when workers and schedulers die, and when everybody comes at once."""

import dataclasses
import ipaddress
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from digits.engine import Engine
from digits.recipes.recipe import Conv
from digits.store import runs
from digits.store.models import ModelRef
from digits.store.run_folder import MODEL, RESULT, STATUS, Run
from digits.store.status import Owner, Status
from tests.conftest import PATIENCE, TINY, until
from tests.engine.test_client import state, whole, worker_of

pytestmark = pytest.mark.slow

LONG = dataclasses.replace(
    TINY, conv=(Conv(32), Conv(32)), batch_size=32, epochs=20, train_images=None
)
IMAGE = np.zeros((1, 28, 28), np.uint8)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:  # dask gives up at the first death of a worker
        patch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
        started = Engine()
    yield started
    started.close()


def finished(some: list[Run]) -> bool:
    return all(state(run) == "finished" for run in some)


def kill_worker(engine: Engine) -> None:
    worker = worker_of(engine.cluster.pid)  # type: ignore[union-attr]
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)


def test_runs_start_in_the_order_shown_however_fast_they_come(engine: Engine) -> None:
    first = runs.create(LONG, "first")
    engine.submit(first)
    waiting = [runs.create(TINY, f"run {number}") for number in range(12)]
    with ThreadPoolExecutor(4) as visitors:
        list(visitors.map(engine.submit, waiting))
    until(lambda: state(first) == "running", "the first run to start")
    shown = runs.queue()
    assert shown[0] == first
    assert set(shown) == {first, *waiting}
    engine.stop(first)
    until(lambda: finished(waiting), "all to finish")
    ends = [run.file_stamps(RESULT)[0] for run in shown[1:]]
    assert ends == sorted(ends)


def test_a_worker_that_dies_takes_neither_finished_nor_waiting_runs_along(engine: Engine) -> None:
    done, torn = runs.create(TINY, "done"), runs.create(LONG, "torn")
    engine.submit(done)
    until(lambda: finished([done]), "a run to finish")
    until(lambda: not engine.queued, "the engine to hear of it")
    before = done.file_stamps(RESULT, MODEL, STATUS)
    waiting = [runs.create(TINY, f"run {number}") for number in range(3)]
    for run in [torn, *waiting]:
        engine.submit(run)
    until(lambda: torn.status.epoch >= 1, "an epoch")
    kill_worker(engine)
    until(lambda: torn.status.deaths == 1, "the run to go on")
    assert [state(run) for run in waiting] == ["queued"] * 3
    until(lambda: torn.status.deaths == 0, "the next epoch")
    until(lambda: finished([torn, *waiting]), "all to finish")
    whole(torn)
    assert done.file_stamps(RESULT, MODEL, STATUS) == before


def test_a_scheduler_that_dies_is_replaced_and_the_question_asked_again(engine: Engine) -> None:
    run, waiting = runs.create(LONG, "running"), runs.create(TINY, "waiting")
    engine.submit(run)
    engine.submit(waiting)
    until(lambda: run.status.epoch >= 1, "an epoch")
    before = engine.cluster
    with ThreadPoolExecutor(1) as visitor:
        answer = visitor.submit(engine.nearest_neighbors, ModelRef(), IMAGE[0])
        os.kill(before.pid, signal.SIGKILL)  # type: ignore[union-attr]
        assert answer.result(120)[0].shape == (12, 28, 28)
    assert engine.cluster is not before
    until(lambda: finished([run, waiting]), "both to finish")
    whole(run)


def test_a_run_that_nobody_trains_any_more_can_be_stopped_and_deleted(engine: Engine) -> None:
    run = runs.create(TINY, "stuck")
    owner = Owner.of(engine.cluster.pid)  # type: ignore[union-attr]
    run.write_status(Status("running", owner=owner, since="2026-01-01T00:00:00"))
    engine.stop(run)
    assert state(run) == "interrupted"
    run.delete()


def test_a_failed_run_can_be_queued_again(engine: Engine) -> None:
    run = runs.create(TINY, "failed")
    run.write_status(Status("failed", message="The disk is full.", since="2026-01-01T00:00:00"))
    engine.submit(run)
    until(lambda: finished([run]), "the run to finish")
    assert run.status.attempt == 2


def test_only_this_machine_reaches_the_cluster_and_closing_it_is_silent(
    capfd: pytest.CaptureFixture[str],
) -> None:
    alone = Engine()
    alone.predict(ModelRef(), IMAGE)
    cluster = psutil.Process(alone.cluster.pid)  # type: ignore[union-attr]
    processes = [cluster, *cluster.children(recursive=True)]
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3  # scheduler, nanny, worker
    assert all(ipaddress.ip_address(address).is_loopback for address in listening)
    capfd.readouterr()
    alone.close()
    assert psutil.wait_procs(processes, timeout=PATIENCE)[1] == []
    assert capfd.readouterr().err == ""
