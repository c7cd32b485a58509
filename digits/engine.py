"""The pages' line to the cluster that trains and predicts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digits import jobs, run
from digits.recipe import Recipe
from digits.run import Run
from digits.status import Owner

if TYPE_CHECKING:
    from distributed import Future

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning"}
PATIENCE = 60  # seconds for an answer; the first waits for TensorFlow to load


class Engine:
    """A cluster and the client that speaks to it; one for all visitors of a server.

    ``$DIGITS_SCHEDULER`` names a cluster that somebody else runs, such as
    ``tcp://lab-server:8786``; without it one is started here, and it ends with this process.
    Raises ``OSError`` when no cluster can be reached.
    """

    def __init__(self) -> None:
        address = os.environ.get("DIGITS_SCHEDULER")
        self.cluster = None if address else _start()
        from distributed import Client  # a quarter second that no first page need wait for

        if self.cluster and self.cluster.stdout:
            address = self.cluster.stdout.readline().decode().strip()
            if not address:
                raise OSError("The training engine did not start; see the server's log.")
        self.client = Client(address, set_as_default=False, timeout=10)
        self.futures: dict[str, Future] = {}
        self.wish: tuple[Recipe, Future] | None = None  # prepared ahead, or about to be
        if not self.cluster:
            self._find_lost_runs()

    def alive(self) -> bool:
        """Whether the cluster is still there to take work."""
        gone = self.cluster is not None and self.cluster.poll() is not None
        return not gone and self.client.status == "running"

    def prepare(self, recipe: Recipe) -> None:
        """Let a worker that has nothing to train build a recipe that somebody is setting up.

        Of all who set something up only the last one is heard: a wish that no worker has begun
        on gives way to the next.
        """
        if self.wish:
            if self.wish[0] == recipe:
                return
            self.wish[1].cancel()
        future = self.client.submit(
            jobs.prepare, recipe, resources={"train": 1}, pure=False, priority=-10
        )
        self.wish = recipe, future

    def submit(self, job: Run) -> None:
        """Queue a run; one that was interrupted goes on after its last whole epoch."""
        self.wish = None  # what was prepared will have been used
        before = job.status
        attempt = before.attempt + (before.state == "interrupted" and bool(before.since))
        job.take_back_stop()
        job.write_status(
            replace(
                before,
                state="queued",
                message="",
                attempt=attempt,
                epochs=job.recipe.epochs,
                since=datetime.now(UTC).isoformat(),
                owner=Owner.of(self.cluster.pid) if self.cluster else None,
            )
        )
        from distributed import fire_and_forget

        future = self.client.submit(
            jobs.train,
            str(job.folder),
            key=_key(job.id, attempt),
            resources={"train": 1},
            pure=False,
            fifo_timeout=0,  # first come, first served, however fast they come
        )
        fire_and_forget(future)  # on a cluster of its own the run outlives this server
        future.add_done_callback(lambda done: _note_failure(job, done))
        self.futures[job.id] = future

    def stop(self, job: Run) -> None:
        """End a run in good order; one that still waits for its turn ends at once."""
        job.ask_to_stop()
        status = job.status
        if status.state == "queued":
            if job.id in self.futures:
                self.futures.pop(job.id).cancel(force=True)
            job.write_status(replace(status, state="interrupted", message="Taken off the queue."))

    def predict(self, model: str, x: np.ndarray) -> np.ndarray:
        """Probabilities (n, 10) float32 by the model "shipped" or that of a run's id.

        ``x`` is (n, 28, 28), uint8 or float32 in [0, 1]. Raises ``ValueError`` or ``LookupError``
        when there is no such model, ``TimeoutError`` when the cluster does not answer.
        """
        path = "" if model == "shipped" else str(run.open(model).model_path)
        return self._ask(jobs.predict, path, x)

    def augment(self, recipe: Recipe, n: int) -> np.ndarray:
        """``n`` training images before and after augmentation: (2, n, 28, 28) uint8."""
        return self._ask(jobs.augment, recipe, n)

    def _ask(self, question: Callable[..., np.ndarray], *about: Any) -> np.ndarray:
        future = self.client.submit(question, *about, pure=False, priority=10)
        return future.result(timeout=PATIENCE)

    def _find_lost_runs(self) -> None:
        """Mark unfinished runs that a cluster of somebody else's no longer knows of."""
        known = self.client.run_on_scheduler(_tasks)
        for job in run.queue():
            status = job.status
            if status.owner is None and _key(job.id, status.attempt) not in known:
                job.write_status(replace(status, state="interrupted", message="Interrupted."))

    def close(self) -> None:
        self.client.close()
        if self.cluster and self.cluster.stdin:
            self.cluster.stdin.close()
            self.cluster.wait(timeout=20)


def _start() -> subprocess.Popen[bytes]:
    code = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "digits.cluster"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**QUIET, **os.environ, "PYTHONPATH": path},
    )


def _key(id: str, attempt: int) -> str:
    return f"train-{id}-{attempt}"


def _tasks(dask_scheduler: Any) -> list[str]:
    return [str(key) for key in dask_scheduler.tasks]


def _note_failure(job: Run, done: Future) -> None:
    """A task that dies over and over takes its worker along; say so instead of waiting."""
    if done.status == "error" and job.folder.is_dir():
        status = job.status
        sentence = f"The worker could not train this run: {done.exception()}"
        job.write_status(replace(status, state="failed", message=sentence, seconds_left=None))
