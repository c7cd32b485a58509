"""MNIST's files on this machine: finds, reads, adds and downloads them; does not split them."""

import io
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO, BinaryIO
from uuid import uuid4

import numpy as np

from digits.data import mnist_formats
from digits.data.mnist_formats import CSV_ROWS, LARGEST, PARTS, TEST_CSV, TRAIN_CSV

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
WAY_OUT = (
    "Download MNIST on the Data page, or put mnist.npz into the folder that the environment "
    "variable DIGITS_DATA names."
)

Stamp = tuple[str, Path, int, int]  # part, file, its time and size

_checked: dict[Stamp, np.ndarray | None] = {}  # good files, and what they hold if that is kept
_keeps = False


def keep() -> None:
    """From now on, keep what is read, 55 MB: for a worker, which reads it for every run."""
    global _keeps
    _keeps = True


def folders() -> list[Path]:
    """The folders searched for data, in order: ``$DIGITS_DATA``, then Keras's cache."""
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
    own = os.environ.get("DIGITS_DATA")
    return [Path(own).expanduser(), keras] if own else [keras]


def find(*names: str) -> list[Path]:
    """The files of these names, those in the first folder first."""
    return [path for folder in folders() for name in names if (path := folder / name).is_file()]


def missing() -> list[str]:
    """The names of the IDX files whose arrays are in no file."""
    return [part.idx for key, part in PARTS.items() if not _files(key)]


def _files(key: str) -> list[Path]:
    return find("mnist.npz", *PARTS[key].names)


def _stamp(key: str, path: Path, status: os.stat_result) -> Stamp:
    return key, path, status.st_mtime_ns, status.st_size


def check() -> None:
    """Raise what ``read`` would, in a few milliseconds: reads the labels, looks for the images.

    A file whose labels were read before is not opened again until it changes.
    """
    lacking = missing()
    if 0 < len(lacking) < len(PARTS):
        raise FileNotFoundError(f"MNIST is incomplete without {', '.join(lacking)}. {WAY_OUT}")
    for key in ("y_train", "y_test"):
        first = next(iter(_files(key)), None)
        if first is None or _stamp(key, first, first.stat()) not in _checked:
            read(key)


def read(key: str) -> np.ndarray:
    """One of the four arrays of ``PARTS``, uint8, byte for byte as published.

    Raises ``FileNotFoundError`` when it is not on this machine and ``ValueError`` when the file
    is damaged or holds something else; the sentence names the file and the way out.
    """
    first_problem: ValueError | None = None
    for path in _files(key):
        try:
            with path.open("rb") as file:
                stamp = _stamp(key, path, os.fstat(file.fileno()))
                if (kept := _checked.get(stamp)) is not None:
                    return kept
                array = mnist_formats.parse(file, key, checked=stamp in _checked)
        except (OSError, ValueError) as error:
            reason = f"cannot be read ({error})." if isinstance(error, OSError) else error
            problem = f"{path} {reason} Delete or replace it. {WAY_OUT}"
            first_problem = first_problem or ValueError(problem)
        else:
            array.setflags(write=False)
            _checked[stamp] = array if _keeps else None
            return array
    raise first_problem or FileNotFoundError(f"MNIST is not on this machine. {WAY_OUT}")


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 28, 28) and labels (n,), uint8, from one of Colab's CSV files.

    Raises ``ValueError`` naming the row at fault.
    """
    try:
        with path.open("rb") as file:
            x, y = mnist_formats.parse_csv(file)
        mnist_formats.check_rows(y, path.name)
    except ValueError as error:
        raise ValueError(f"{path} {error} Delete or replace it.") from error
    return x, y


def add(filename: str, content: bytes | BinaryIO) -> str:
    """Check an uploaded file of digits and store it; gives a sentence on what is still missing.

    Takes ``mnist.npz``, any of the four IDX files, plain or gzipped, and Colab's two CSV files.
    The content decides what a file is; the name serves only for messages. Raises
    ``ValueError`` when it is none of them or damaged, ``OSError`` when it cannot be stored.
    """
    shown = filename.replace("\\", "/").rsplit("/")[-1][:80] or "The file"
    with _arriving(shown) as file:
        try:
            mnist_formats.unpack(
                io.BytesIO(content) if isinstance(content, bytes) else content, file
            )
            target = mnist_formats.recognize(file)
        except ValueError as error:
            raise ValueError(f"{shown} {error}") from error
        old = find(target)
        if target in CSV_ROWS and old:  # runs made with the one that is there stay comparable
            raise ValueError(f"{old[0]} is already there; delete it first to use {shown} instead.")
        _keep(file, target)

    if target == TEST_CSV and not find(TRAIN_CSV):
        return f"{target} is stored; still missing: {TRAIN_CSV}."
    if target in CSV_ROWS:
        return f"{target} is stored: {CSV_ROWS[target]:,} digits, used where MNIST is not there."
    if lacking := missing():
        return f"{target} is stored; still missing: {', '.join(lacking)}."
    check()
    return f"{target} is stored, and MNIST is complete: 60,000 training and 10,000 test images."


def download(progress: Callable[[int, int], None] | None = None) -> Path:
    """Fetch ``mnist.npz`` (11 MB) from where Keras keeps it, check it and store it.

    ``progress`` receives the bytes done and the total, 0 while unknown. ``$DIGITS_MNIST_URL``
    names another source. Raises ``OSError`` when the file cannot be downloaded or stored and
    ``ValueError`` when it is not MNIST; then no file is left behind.
    """
    url = os.environ.get("DIGITS_MNIST_URL") or URL
    ways = "Put mnist.npz into the folder that DIGITS_DATA names, or upload it on the Data page."
    with _arriving("mnist.npz") as file:
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                total = int(response.headers.get("Content-Length") or 0)
                done = 0
                while chunk := response.read(2**18):
                    done += file.write(chunk)
                    if done > LARGEST:
                        raise ValueError("it is far larger than MNIST")
                    if progress:
                        progress(done, total)
            if done < total:
                raise OSError(f"the connection broke off after {done:,} of {total:,} bytes")
        except (OSError, HTTPException) as error:
            cause = getattr(error, "reason", None)  # of "<urlopen error [Errno …] …>"
            reason = (isinstance(cause, OSError) and cause.strerror) or str(error).strip("<>")
            raise OSError(f"{url} could not be downloaded: {reason}. {ways}") from error
        except ValueError as error:
            raise ValueError(f"{url} could not be downloaded: {error}. {ways}") from error
        try:
            mnist_formats.parse_all(file)
        except ValueError as error:
            raise ValueError(f"What {url} sent {error} {ways}") from error
        return _keep(file, "mnist.npz")


def _writable(name: str) -> Path:
    """Where to store a file of that name: in the first of the folders that can be written to."""
    for folder in folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    tried = " and ".join(str(folder) for folder in folders())
    raise OSError(
        f"{name} cannot be stored: no writing to {tried}. "
        "Point the environment variable DIGITS_DATA to a folder of yours."
    )


@contextmanager
def _arriving(name: str) -> Iterator[IO[bytes]]:
    """A file to fill, and then to ``_keep``; else it is removed. ``name`` serves for messages."""
    partial = _writable(name) / f".arriving-{uuid4().hex}"
    try:
        with partial.open("w+b") as file:
            yield file
    finally:
        partial.unlink(missing_ok=True)


def _keep(file: IO[bytes], name: str) -> Path:
    """Give an arriving file its name."""
    file.flush()
    return Path(file.name).replace(Path(file.name).with_name(name))
