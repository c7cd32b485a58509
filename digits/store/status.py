"""The status of a run, and the process that it depends on."""

import socket
from dataclasses import dataclass

import psutil

UNFINISHED = ("queued", "running")
DONE = ("finished", "stopped")  # with a result and a model
LAST_EXIT = "DIGITS_LAST_EXIT"  # in a worker's environment: exit code of the one before it
RESUMABLE = ("interrupted", "failed")  # goes on after its last whole epoch when queued again


@dataclass(frozen=True)
class Owner:
    """The process that an unfinished run depends on."""

    host: str
    pid: int
    started: float  # seconds since 1970, so that a recycled pid is not taken for the owner

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

    state: str  # queued, running, finished, stopped, failed or interrupted
    epoch: int = 0  # epochs completed
    epochs: int = 0
    step: int = 0  # steps completed, of all epochs
    steps: int = 0
    images_per_second: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    note: str = ""
    attempt: int = 1
    deaths: int = 0  # of workers that trained it, since its last whole epoch
    since: str = ""  # ISO, UTC: when it was queued
    owner: Owner | None = None
