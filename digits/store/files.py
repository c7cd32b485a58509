"""Reads and writes the files of a run folder: never seen half written, damage told in a sentence.

Every function takes the folder and the file's name in it. Every reader raises ``ValueError``, with
one sentence that names the file, when the file is missing, torn or not what it should be.
"""

import json
import os
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

Arrays = TypeVar("Arrays")


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


def truncate_csv(folder: Path, file: str, rows: int) -> None:
    """Keep the header and the first ``rows`` rows."""
    path = folder / file
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)[: rows + 1]
        replace(folder, file, lambda part: part.write_text("".join(lines)))


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
    """Let ``save`` write beside the file, then put that in its place."""
    path = folder / file
    part = path.with_name(f"part-{os.getpid()}-{path.name}")  # Keras looks at the ending
    save(part)
    os.replace(part, path)


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
