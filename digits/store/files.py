"""Reads and writes the files of a run folder: never seen half written, damage told in a sentence.

Every function takes the folder and the file's name in it. Every reader raises ``ValueError``, with
one sentence that names the file, when the file is missing, torn or not what it should be. Writers
raise ``OSError``, which ``reason`` puts into words.
"""

import errno
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

Arrays = TypeVar("Arrays")

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


def read_text(folder: Path, file: str) -> str:
    """The file's text."""
    try:
        return (folder / file).read_text()
    except FileNotFoundError as error:
        raise ValueError(f"{file} of run {folder.name} is missing.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} of run {folder.name} cannot be read: {error}.") from error


def read_json(folder: Path, file: str, field: str | None = None) -> Any:
    """What a JSON file holds, or one field of it."""
    try:
        content = json.loads(read_text(folder, file))
        return content[field] if field else content
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{file} of run {folder.name} is damaged.") from error


def write_json(folder: Path, file: str, content: Any) -> None:
    """Replace a JSON file."""
    replace(folder, file, lambda path: path.write_text(json.dumps(content, indent=1)))


def overwrite_json(folder: Path, file: str, content: Any) -> None:
    """Write over a JSON file where it lies, for which a full disk and a locked folder have room.

    It does not become shorter, so that a reader who comes in between sees the end that fits.
    """
    with (folder / file).open("r+b") as out:
        size = os.fstat(out.fileno()).st_size
        out.write(json.dumps(content, indent=1).encode().ljust(size))


def read_csv(folder: Path, file: str, columns: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The columns of a CSV file, (rows,) float64 each; empty ones when there is no file yet."""
    if not (folder / file).exists():
        return {column: np.empty(0) for column in columns}
    text = read_text(folder, file)
    body = text[: text.rfind("\n") + 1].partition("\n")[2]  # a last line may be half written
    try:
        values = np.array(body.replace("\n", ",").split(",")[:-1], dtype=float)
        table = values.reshape(-1, len(columns))
    except ValueError as error:
        raise ValueError(f"{file} of run {folder.name} is damaged.") from error
    return {column: table[:, index] for index, column in enumerate(columns)}


def append_csv(
    folder: Path, file: str, columns: tuple[str, ...], rows: Iterable[Iterable[float]]
) -> None:
    """Add rows in a single write; a new file gets its header first."""
    path = folder / file
    header = "" if path.exists() else ",".join(columns) + "\n"
    lines = "".join(",".join(f"{value:.7g}" for value in row) + "\n" for row in rows)
    with path.open("a") as out:
        out.write(header + lines)


def truncate_csv(folder: Path, file: str, columns: tuple[str, ...], last: int) -> int:
    """Keep the rows numbered 1 to ``last`` in their first column; returns how many are missing."""
    kept: dict[int, str] = {}
    if (folder / file).exists():
        for line in (folder / file).read_text(errors="replace").splitlines()[1:]:
            try:
                values = [float(value) for value in line.split(",")]
            except ValueError:
                continue
            if len(values) == len(columns) and 1 <= values[0] <= last:
                kept[int(values[0])] = line
    lines = [",".join(columns), *kept.values()]
    replace(folder, file, lambda part: part.write_text("\n".join(lines) + "\n"))
    return last - len(kept)


def read_array(folder: Path, file: str) -> np.ndarray:
    """The array of a ``.npy`` file."""
    try:
        return np.load(folder / file, allow_pickle=False)
    except FileNotFoundError as error:
        raise ValueError(f"{file} of run {folder.name} is missing.") from error
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{file} of run {folder.name} is damaged.") from error


def write_array(folder: Path, file: str, array: np.ndarray) -> None:
    """Replace a ``.npy`` file; its folder is made when it is missing."""
    (folder / file).parent.mkdir(exist_ok=True)
    replace(folder, file, lambda path: np.save(path, array))


def read_arrays(folder: Path, file: str, kind: type[Arrays]) -> Arrays:
    """A dataclass of arrays from the ``.npz`` file that ``write_arrays`` wrote."""
    try:
        with np.load(folder / file, allow_pickle=False) as arrays:
            return kind(**arrays)
    except FileNotFoundError as error:
        raise ValueError(f"{file} of run {folder.name} is missing.") from error
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} of run {folder.name} is damaged.") from error


def write_arrays(folder: Path, file: str, arrays: Any) -> None:
    """Replace a ``.npz`` file by a dataclass of arrays."""
    replace(folder, file, lambda path: np.savez(path, **asdict(arrays)))


def replace(folder: Path, file: str, save: Callable[[Path], Any]) -> None:
    """Let ``save`` write beside the file, then put that in its place; all or nothing."""
    path = folder / file
    part = path.with_name(f"part-{os.getpid()}-{path.name}")  # Keras looks at the ending
    try:
        save(part)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()  # on a full disk it would take the room that is left
        raise


def stamps(folder: Path, files: Iterable[str]) -> tuple[int, ...]:
    """Time of the last change and size of each file; 0 and 0 where there is none."""
    values: list[int] = []
    for file in files:
        try:
            status = os.stat(folder / file)
            values += [status.st_mtime_ns, status.st_size]
        except FileNotFoundError:
            values += [0, 0]
    return tuple(values)
