"""The engine: one cluster and the client that queues runs and background jobs and asks models."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

import numpy as np

from digits.engine import tasks
from digits.multidigit.decode import Number
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.models import ModelRef, results_folder
from digits.store.run_folder import Run
from digits.store.status import Owner

if TYPE_CHECKING:
    from distributed import Future

ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "2", "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning"}
TRAIN_SLOT = {"train": 1}  # each worker has one
TIMEOUT = 60  # seconds; the first question waits for TensorFlow to load
LONG_TIMEOUT = 300  # seconds, where the embeddings may have to be computed first

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class JobStatus:
    """Where a background job stands, and a sentence: how far it is, or why it failed.

    "absent" is a job that nobody asked for, and one that is done. ``ahead`` is how many runs and
    jobs are before a queued one.
    """

    state: Literal["absent", "queued", "running", "failed"]
    message: str = ""
    ahead: int = 0


class Engine:
    """A cluster and its client; one for all visitors of a server.

    ``$DIGITS_SCHEDULER`` names a cluster that somebody else runs, such as
    ``tcp://lab-server:8786``; without it one is started here, and it ends with this process.
    Raises ``OSError`` when no cluster can be reached. Methods that ask a model raise ``ValueError``
    when there is no such model and ``TimeoutError``, an ``OSError``, when no worker answers.
    """

    def __init__(self) -> None:
        address = os.environ.get("DIGITS_SCHEDULER")
        self.cluster = None if address else _start_cluster()
        from distributed import Client  # a quarter second that no first page need wait for

        if self.cluster and self.cluster.stdout:
            address = self.cluster.stdout.readline().decode().strip()
            if not address:
                raise OSError("The training engine did not start; see the server's log.")
        else:
            _check_reachable(str(address))
        self.client = Client(address, set_as_default=False, timeout=10)
        self.futures: dict[str, Future] = {}  # of runs and background jobs, in the queue's order
        self.preloading: tuple[Recipe, Future] | None = None
        if not self.cluster:
            self._mark_lost_runs()

    def alive(self) -> bool:
        """Whether the cluster is still there to take work."""
        exited = self.cluster is not None and self.cluster.poll() is not None
        return not exited and self.client.status == "running"

    def preload(self, recipe: Recipe) -> None:
        """Let an idle worker prepare a recipe that somebody is setting up.

        Only the last one counts: one that no worker has begun is replaced by the next.
        """
        if self.preloading:
            if self.preloading[0] == recipe:
                return
            self.preloading[1].cancel()
        future = self.client.submit(
            tasks.preload, recipe, resources=TRAIN_SLOT, pure=False, priority=-10
        )
        self.preloading = recipe, future

    def submit(self, run: Run) -> None:
        """Queue a run; an interrupted one resumes after its last whole epoch."""
        self.preloading = None  # what was prepared will have been used
        before = run.status
        attempt = before.attempt + (before.state == "interrupted" and bool(before.since))
        run.clear_stop_request()
        run.write_status(
            replace(
                before,
                state="queued",
                message="",
                attempt=attempt,
                epochs=run.recipe.epochs,
                since=datetime.now(UTC).isoformat(),
                owner=Owner.of(self.cluster.pid) if self.cluster else None,
            )
        )
        future = self._queue(tasks.train, run, key=_key(run.id, attempt))
        future.add_done_callback(lambda done: _note_failure(run, done))
        self.futures[run.id] = future

    def stop(self, run: Run) -> None:
        """End a run in good order; a queued one ends at once."""
        run.request_stop()
        status = run.status
        if status.state == "queued":
            if run.id in self.futures:
                self.futures.pop(run.id).cancel(force=True)
            run.write_status(
                replace(status, state="interrupted", message="Removed from the queue.")
            )

    def predict(self, model: ModelRef, x: np.ndarray) -> np.ndarray:
        """Probabilities (n, 10) float32 of ``x`` (n, 28, 28) uint8 by a final model."""
        return self._ask(tasks.predict, model, x)

    def predict_at_epochs(self, run: Run, epochs: list[int], x: np.ndarray) -> np.ndarray:
        """Probabilities (epochs, n, 10) float32 of ``x`` (n, 28, 28) uint8 after these epochs.

        Epoch 0 is before the first; the run may be training. Raises ``ValueError`` when the
        weights of an epoch are missing.
        """
        return self._ask(tasks.predict_at_epochs, run, epochs, x)

    def recognize_photo(
        self, model: ModelRef, content: bytes, name: str
    ) -> tuple[bytes, list[Number]]:
        """The numbers on a photo of that name, and the photo itself as a small upright JPEG.

        Boxes are in pixels of the small one. Raises ``ValueError`` also when the photo cannot be
        read or shows no digits.
        """
        return self._ask(tasks.recognize_photo, model, content, name)

    def augment(self, recipe: Recipe, n: int) -> np.ndarray:
        """``n`` training images before and after augmentation: (2, n, 28, 28) uint8."""
        return self._ask(tasks.augment, recipe, n)

    def saliency(self, model: ModelRef, image: np.ndarray, digits: list[int]) -> np.ndarray:
        """What each pixel of ``image``, (28, 28) uint8, adds to the logits of digits.

        Returns (len(digits), 28, 28) float32.
        """
        return self._ask(tasks.saliency, model, image, digits)

    def activations(self, model: ModelRef, image: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """The feature maps after each convolution block, and how many filters the block has.

        ``image`` is (28, 28) uint8. Maps are (maps, height, width) float32 in the order of the
        filters; of very many, the brightest. Without convolutions the list is empty.
        """
        return self._ask(tasks.activations, model, image)

    def nearest_neighbors(
        self, model: ModelRef, image: np.ndarray, k: int = 12
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The training images most similar to ``image``, (28, 28) uint8, nearest first.

        Those of the shipped model are of the best data set available. Returns images (k, 28, 28)
        uint8, labels (k,) uint8 and distances (k,) float32. The first question about a model takes
        seconds unless the job "embeddings" is done. Raises ``OSError`` also when nothing can be
        written beside the runs.
        """
        folder = results_folder(model)  # here, for a worker may have another $DIGITS_RUNS
        return self._ask(tasks.nearest_neighbors, folder, image, k, timeout=LONG_TIMEOUT)

    def pca_map(self, run: Run) -> np.ndarray:
        """The test images' first two principal components: (n, 2) float32.

        The first question about a run takes seconds; ``Run.embedding_map`` then has the answer.
        """
        return self._ask(tasks.pca_map, run, timeout=LONG_TIMEOUT)

    def robustness_examples(self, image: np.ndarray, kind: str) -> np.ndarray:
        """``image``, (28, 28) uint8, at every strength of a transform: (strengths, 28, 28)."""
        return self._ask(tasks.robustness_examples, image, kind)

    def start_background_job(self, name: str, run: Run) -> None:
        """Queue one of ``tasks.BACKGROUND_JOBS``, unless it is queued; retry one that failed."""
        key = f"{name}-{run.id}"
        if key in self.futures:
            if self.futures[key].status == "pending":
                return  # where it stands: a second click must not move it back
            self.futures.pop(key).cancel(force=True)  # or its old result would come again
        run.clear_job_progress(name)  # what a worker that died has left
        resources = TRAIN_SLOT if tasks.BACKGROUND_JOBS[name].train_slot else {}
        self.futures[key] = self._queue(
            tasks.background_job, name, run, key=key, resources=resources
        )

    def job_status(self, name: str, run: Run) -> JobStatus:
        """Where a background job stands."""
        key = f"{name}-{run.id}"
        future = self.futures.get(key)
        if future is not None and future.status == "error":
            return JobStatus("failed", str(future.exception()))
        if future is None or future.status != "pending":
            return JobStatus("absent")
        message = run.job_progress(name)
        if message is not None:
            return JobStatus("running", message)
        keys = list(self.futures)
        before = keys[: keys.index(key)]
        return JobStatus(
            "queued", ahead=sum(self.futures[other].status == "pending" for other in before)
        )

    def _queue(
        self,
        task: Callable[..., None],
        *arguments: Any,
        key: str,
        resources: dict[str, int] = TRAIN_SLOT,
    ) -> Future:
        from distributed import fire_and_forget

        future = self.client.submit(
            task,
            *arguments,
            key=key,
            resources=resources,
            pure=False,
            fifo_timeout=0,  # first come, first served, however fast they come
        )
        fire_and_forget(future)  # on a cluster of its own the task outlives this server
        return future

    def _ask(
        self, task: Callable[..., Answer], *arguments: Any, timeout: float = TIMEOUT
    ) -> Answer:
        future = self.client.submit(task, *arguments, pure=False, priority=10)
        try:
            return future.result(timeout=timeout)
        except TimeoutError as error:
            if future.done():  # the task's own
                raise
            raise TimeoutError(
                f"The worker did not answer within {timeout:.0f} seconds. Try again; if that does "
                "not help, restart the app."
            ) from error

    def _mark_lost_runs(self) -> None:
        """Mark unfinished runs that somebody else's cluster no longer knows as interrupted."""
        known = self.client.run_on_scheduler(_tasks)
        for run in runs.queue():
            status = run.status
            if status.owner is None and _key(run.id, status.attempt) not in known:
                run.write_status(replace(status, state="interrupted", message="Interrupted."))

    def close(self) -> None:
        """End the client, and the cluster if it was started here."""
        self.client.close()
        if self.cluster and self.cluster.stdin:
            self.cluster.stdin.close()
            self.cluster.wait(timeout=20)


def _start_cluster() -> subprocess.Popen[bytes]:
    code = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "digits.engine.cluster"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**ENVIRONMENT, **os.environ, "PYTHONPATH": path},
    )


def _check_reachable(address: str) -> None:
    """Raise ``OSError`` at once where nothing listens; dask's client would try for 10 seconds."""
    try:
        parts = urlsplit(address)
        socket.create_connection((parts.hostname or "", parts.port or 8786), timeout=10).close()
    except (OSError, ValueError) as error:  # the latter for what is no address
        raise OSError(f"The scheduler {address} cannot be reached: {error}.") from error


def _key(id: str, attempt: int) -> str:
    return f"train-{id}-{attempt}"


def _tasks(dask_scheduler: Any) -> list[str]:
    return [str(key) for key in dask_scheduler.tasks]


def _note_failure(run: Run, done: Future) -> None:
    """A task that fails over and over takes its worker along; say so instead of waiting."""
    if done.status == "error" and run.folder.is_dir():
        status = run.status
        message = f"The worker could not train this run: {done.exception()}"
        run.write_status(replace(status, state="failed", message=message, seconds_left=None))
