"""The status of a run, and the process that it depends on."""

import socket
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import psutil
from msgspec import Meta

from digits.store.files import Amount, Count

UNFINISHED = ("queued", "running")
DONE = ("finished", "stopped")  # with a result and a model
LAST_EXIT = "LAST_WORKER_EXIT"  # in a worker's environment: exit code of the one before it
INFINITE = "The loss became infinite"  # so begins the message of a run that failed of it
# Goes on after its last whole epoch when queued again.
RESUMABLE = ("paused", "cancelled", "interrupted", "failed")


@dataclass(frozen=True)
class Owner:
    """The process that an unfinished run depends on."""

    host: str
    pid: Annotated[int, Meta(ge=1, lt=2**31)]
    started: Amount  # seconds since 1970, so that a recycled pid is not taken for the owner

    @classmethod
    def of(cls, pid: int) -> "Owner":
        """The process of that id on this machine."""
        return cls(socket.gethostname(), pid, psutil.Process(pid).create_time())

    def alive(self) -> bool:
        """Whether it still runs; of another machine's processes we cannot tell, so yes."""
        if self.host != socket.gethostname():
            return True
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.started and process.status() != "zombie"
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True)
class Status:
    """Where a run stands. ``seconds_left`` is an estimate.

    ``message`` is for people and belongs to the state; ``note`` stays with the run, such as what
    was damaged when it resumed.
    """

    state: Literal[
        "queued", "running", "paused", "cancelled", "finished", "stopped", "failed", "interrupted"
    ]  # "cancelled" was taken off the queue, "interrupted" lost its process
    epoch: Count = 0  # epochs completed
    epochs: Count = 0
    step: Count = 0  # steps completed, of all epochs
    steps: Count = 0
    images_per_second: Amount = 0.0
    seconds_left: Amount | None = None
    message: str = ""
    note: str = ""
    attempt: Count = 1
    deaths: Count = 0  # of workers that trained it, since its last whole epoch
    since: str = ""  # ISO, UTC: when it was queued
    owner: Owner | None = None

    @property
    def is_trained(self) -> bool:
        """Whether its last epoch is completed."""
        return 0 < self.epochs <= self.epoch

    def paused(self) -> "Status":
        """The status of the same run when it is paused after its last whole epoch."""
        where = f"after epoch {self.epoch}" if self.epoch else "before its first epoch"
        message = "Trained in full, not tested." if self.is_trained else f"Paused {where}."
        return replace(self, state="paused", message=message, seconds_left=None)
