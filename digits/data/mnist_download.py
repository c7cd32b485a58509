"""The download of MNIST in a thread of the server: one for all visitors, followed and stopped."""

import threading
from dataclasses import dataclass

from digits.data import mnist_files


@dataclass(frozen=True)
class Progress:
    """Bytes done of a total, 0 while unknown; ``problem`` is why the last download failed."""

    running: bool = False
    done: int = 0
    total: int = 0
    problem: str = ""


class _Stopped(Exception):
    """Ends a download that somebody has stopped."""


_lock = threading.Lock()
_progress = Progress()
_stop = threading.Event()  # of the download that is on, or of the last one


def progress() -> Progress:
    """Where the download stands."""
    return _progress


def start() -> None:
    """Begin, unless a download is on."""
    global _progress, _stop
    with _lock:
        if not _progress.running:
            _progress, _stop = Progress(running=True), threading.Event()
            threading.Thread(target=_download, args=[_stop], daemon=True).start()


def stop() -> None:
    """End it at once; a thread that still waits for the network then ends by itself."""
    _stop.set()
    _tell(_stop, Progress())


def _download(stop: threading.Event) -> None:
    def follow(done: int, total: int) -> None:
        if stop.is_set():
            raise _Stopped
        _tell(stop, Progress(True, done, total))

    try:
        mnist_files.download(follow)
    except _Stopped:
        return
    except (OSError, ValueError) as error:
        ended = Progress(problem=str(error))
    else:
        ended = Progress()
    if not stop.is_set():
        _tell(stop, ended)


def _tell(stop: threading.Event, progress: Progress) -> None:
    """Say where this download stands, if it is still the last one."""
    global _progress
    with _lock:
        if stop is _stop:
            _progress = progress
