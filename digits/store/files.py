"""Reads and writes the files of a run folder: never seen half written, damage told in a sentence.

Every function takes the folder and the file's name in it. Every reader raises ``ValueError``, with
one sentence that names the file, when the file is missing, torn or not what it should be: a full
disk may have cut it off, somebody may have edited it. Readers follow no link, wait for no pipe and
read no more than a limit. Writers raise ``OSError``, which ``reason`` puts into words.
"""

import errno
import io
import json
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

MAX_JSON = 2**20  # bytes; the largest, robustness curves, have 20,000
MAX_CSV = 2**28  # some ten million steps
MAX_ARRAY = 2**28  # the embeddings of MNIST's training images have 2**24

# What numbers in JSON files can be; none is infinite.
Count = Annotated[int, Meta(ge=0, le=2**53)]
Amount = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]

Arrays = TypeVar("Arrays")

writes = 0  # by this process: who keeps what it has read can see that it may be out of date

FULL = {errno.ENOSPC, errno.EDQUOT}
DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
ERROR_NUMBER = re.compile(r"^\[Errno (\d+)\] |errno = (\d+)")  # as Python and HDF5 print it
PATH = re.compile(r"""(['"`])/[^'"`]*\1|(?<![\w/])/(?!/)[^\s'"`,;:()]+""")


def reason(error: BaseException) -> str:
    """Why something failed, in one line without any path of this machine."""
    text = str(error).partition("\n")[0]
    found = ERROR_NUMBER.search(text)
    number = int(found[1] or found[2]) if found else None
    if number in FULL:
        return "The disk is full. Delete runs that you no longer need, then try again."
    if number in DENIED:
        return "The folder of runs, or a file in it, is read-only for the app."
    return PATH.sub(_file_name, ERROR_NUMBER.sub("", text))


def _file_name(path: re.Match[str]) -> str:
    return path[0].strip("'\"`").rpartition("/")[2]


@dataclass(frozen=True)
class Form:
    """What an array must be: its kind as NumPy names it, its shape, the range of its values.

    ``None`` in the shape is any length. No value may be NaN or infinite.
    """

    kind: str
    shape: tuple[int | None, ...]
    low: float = -1e300
    high: float = 1e300

    def fits(self, array: np.ndarray) -> bool:
        """Whether the array is of this form."""
        if array.dtype.kind != self.kind or array.ndim != len(self.shape):
            return False
        lengths = zip(array.shape, self.shape, strict=True)
        if any(wanted not in (None, length) for length, wanted in lengths):
            return False
        if self.kind == "U" or not array.size:
            return True
        return self.low <= float(array.min()) and float(array.max()) <= self.high


IMAGES = Form("u", (None, 28, 28))
LABELS = Form("u", (None,), 0, 9)
PROBABILITIES = Form("f", (None, 10), 0, 1.001)  # float16 may round up
WORDS = Form("U", (None,))


def exists(folder: Path, file: str) -> bool:
    """Whether anything has that name, be it damaged."""
    return os.path.lexists(folder / file)


def is_plain(folder: Path, file: str) -> bool:
    """Whether it is a file, and no link, that can be read."""
    try:
        _check_plain(folder, file)
    except (OSError, ValueError):
        return False
    return os.access(folder / file, os.R_OK)


def _check_plain(folder: Path, file: str, most: float = float("inf")) -> None:
    """Raise ``ValueError`` unless it is a file of at most ``most`` bytes, in folders, no links."""
    path = os.fspath(folder)
    for part in file.split("/"):
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise ValueError(f"{file} of run {folder.name} cannot be read: it is in no folder.")
        path = f"{path}/{part}"
    found = os.lstat(path)
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{file} of run {folder.name} is damaged: it is no file.")
    if found.st_size > most:
        raise ValueError(f"{file} of run {folder.name} is damaged: it has {found.st_size:,} bytes.")


def read_bytes(folder: Path, file: str, most: int = MAX_JSON) -> bytes:
    """The file's content, of at most ``most`` bytes."""
    try:
        _check_plain(folder, file, most)
        return (folder / file).read_bytes()
    except FileNotFoundError as error:
        raise ValueError(f"{file} of run {folder.name} is missing.") from error
    except OSError as error:
        why = error.strerror or "the disk does not answer"
        raise ValueError(f"{file} of run {folder.name} cannot be read: {why}.") from error


def read_json(folder: Path, file: str, kind: Any) -> Any:
    """What a JSON file holds, which must be of a type; fields that the type lacks are left out."""
    content = read_bytes(folder, file)
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"{file} of run {folder.name} is damaged: {error!s:.200}.") from error


def write_json(folder: Path, file: str, content: Any) -> None:
    """Replace a JSON file. Raises ``ValueError`` for NaN and infinity."""
    text = json.dumps(content, indent=1, allow_nan=False)
    replace(folder, file, lambda path: path.write_text(text))


def overwrite_json(folder: Path, file: str, content: Any) -> None:
    """Write over a JSON file where it lies, for which a full disk and a locked folder have room.

    It does not become shorter, so that a reader who comes in between sees the end that fits.
    """
    global writes
    with (folder / file).open("r+b") as out:
        size = os.fstat(out.fileno()).st_size
        out.write(json.dumps(content, indent=1).encode().ljust(size))
    writes += 1


def read_csv(folder: Path, file: str, columns: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The columns of a CSV file, (rows,) float64 each; empty ones when there is no file yet.

    The first column numbers the rows, upward from 1; where rows are missing, so are their numbers.
    """
    if not exists(folder, file):
        return {column: np.empty(0) for column in columns}
    content = read_bytes(folder, file, MAX_CSV)
    body = content[: content.rfind(b"\n") + 1]  # a last line may be half written
    try:
        text = body.decode("ascii").partition("\n")[2]
        values = np.array(text.replace("\n", ",").split(",")[:-1], dtype=float)
        table = values.reshape(-1, len(columns))
    except ValueError as error:
        raise ValueError(f"{file} of run {folder.name} is damaged.") from error
    number = table[:, 0]
    if not np.isfinite(table).all():
        raise ValueError(f"{file} of run {folder.name} is damaged: a value is no number.")
    if (number % 1).any() or (np.diff(number, prepend=0) <= 0).any():
        raise ValueError(f"{file} of run {folder.name} is damaged: its rows are not in order.")
    return {column: table[:, index] for index, column in enumerate(columns)}


def append_csv(
    folder: Path, file: str, columns: tuple[str, ...], rows: Iterable[Iterable[float]]
) -> None:
    """Add rows in a single write; a new file gets its header first.

    Raises ``ValueError`` for NaN and infinity.
    """
    path = folder / file
    header = "" if path.exists() else ",".join(columns) + "\n"
    lines = "".join(",".join(map(_digits, row)) + "\n" for row in rows)
    if "n" in lines:  # as in nan and inf
        raise ValueError("A metric became infinite. Try a lower learning rate.")
    with path.open("a") as out:
        out.write(header + lines)


def _digits(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.7g}"


def truncate_csv(folder: Path, file: str, columns: tuple[str, ...], last: int) -> int:
    """Keep the rows numbered 1 to ``last`` in their first column; returns how many are missing."""
    kept: dict[int, str] = {}
    if exists(folder, file):
        text = read_bytes(folder, file, MAX_CSV).decode(errors="replace")
        for line in text.splitlines()[1:]:
            try:
                values = [float(value) for value in line.split(",")]
            except ValueError:
                continue
            if len(values) == len(columns) and 1 <= values[0] <= last:
                kept[int(values[0])] = line
    lines = [",".join(columns), *kept.values()]
    replace(folder, file, lambda part: part.write_text("\n".join(lines) + "\n"))
    return last - len(kept)


def read_array(folder: Path, file: str, form: Form) -> np.ndarray:
    """The array of a ``.npy`` file, which must be of a form."""
    content = io.BytesIO(read_bytes(folder, file, MAX_ARRAY))
    try:
        array = np.lib.format.read_array(content, allow_pickle=False)
    except Exception as error:  # a torn header can raise anything that Python's parser does
        raise ValueError(f"{file} of run {folder.name} is damaged.") from error
    if not form.fits(array):
        raise ValueError(f"{file} of run {folder.name} is damaged: its shape or values are wrong.")
    return array


def write_array(folder: Path, file: str, array: np.ndarray) -> None:
    """Replace a ``.npy`` file; its folder is made when it is missing."""
    (folder / file).parent.mkdir(exist_ok=True)
    replace(folder, file, lambda path: np.save(path, array))


def read_arrays(folder: Path, file: str, kind: type[Arrays], forms: dict[str, Form]) -> Arrays:
    """A dataclass of arrays, each of its form, from the ``.npz`` file of ``write_arrays``."""
    content = io.BytesIO(read_bytes(folder, file, MAX_ARRAY))
    try:
        with zipfile.ZipFile(content) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ValueError("compressed, so that its size cannot be trusted")
        with np.load(content, allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in forms}
    except Exception as error:  # as in ``read_array``
        raise ValueError(f"{file} of run {folder.name} is damaged.") from error
    if wrong := [name for name, form in forms.items() if not form.fits(arrays[name])]:
        raise ValueError(f"{file} of run {folder.name} is damaged: {wrong[0]} is not as it was.")
    return kind(**arrays)


def write_arrays(folder: Path, file: str, arrays: Any) -> None:
    """Replace a ``.npz`` file by a dataclass of arrays."""
    replace(folder, file, lambda path: np.savez(path, **asdict(arrays)))


def replace(folder: Path, file: str, save: Callable[[Path], Any]) -> None:
    """Let ``save`` write beside the file, then put that in its place; all or nothing."""
    global writes
    path = folder / file
    part = path.with_name(f"part-{os.getpid()}-{path.name}")  # Keras looks at the ending
    try:
        save(part)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()  # on a full disk it would take the room that is left
        raise
    writes += 1


def copy(folder: Path, file: str, to: Path, name: str) -> None:
    """Replace a file of another folder, which is made when it is missing, by a copy of this one."""
    (to / name).parent.mkdir(parents=True, exist_ok=True)
    replace(to, name, lambda path: shutil.copyfile(folder / file, path))


def remove(folder: Path, to: Path | None = None) -> None:
    """Remove a run's folder, or what stands in its place; or move it elsewhere on its disk."""
    global writes
    # Renamed first: what a worker writes then fails, and does not hold up the removal.
    away = folder.rename(to or folder.with_name(f"deleted-{folder.name}"))
    writes += 1
    if not to:
        clear(away)


def clear(away: Path) -> None:
    """Remove a folder with all that is in it, or what stands in its place."""
    if away.is_dir() and not away.is_symlink():
        shutil.rmtree(away)
    else:
        away.unlink()


def stamps(folder: Path, files: Iterable[str]) -> tuple[int, ...]:
    """Time of the last change and size of each file; 0 and 0 where there is none."""
    values: list[int] = []
    for file in files:
        try:
            found = os.lstat(folder / file)
            values += [found.st_mtime_ns, found.st_size]
        except OSError:
            values += [0, 0]
    return tuple(values)
