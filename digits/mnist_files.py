"""MNIST's files on this machine: find them, check them, add them; knows nothing of splits."""

import gzip
import hashlib
import io
import os
import struct
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from itertools import chain
from pathlib import Path
from typing import IO, BinaryIO
from uuid import uuid4

import numpy as np

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
TRAIN_CSV = "mnist_train_small.csv"  # the names that Google Colab gives them in sample_data
TEST_CSV = "mnist_test.csv"
CSV_ROWS = {TRAIN_CSV: 20_000, TEST_CSV: 10_000}
LARGEST = 128 * 2**20  # bytes; more than any of these files unpacked, less than a zip bomb
WAY_OUT = (
    "Download MNIST on the Data page, or put mnist.npz into the folder that the environment "
    "variable DIGITS_DATA names."
)


@dataclass(frozen=True)
class Part:
    """One of MNIST's four arrays of uint8: its shape, and the IDX file that it was published in."""

    stem: str
    shape: tuple[int, ...]
    md5: str  # of the unpacked IDX file

    @property
    def header(self) -> bytes:
        """How the IDX file begins: type uint8, number of axes, their lengths, big-endian."""
        return struct.pack(f">4B{len(self.shape)}I", 0, 0, 8, len(self.shape), *self.shape)

    @property
    def idx(self) -> str:
        """The IDX file's usual name."""
        return f"{self.stem}-idx{len(self.shape)}-ubyte"

    @property
    def names(self) -> list[str]:
        """The names that the IDX file goes by, plain and compressed."""
        plain = self.idx, self.idx.replace("-idx", ".idx")
        return [name + ending for ending in ("", ".gz") for name in plain]


PARTS = {
    "x_train": Part("train-images", (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
    "y_train": Part("train-labels", (60_000,), "a25bea736e30d166cdddb491f175f624"),
    "x_test": Part("t10k-images", (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
    "y_test": Part("t10k-labels", (10_000,), "27ae3e4e09519cfbb04c329615203637"),
}

_checked: set[tuple[str, Path, int, int]] = set()  # part, file, its time and size


def folders() -> list[Path]:
    """Where data is looked for, in this order: ``$DIGITS_DATA``, then Keras's cache."""
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
    own = os.environ.get("DIGITS_DATA")
    return [Path(own).expanduser(), keras] if own else [keras]


def find(*names: str) -> list[Path]:
    """The files by these names, the first folder's first."""
    return [path for folder in folders() for name in names if (path := folder / name).is_file()]


def check() -> None:
    """Raise what ``read`` would, for a few milliseconds: reads the labels, looks for the images."""
    missing = [part.idx for part in PARTS.values() if not find("mnist.npz", *part.names)]
    if missing and len(missing) < len(PARTS):
        raise FileNotFoundError(f"MNIST is incomplete: {', '.join(missing)} missing. {WAY_OUT}")
    read("y_train")
    read("y_test")


def read(key: str) -> np.ndarray:
    """One of the four arrays of ``PARTS``, uint8, byte for byte as published.

    Raises ``FileNotFoundError`` when it is not on this machine and ``ValueError`` when the file
    is damaged or holds something else; the sentence names the file and the way out.
    """
    first_problem: ValueError | None = None
    for path in find("mnist.npz", *PARTS[key].names):
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                stamp = key, path, status.st_mtime_ns, status.st_size
                array = _parse(file, key, checked=stamp in _checked)
        except (OSError, ValueError) as error:
            problem = f"{path} {error} Delete or replace it. {WAY_OUT}"
            first_problem = first_problem or ValueError(problem)
        else:
            _checked.add(stamp)
            return array
    raise first_problem or FileNotFoundError(f"MNIST is not on this machine. {WAY_OUT}")


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 28, 28) and labels (n,), uint8, from one of Colab's CSV files.

    Raises ``ValueError`` naming the row at fault.
    """
    try:
        with path.open("rb") as file:
            x, y = _parse_csv(file)
        _check_rows(y, path.name)
    except ValueError as error:
        raise ValueError(f"{path} {error} Delete or replace it.") from error
    return x, y


def add(filename: str, content: bytes | BinaryIO) -> str:
    """Check an uploaded file of digits, store it, and say what is there now and what is missing.

    Takes ``mnist.npz``, any of the four IDX files, plain or gzipped, and Colab's two CSV files.
    What a file is, its content decides; the name only serves to speak of it. Raises
    ``ValueError`` when it is none of them or damaged, ``OSError`` when it cannot be stored.
    """
    shown = filename.replace("\\", "/").rsplit("/")[-1][:80] or "The file"
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    file.seek(0)
    try:
        if file.read(2) == b"\x1f\x8b":
            file = io.BytesIO(_gunzip(file))
        file.seek(0)
        target = _recognize(file)
    except ValueError as error:
        raise ValueError(f"{shown} {error}") from error

    old = find(target)
    if target in CSV_ROWS and old:  # runs made with the one that is there must stay comparable
        raise ValueError(f"{old[0]} is already there; delete it first to use {shown} instead.")
    file.seek(0)
    with _arriving(target) as new:
        while chunk := file.read(2**20):
            new.write(chunk)

    if target in CSV_ROWS:
        return f"{target} is stored: {CSV_ROWS[target]:,} digits, used where MNIST is not there."
    try:
        check()
    except FileNotFoundError:
        missing = [part.idx for part in PARTS.values() if not find("mnist.npz", *part.names)]
        return f"{target} is stored; still missing: {', '.join(missing)}."
    return f"{target} is stored, and MNIST is complete: 60,000 training and 10,000 test images."


def download(progress: Callable[[int, int], None] | None = None) -> Path:
    """Fetch ``mnist.npz`` (11 MB) from where Keras keeps it, check it and store it.

    ``progress`` is told the bytes done and the bytes in all, 0 while unknown. ``$DIGITS_MNIST_URL``
    names another source. Raises ``OSError`` when the file cannot be had or stored, ``ValueError``
    when it is not MNIST; then nothing is left behind.
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
                        raise ValueError("is far larger than MNIST.")
                    if progress:
                        progress(done, total)
            if done < total:
                raise OSError(f"the connection broke off after {done:,} of {total:,} bytes")
        except (OSError, HTTPException) as error:
            raise OSError(f"{url} could not be downloaded ({error}). {ways}") from error
        except ValueError as error:
            raise ValueError(f"{url} {error} {ways}") from error
        try:
            _parse_all(file)
        except ValueError as error:
            raise ValueError(f"What came from {url} {error} {ways}") from error
    return find("mnist.npz")[0]


@contextmanager
def _arriving(name: str) -> Iterator[IO[bytes]]:
    """A file to fill, moved to its name in the folder for new data when all went well."""
    folder = next((folder for folder in folders() if _writable(folder)), None)
    if folder is None:
        tried = " nor ".join(str(folder) for folder in folders())
        raise OSError(f"{name} cannot be stored: {tried} can be written to. Set DIGITS_DATA.")
    partial = folder / f".{name}.{uuid4().hex}"
    try:
        with partial.open("w+b") as file:
            yield file
        partial.replace(folder / name)
    finally:
        partial.unlink(missing_ok=True)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _gunzip(file: IO[bytes]) -> bytes:
    file.seek(0)
    try:
        raw = gzip.GzipFile(fileobj=file).read(LARGEST + 1)
    except Exception as error:  # whatever gzip and zlib make of a damaged file
        raise ValueError(f"is a damaged .gz file ({error}).") from error
    if len(raw) > LARGEST:
        raise ValueError("unpacks to far more than MNIST.")
    return raw


def _recognize(file: IO[bytes]) -> str:
    """The name to store an upload under; ``ValueError`` when it is nothing that we know."""
    start = file.read(16)
    file.seek(0)
    if start.startswith(b"PK"):
        _parse_all(file)
        return "mnist.npz"
    for key, part in PARTS.items():
        if start.startswith(part.header):
            _parse(file, key)
            return part.idx
    if start.startswith(b"\0\0"):
        raise ValueError("is an IDX file, but not one of MNIST's four.")
    if b"\0" in start or not start:
        raise ValueError("is neither an .npz file, an IDX file nor a CSV of digits.")
    _, y = _parse_csv(file)
    name = TEST_CSV if len(y) == CSV_ROWS[TEST_CSV] else TRAIN_CSV
    _check_rows(y, name)
    return name


def _parse_all(file: IO[bytes]) -> None:
    for key in PARTS:
        file.seek(0)
        _parse(file, key)


def _parse(file: IO[bytes], key: str, *, checked: bool = False) -> np.ndarray:
    """Read one array from an open .npz or IDX file; the published MD5 is taken unless checked.

    Errors are ``ValueError`` whose sentence goes on after the file's name.
    """
    part = PARTS[key]
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(b"PK"):
        array = _parse_npz(file, key)
    elif magic.startswith((b"\x1f\x8b", b"\0\0")):
        array = _parse_idx(file, part)
    else:
        raise ValueError("is neither an .npz file nor an IDX file.")
    if not checked:
        md5 = hashlib.md5(part.header, usedforsecurity=False)
        md5.update(np.ascontiguousarray(array))
        if md5.hexdigest() != part.md5:
            raise ValueError(
                f"has the shape of MNIST but other content in {key} (MD5 {md5.hexdigest()} in IDX "
                f"form, not {part.md5}); Fashion-MNIST and others come under the same names."
            )
    return array


def _parse_npz(file: IO[bytes], key: str) -> np.ndarray:
    part = PARTS[key]
    try:
        with zipfile.ZipFile(file) as archive:
            member = archive.getinfo(f"{key}.npy")
            # An array of Python objects or a bomb shows in its size, before anything is unpacked.
            if member.file_size > np.prod(part.shape) + 4096:
                raise ValueError(f"{key} is larger than {part.shape} of uint8")
            with archive.open(member) as data:
                array = np.lib.format.read_array(data, allow_pickle=False)
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for a damaged file
        reason = f"no {key} in it" if isinstance(error, KeyError) else error
        raise ValueError(f"cannot be read as MNIST's .npz ({reason}).") from error
    if array.shape != part.shape or array.dtype != np.uint8:
        raise ValueError(
            f"holds {key} of shape {array.shape} and type {array.dtype}, not {part.shape} of uint8."
        )
    return array


def _parse_idx(file: IO[bytes], part: Part) -> np.ndarray:
    size = len(part.header) + int(np.prod(part.shape))
    compressed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    try:
        raw = (gzip.GzipFile(fileobj=file) if compressed else file).read(size + 1)
    except Exception as error:  # whatever gzip and zlib make of a damaged file
        raise ValueError(f"is a damaged .gz file ({error}).") from error
    if not raw.startswith(part.header):
        raise ValueError(f"is not MNIST's {part.idx}: it begins differently.")
    if len(raw) != size:
        state = "cut short" if len(raw) < size else "too long"
        raise ValueError(f"is {state}: {part.idx} has {size:,} bytes.")
    return np.frombuffer(raw, np.uint8, offset=len(part.header)).reshape(part.shape)


def _parse_csv(file: IO[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 28, 28) and labels (n,), uint8, of rows of a label and 784 pixels.

    A first line without numbers is taken for a header. Errors as in ``_parse``.
    """
    text = io.TextIOWrapper(file, "latin-1")  # any bytes are text; NumPy tells numbers from others
    try:
        first = text.readline()
        header = not first.split(",")[0].strip(' "\r\n').isdecimal()
        lines = text if header else chain([first], text)
        try:
            table = np.loadtxt(lines, np.uint8, comments=None, delimiter=",", ndmin=2)
        except ValueError:
            text.seek(0)
            raise ValueError(_first_fault(text, header)) from None
    finally:
        text.detach()  # else closing the text would close the file
    if table.shape[1:] != (785,):
        raise ValueError("is not a CSV of digits: each row needs a label and 784 pixels.")
    y = table[:, 0].copy()
    if y.max() > 9:
        row = int((y > 9).argmax()) + 1 + header
        raise ValueError(f"has the label {y.max()} in row {row:,}; labels are 0 to 9.")
    return table[:, 1:].reshape(-1, 28, 28), y
