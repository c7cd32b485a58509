"""The pages' line to the cluster that trains and predicts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from digits.engine import tasks
from digits.multidigit.decode import Number
from digits.recipes.recipe import Recipe
from digits.store import models, runs
from digits.store.runs import Run
from digits.store.status import Owner

if TYPE_CHECKING:
    from distributed import Future

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning"}
TIMEOUT = 60  # seconds for an answer; the first waits for TensorFlow to load
TRAIN_SLOT = {"train": 1}  # a worker has one
LONG_TIMEOUT = 300  # seconds for one that reads every image of the data set first

BackgroundJob = Literal["epochs", "features", "sturdiness", "tsne"]
JobState = Literal["absent", "waiting", "working", "failed"]
Answer = TypeVar("Answer")


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
            tasks.prepare, recipe, resources=TRAIN_SLOT, pure=False, priority=-10
        )
        self.wish = recipe, future

    def submit(self, job: Run) -> None:
        """Queue a run; one that was interrupted goes on after its last whole epoch."""
        self.wish = None  # what was prepared will have been used
        before = job.status
        attempt = before.attempt + (before.state == "interrupted" and bool(before.since))
        job.clear_stop_request()
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
        future = self._queue(tasks.train, str(job.folder), key=_key(job.id, attempt))
        future.add_done_callback(lambda done: _note_failure(job, done))
        self.futures[job.id] = future

    def stop(self, job: Run) -> None:
        """End a run in good order; one that still waits for its turn ends at once."""
        job.request_stop()
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
        path = _model_path(model)
        return self._ask(tasks.predict, path, x)

    def read_photo(self, model: str, content: bytes, name: str) -> tuple[bytes, list[Number]]:
        """The numbers on a photo of that name, and the photo itself as a small upright JPEG.

        Boxes are in pixels of the small one. Raises ``ValueError`` when it is no photo that can
        be read or shows no digits, and as ``predict`` does.
        """
        path = _model_path(model)
        return self._ask(tasks.read_photo, path, content, name)

    def augment(self, recipe: Recipe, n: int) -> np.ndarray:
        """``n`` training images before and after augmentation: (2, n, 28, 28) uint8."""
        return self._ask(tasks.augment, recipe, n)

    def saliency(
        self, model: str, epoch: int | None, image: np.ndarray, digits: list[int]
    ) -> np.ndarray:
        """What each pixel adds to the logits of digits: (len(digits), 28, 28) float32.

        ``model`` is "shipped" or a run's id, ``epoch``, from 1, one of its epochs or ``None`` for
        its final model; ``image`` is (28, 28), uint8 or float32 in [0, 1]. Raises as ``predict``
        does.
        """
        path = _model_path(model)
        weights = "" if epoch is None else str(runs.open(model).weights_path(epoch))
        return self._ask(tasks.saliency, path, weights, image, digits)

    def activations(self, model: str, image: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """The maps after each convolution block of a model, and how many filters the block has.

        ``model`` is "shipped" or a run's id; ``image`` is (28, 28), uint8 or float32 in [0, 1].
        Maps are (maps, height, width) float32 in the order of the filters; of very many, the
        brightest. A network without convolutions gives an empty list. Raises as ``predict`` does.
        """
        path = _model_path(model)
        return self._ask(tasks.activations, path, image)

    def trace(self, id: str, epochs: list[int], x: np.ndarray) -> np.ndarray:
        """What a run's networks after these epochs, in order, say: (epochs, n, 10) float32.

        Epoch 0 is before the first. ``x`` is (n, 28, 28), uint8 or float32 in [0, 1]; the run may
        be training. Raises as ``predict`` does, and ``ValueError`` when an epoch's weights are not
        kept.
        """
        return self._ask(tasks.trace, str(runs.open(id).folder), epochs, x)

    def neighbours(
        self, model: str, image: np.ndarray, k: int = 12
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The training digits that a network finds most like an image, the nearest first.

        ``model`` is "shipped", whose training digits are those of the best data set at hand, or a
        run's id; ``image`` is (28, 28), uint8 or float32 in [0, 1]. Gives images (k, 28, 28)
        uint8, labels (k,) uint8 and distances (k,) float32. The first question about a model
        takes seconds, unless "features" was started and done. Raises as ``predict`` does, and
        ``OSError`` when nothing can be written beside the runs.
        """
        folder = str(models.model_run(model).folder)
        return self._ask(tasks.neighbours, folder, image, k, patience=LONG_TIMEOUT)

    def map(self, id: str) -> np.ndarray:
        """A run's test images by their first two principal components: (n, 2) float32.

        The first question about a run takes seconds; ``Run.map`` then has the answer. Raises as
        ``predict`` does.
        """
        return self._ask(tasks.pca_map, str(runs.open(id).folder), patience=LONG_TIMEOUT)

    def examples(self, image: np.ndarray, kind: str) -> np.ndarray:
        """One digit, (28, 28) uint8, as a kind of sturdiness changes it: (strengths, 28, 28)."""
        return self._ask(tasks.examples, image, kind)

    def start(self, what: BackgroundJob, job: Run) -> None:
        """Let a worker make what takes long, when its turn comes among the runs that train.

        "epochs" makes what ``Run.test_probabilities`` lacks, "sturdiness" ``Run.sturdiness`` and
        "tsne" ``Run.map``. "features", after which ``neighbours`` and ``map`` answer at once, takes
        seconds and waits for no turn. While one is asked for already this changes nothing; what
        failed is tried again.
        """
        key = f"{what}-{job.id}"
        if before := self.futures.pop(key, None):
            if before.status == "pending":
                self.futures[key] = before
                return
            before.cancel(force=True)  # the scheduler would give its old answer again
        job.clear_job_progress(what)  # what a worker that died has left
        turn = {} if what == "features" else TRAIN_SLOT
        self.futures[key] = self._queue(tasks.work, what, str(job.folder), key=key, needs=turn)

    def state_of(self, what: BackgroundJob, job: Run) -> tuple[JobState, str]:
        """Where such work stands and a sentence: how far it is, or why it failed.

        "absent" is what nobody asked for, and what is done.
        """
        future = self.futures.get(f"{what}-{job.id}")
        if future is not None and future.status == "error":
            return "failed", str(future.exception())
        if future is None or future.status != "pending":
            return "absent", ""
        message = job.job_progress(what)
        return ("waiting", "") if message is None else ("working", message)

    def _queue(
        self, task: Callable[..., None], *about: str, key: str, needs: dict[str, int] = TRAIN_SLOT
    ) -> Future:
        """Submit a task; of those that need their ``TURN`` a worker does one at a time."""
        from distributed import fire_and_forget

        future = self.client.submit(
            task,
            *about,
            key=key,
            resources=needs,
            pure=False,
            fifo_timeout=0,  # first come, first served, however fast they come
        )
        fire_and_forget(future)  # on a cluster of its own the task outlives this server
        return future

    def _ask(
        self, question: Callable[..., Answer], *about: Any, patience: float = TIMEOUT
    ) -> Answer:
        future = self.client.submit(question, *about, pure=False, priority=10)
        return future.result(timeout=patience)

    def _find_lost_runs(self) -> None:
        """Mark unfinished runs that a cluster of somebody else's no longer knows of."""
        known = self.client.run_on_scheduler(_tasks)
        for job in runs.queue():
            status = job.status
            if status.owner is None and _key(job.id, status.attempt) not in known:
                job.write_status(replace(status, state="interrupted", message="Interrupted."))

    def close(self) -> None:
        self.client.close()
        if self.cluster and self.cluster.stdin:
            self.cluster.stdin.close()
            self.cluster.wait(timeout=20)


def _start() -> subprocess.Popen[bytes]:
    code = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "digits.engine.cluster"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**QUIET, **os.environ, "PYTHONPATH": path},
    )


def _model_path(model: str) -> str:
    """Where a run's model is for every worker; "" for "shipped", which each has in its own code."""
    return "" if model == "shipped" else str(runs.open(model).model_path)


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
