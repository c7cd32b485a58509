"""The engine: one cluster and the client that queues runs and background jobs and asks models."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np

from digits.engine import tasks
from digits.multidigit.decode import Number
from digits.recipes import suggest
from digits.recipes.halving import Trial
from digits.recipes.recipe import Recipe
from digits.recipes.space import Space, Values
from digits.recipes.suggest import Sampler
from digits.store import runs
from digits.store.files import reason
from digits.store.models import ModelRef, results_folder
from digits.store.run_folder import Run
from digits.store.status import UNFINISHED, Owner, Status

if TYPE_CHECKING:
    from distributed import Future

ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "2", "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning"}
ONE_THREAD = {"TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
MAX_WORKERS = 256
TRAIN_SLOT = {"train": 1}  # each worker has one
TIMEOUT = 60  # seconds; the first question waits for TensorFlow to load
LONG_TIMEOUT = 300  # seconds, where the embeddings may have to be computed first

JOB_DIED = "The worker died of it; perhaps memory ran out."
ATTEMPTS = 2  # to ask a question, should the scheduler die

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


@dataclass(frozen=True)
class _Work:
    """A run or a background job that waits for a worker or is under way on one."""

    name: str
    since: float  # seconds since 1970: its place in the queue
    task: Callable[..., None]
    run: Run
    job: tuple[str, ...] = ()  # the name of a background job
    resources: dict[str, int] = field(default_factory=lambda: TRAIN_SLOT)

    def begun(self) -> bool:
        """Whether a background job was under way, so that it is to blame for its worker's death."""
        return any(self.run.job_progress(job) is not None for job in self.job)


class Engine:
    """A cluster and its client; one for all visitors of a server.

    ``$DIGITS_SCHEDULER`` names a cluster that somebody else runs, such as
    ``tcp://lab-server:8786``; without it one is started here, and it ends with this process.
    It has ``$DIGITS_WORKERS`` workers, one unless that is set, or ``workers`` of one thread each.
    Raises ``OSError`` when no cluster can be reached, and ``ValueError`` when so many workers
    cannot be started. Methods that ask a model raise ``ValueError``
    when there is no such model and ``OSError`` when no worker answers.
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and not 1 <= workers <= MAX_WORKERS:
            raise ValueError(f"An engine has 1 to {MAX_WORKERS} workers, not {workers:,}.")
        if workers is not None and os.environ.get("DIGITS_SCHEDULER"):
            raise ValueError(
                "$DIGITS_SCHEDULER names a cluster that has its own workers: leave out either it "
                "or the number of workers."
            )
        self._workers = workers
        self.queued: dict[str, tuple[_Work, Future]] = {}  # what has not ended, in order
        self.failures: dict[str, str] = {}  # why a background job failed
        self.preloading: tuple[Recipe, Future] | None
        self._sweeps: threading.Thread | None = None
        self._lock = threading.RLock()  # visitors come in threads of their own
        self._connect()

    def _connect(self) -> None:
        address = os.environ.get("DIGITS_SCHEDULER")
        self.cluster = None if address else _start_cluster(self._workers)
        from distributed import Client  # a quarter second that no first page need wait for

        if self.cluster and self.cluster.stdout:
            address = self.cluster.stdout.readline().decode().strip()
            if not address:
                raise OSError("The training engine did not start; see the server's log.")
        else:
            _check_reachable(str(address))
        self.client = Client(address, set_as_default=False, timeout=10)
        self.preloading = None
        if not self.cluster:
            self._mark_lost_runs()

    def _connected(self) -> bool:
        exited = self.cluster is not None and self.cluster.poll() is not None
        return not exited and self.client.status == "running"

    def alive(self) -> bool:
        """Whether the cluster is there to take work.

        One that died is replaced where that is possible, and gets the runs and jobs that were lost
        with it.
        """
        with self._lock:
            lost = [work for work, future in self.queued.values() if future.status == "cancelled"]
            if not self._connected():
                lost = [work for work, _ in self.queued.values()]
                try:
                    if self.cluster:
                        self.cluster.kill()  # it has ended, or hears nothing
                    self.close()
                    self._connect()
                except OSError:
                    return False
            for work in lost:
                del self.queued[work.name]
                with suppress(OSError, ValueError):  # what its folder or its status says
                    self._queue_again(work)
            return True

    def preload(self, recipe: Recipe) -> None:
        """Let an idle worker prepare a recipe that somebody is setting up.

        Only the last one counts: one that no worker has begun is replaced by the next.
        """
        if self.preloading:
            if self.preloading[0] == recipe:
                return
            self.preloading[1].cancel()
        future = self.client.submit(
            tasks.preload, recipe, resources=TRAIN_SLOT, pure=False, priority=-math.inf
        )
        future.add_done_callback(lambda done: done.release())  # or it would be done again
        self.preloading = recipe, future

    def submit(self, run: Run) -> None:
        """Queue a run, unless it is queued; what has epochs already resumes after the last one.

        What was asked of it before is forgotten, except for a pause after an epoch to come.
        Raises ``OSError`` when the disk lacks room for it.
        """
        self._submit(run, run.clear_requests)

    def _submit(self, run: Run, ask: Callable[[], None] = lambda: None) -> None:
        """Queue a run, for which ``ask`` writes what is asked of it."""
        with self._lock:
            if self._waits(run.id):
                if run.status.state in UNFINISHED:
                    return
                self.queued.pop(run.id)[1].cancel(force=True)  # it has just paused or failed
            before, recipe, now = run.status, run.recipe, datetime.now(UTC)
            runs.check_space(run.folder, recipe, recipe.epochs - before.epoch)
            if self.preloading:  # what was prepared will have been used, the rest is too late
                self.preloading[1].cancel()
                self.preloading = None
            try:
                ask()
                run.write_status(
                    replace(
                        before,
                        state="queued",
                        message="",
                        attempt=before.attempt + bool(before.since),
                        deaths=0,
                        epochs=recipe.epochs,
                        since=now.isoformat(),
                        owner=Owner.of(self.cluster.pid) if self.cluster else None,
                    )
                )
            except OSError as error:
                raise OSError(reason(error)) from error
            self._queue(_Work(run.id, now.timestamp(), tasks.train, run))

    def stop(self, run: Run) -> None:
        """End a run in good order; one that no worker trains ends at once."""
        with suppress(OSError):  # a full disk, on which it ends by itself
            run.request_stop()
        status = run.status
        if status.state in UNFINISHED and not self._is_running(run, status):
            if status.state == "queued":
                ended = replace(status, state="cancelled", message="Cancelled while it was queued.")
            else:
                ended = replace(status, state="interrupted", message="Interrupted.")
            run.write_status(ended)

    def pause(self, run: Run) -> None:
        """Pause a run as ``Run.request_pause`` says; one that no worker trains pauses at once."""
        run.request_pause()
        status = run.status
        if status.state in UNFINISHED and not self._is_running(run, status):
            run.write_status(status.paused())

    def keep(self, run: Run) -> None:
        """End a paused or interrupted run: evaluate what it has learned, as ``stop`` does.

        Raises ``OSError`` as ``submit`` does.
        """
        self._submit(run, run.request_stop)

    def _is_running(self, run: Run, status: Status) -> bool:
        """Whether a worker trains the run, which will see what is asked; else off the queue."""
        if status.state == "running" and self._is_trained(run):
            return True
        with self._lock:
            if run.id in self.queued:
                self.queued.pop(run.id)[1].cancel(force=True)
        return False

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

    def suggest(
        self, space: Space, base: Recipe, sampler: Sampler, seed: int, trials: list[Trial]
    ) -> Values | None:
        """The values of a sweep's next trial, ``None`` when a grid has no point left."""
        if not suggest.learns(sampler, trials):
            return suggest.suggest(space, base, sampler, seed, trials)
        return self._ask(tasks.suggest, space, base, sampler, seed, trials)

    def importance(self, space: Space, trials: list[Trial]) -> dict[str, float]:
        """How much each hyperparameter decided which trials were best: shares, empty for few."""
        return self._ask(tasks.importance, space, trials)

    def workers(self) -> int:
        """How many workers there are, each of which trains one run at a time."""
        return len(self.client.nthreads())

    def drive_sweeps(self) -> None:
        """Drive every unfinished sweep in a thread of this process, unless that is done."""
        from digits.engine.sweeps import drive_all  # which knows the engine

        with self._lock:
            if not (self._sweeps and self._sweeps.is_alive()):
                self._sweeps = drive_all(self)

    def start_background_job(self, name: str, run: Run) -> None:
        """Queue one of ``tasks.BACKGROUND_JOBS``, unless it is queued; retry one that failed."""
        key = f"{name}-{run.id}"
        with self._lock:
            if self._waits(key):
                return  # where it stands: a second click must not move it back
            self.failures.pop(key, None)
            run.clear_job_progress(name)  # what a worker that died has left
            now = datetime.now(UTC).timestamp()
            resources = TRAIN_SLOT if tasks.BACKGROUND_JOBS[name].train_slot else {}
            self._queue(_Work(key, now, tasks.background_job, run, (name,), resources))

    def job_status(self, name: str, run: Run) -> JobStatus:
        """Where a background job stands."""
        key, names = f"{name}-{run.id}", list(self.queued)
        if key in self.failures:
            return JobStatus("failed", self.failures[key])
        if key not in names:
            return JobStatus("absent")
        message = run.job_progress(name)
        if message is not None:
            return JobStatus("running", message)
        return JobStatus("queued", ahead=names.index(key))

    def _waits(self, name: str) -> bool:
        return name in self.queued and not self.queued[name][1].done()

    def _queue(self, work: _Work) -> None:
        """Let a worker do it after all that has waited longer."""
        from distributed import fire_and_forget

        future = self.client.submit(
            work.task,
            work.run,
            *work.job,
            key=f"{work.name}-{uuid4().hex}",
            resources=work.resources,
            pure=False,
            priority=-work.since,  # first come, first served, however fast they come
        )
        fire_and_forget(future)  # on a cluster of its own the task outlives this server
        self.queued[work.name] = work, future
        future.add_done_callback(lambda done: self._ended(work, done))

    def _ended(self, work: _Work, done: Future) -> None:
        """Keep nothing of what has ended, or the cluster would do it again when a worker dies."""
        from distributed import KilledWorker

        with self._lock:
            _, future = self.queued.get(work.name, (work, None))
            if future is not done or done.cancelled():
                return  # taken off the queue, or lost with its scheduler
            error = done.exception() if done.status == "error" else None
            died = isinstance(error, KilledWorker)
            if died and not work.begun():
                # Workers died while it waited for them, or while it trained: that a run counts.
                self._queue(work)
                return
            del self.queued[work.name]
        if error and work.job:
            self.failures[work.name] = JOB_DIED if died else reason(error)
        elif error:
            message = f"The worker could not train this run: {reason(error)}"
            with suppress(OSError, ValueError):  # deleted, damaged, or nothing can be written
                status = replace(work.run.status, state="failed", message=message)
                work.run.write_status(replace(status, seconds_left=None))

    def _queue_again(self, work: _Work) -> None:
        """Queue what was lost with a scheduler, unless it has ended or was to be stopped."""
        if work.job:
            self._queue(work)
        elif work.run.status.state in ("interrupted", *UNFINISHED) and not work.run.stop_requested:
            self._submit(work.run)

    def _is_trained(self, run: Run) -> bool:
        """Whether a task is there that trains the run, of this server or of another."""
        if run.id in self.queued:
            return True
        if self.cluster:
            return run.status.owner not in (None, Owner.of(self.cluster.pid))
        return run.id in self.client.run_on_scheduler(_runs_known)

    def _ask(
        self, task: Callable[..., Answer], *arguments: Any, timeout: float = TIMEOUT
    ) -> Answer:
        """The answer of a worker; asked again if the scheduler dies meanwhile."""
        from distributed import KilledWorker
        from distributed.client import ClosedClientError
        from distributed.comm import CommClosedError

        for _ in range(ATTEMPTS):
            if not self.alive():
                break
            try:
                future = self.client.submit(task, *arguments, pure=False, priority=10)
                return future.result(timeout=timeout)
            except (CancelledError, ClosedClientError, CommClosedError):
                continue
            except KilledWorker as error:
                raise OSError("The worker died again and again of this question.") from error
            except TimeoutError as error:
                if future.done():  # the task's own
                    raise
                raise TimeoutError(
                    f"The worker did not answer within {timeout:.0f} seconds. Try again; if that "
                    "does not help, restart the app."
                ) from error
            except OSError as error:
                raise OSError(reason(error)) from error
        raise OSError("The training engine is gone. Try again in a minute.")

    def _mark_lost_runs(self) -> None:
        """Mark unfinished runs that somebody else's cluster no longer knows as interrupted."""
        known = self.client.run_on_scheduler(_runs_known)
        for run in runs.queue():
            status = run.status
            if status.owner is None and run.id not in known:
                run.write_status(replace(status, state="interrupted", message="Interrupted."))

    def close(self) -> None:
        """End the client, and the cluster if it was started here."""
        self.client.close()
        if self.cluster and self.cluster.stdin:
            self.cluster.stdin.close()
            self.cluster.wait(timeout=20)


def _start_cluster(workers: int | None) -> subprocess.Popen[bytes]:
    code = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")]))
    given = {"DIGITS_WORKERS": str(workers), **ONE_THREAD} if workers else {}
    quiet = "ignore:resource_tracker:UserWarning"  # of what workers leave, which it removes itself
    return subprocess.Popen(
        [sys.executable, "-W", quiet, "-m", "digits.engine.cluster"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**ENVIRONMENT, **os.environ, **given, "PYTHONPATH": path},
    )


def _check_reachable(address: str) -> None:
    """Raise ``OSError`` at once where nothing listens; dask's client would try for 10 seconds."""
    try:
        parts = urlsplit(address)
        socket.create_connection((parts.hostname or "", parts.port or 8786), timeout=10).close()
    except (OSError, ValueError) as error:  # the latter for what is no address
        raise OSError(f"The scheduler {address} cannot be reached: {error}.") from error


def _runs_known(dask_scheduler: Any) -> set[str]:
    """Ids of the runs that wait for a worker or are trained; executed on the scheduler."""
    unfinished = {
        str(key)
        for key, task in dask_scheduler.tasks.items()
        if task.state not in ("memory", "erred")
    }
    return {key.rpartition("-")[0] for key in unfinished}
