"""The run folder: the one place where a training run lives, in files that other tools read.

``runs/<id>/`` holds ``recipe.json``, ``about.json`` (name, time), ``status.json``, ``steps.csv``,
``epochs.csv``, ``weights/`` and ``val_probabilities/`` (a file an epoch), ``result.json``,
``checkpoint-<epoch>.keras`` (with the state of the optimizer), ``test_probabilities.npy``,
``model.keras``, ``model.h5`` and ``test_probabilities/`` (a file an epoch). With a lesson come
``start.keras``, ``drawings.npz`` and ``lesson.npz``, as ``teaching`` tells. What is asked about a
finished run stays there too: ``features.npz``, ``map_pca.npy``, ``map_tsne.npy`` and
``sturdiness.json``, with ``working-<what>.json`` while it is being made. Workers write; pages only
read, but for ``about.json`` and the wish ``stop``.
"""

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from digits.recipes.recipe import Recipe
from digits.store.status import UNFINISHED, Owner, Status

ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
STEP_COLUMNS = ("step", "loss", "accuracy")
EPOCH_COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
    "seconds",
    "cpu_seconds",
)
RESULT_FIELDS = (
    "run",
    "parameters",
    "epochs",
    "seconds",
    "cpu_seconds",
    "start_seconds",
    "publishing_seconds",
    "evaluation_seconds",
    "images_per_second",
    "train_accuracy",
    "val_accuracy",
    "val_loss",
    "test_accuracy",
    "test_loss",
    "test_images",
    "precision",
)
ROBUSTNESS_FIELDS = ("unit", "strengths", "accuracy", "per_digit", "images")


@dataclass(frozen=True)
class Run:
    """One training run, read from its folder each time that it is asked.

    Every reader raises ``ValueError``, with one sentence that names the file, when the file is
    missing, torn or not what it should be.
    """

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def name(self) -> str:
        return str(self._json("about.json", "name"))

    @property
    def preset(self) -> str:
        return str(self._json("about.json", "preset"))

    @property
    def created(self) -> datetime:
        return datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    @property
    def recipe(self) -> Recipe:
        try:
            return Recipe.from_json(self._text("recipe.json"))
        except ValueError as error:
            raise ValueError(f"recipe.json of run {self.id} cannot be read: {error}") from error

    @property
    def status(self) -> Status:
        fields = self._json("status.json")
        try:
            owner = fields.pop("owner", None)
            status = Status(**fields, owner=Owner(**owner) if owner else None)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"status.json of run {self.id} is damaged: {error}.") from error
        if status.state in UNFINISHED and status.owner and not status.owner.alive():
            where = f"after epoch {status.epoch}" if status.epoch else "before its first epoch"
            return replace(status, state="interrupted", message=f"Interrupted {where}.")
        return status

    def file_stamps(self, *files: str) -> tuple[int, ...]:
        """When and to what size each file last changed: while it is the same, so are they."""
        stamps = []
        for file in files:
            try:
                stat = os.stat(self.folder / file)
                stamps += [stat.st_mtime_ns, stat.st_size]
            except FileNotFoundError:
                stamps += [0, 0]
        return tuple(stamps)

    def step_metrics(self) -> dict[str, np.ndarray]:
        """Loss (nats) and accuracy of each training batch: three (steps,) float64 arrays."""
        return self._csv("steps.csv", STEP_COLUMNS)

    def epoch_metrics(self) -> dict[str, np.ndarray]:
        """What each epoch came to, training and validation: (epochs,) float64 arrays."""
        return self._csv("epochs.csv", EPOCH_COLUMNS)

    def validation_sample(self) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """The validation digits that the live view follows, ``None`` before the first look.

        Images (n, 28, 28) uint8, labels (n,) uint8, latest probabilities (n, 10) float16.
        """
        if not (self.folder / "watched_probabilities.npy").exists():
            return None
        images, labels = self._npy("watched_images.npy"), self._npy("watched_labels.npy")
        return images, labels, self._npy("watched_probabilities.npy")

    def result(self) -> dict[str, Any] | None:
        """What the run reached, as the command line prints it; ``None`` while it has no end."""
        if not (self.folder / "result.json").exists():
            return None
        result = self._json("result.json")
        if not isinstance(result, dict) or not set(RESULT_FIELDS) <= set(result):
            raise ValueError(f"result.json of run {self.id} is damaged.")
        return result

    def probabilities(self) -> np.ndarray:
        """What the final model says of the test images: (n, 10) float32, rows sum to 1."""
        array = self._npy("test_probabilities.npy")
        if array.ndim != 2 or array.shape[1] != 10:
            raise ValueError(f"test_probabilities.npy of run {self.id} has shape {array.shape}.")
        return array

    def final_epoch(self) -> int:
        """The epoch, from 1, whose network became the final model; 0 when that is none's.

        So it is with a run that was stopped in the middle of an epoch.
        """
        tested, val_loss = self.evaluated_epochs(), self.epoch_metrics()["val_loss"]
        if not tested:
            return 0
        epoch = int(np.argmin(val_loss)) + 1 if self.recipe.patience else tested[-1]
        same = epoch in tested and np.array_equal(
            self.test_probabilities(epoch), self.probabilities().astype(np.float16)
        )
        return epoch if same else 0

    def probabilities_over_epochs(self, index: int) -> np.ndarray:
        """What the networks of ``evaluated_epochs`` say of one test image: (epochs, 10) float16."""
        return np.stack(
            [self.test_probabilities(epoch)[index] for epoch in self.evaluated_epochs()]
        )

    def saved_epochs(self) -> list[int]:
        """The epochs, counted from 1, of which the weights are kept, in order."""
        epochs = range(1, len(self.epoch_metrics()["epoch"]) + 1)
        return [epoch for epoch in epochs if (self.folder / _weights(epoch)).exists()]

    def evaluated_epochs(self) -> list[int]:
        """The epochs whose network has read the test images, in order."""
        epochs = range(1, len(self.epoch_metrics()["epoch"]) + 1)
        return [epoch for epoch in epochs if (self.folder / _test_probabilities(epoch)).exists()]

    def test_probabilities(self, epoch: int) -> np.ndarray:
        """What the network of that epoch, from 1, says of the test images: (n, 10) float16."""
        return self._npy(_test_probabilities(epoch))

    def val_probabilities(self, epoch: int) -> np.ndarray:
        """What the network of that epoch, from 1, says of the validation images: as above."""
        return self._npy(f"val_probabilities/{epoch:04}.npy")

    def embedding_map(self, method: str) -> np.ndarray | None:
        """Where the test images lie on a "pca" or "tsne" map; ``None`` before it is made.

        (n, 2) float32. The nearer two images, the more alike the network finds them.
        """
        file = f"map_{method}.npy"
        return self._npy(file) if (self.folder / file).exists() else None

    @property
    def has_embeddings(self) -> bool:
        """Whether its network has looked at every digit: neighbours and the map then come soon."""
        return (self.folder / "features.npz").exists()

    def robustness(self) -> dict[str, Any] | None:
        """Accuracy on transformed test images, by what was done to them; ``None`` before that.

        For each kind that is done: ``unit``; ``strengths``, a list; ``accuracy``, one for each
        strength; ``per_digit``, ten for each strength; ``images``, how many were read.
        """
        if not (self.folder / "sturdiness.json").exists():
            return None
        curves = self._json("sturdiness.json")
        try:
            whole = not [
                curve for curve in curves.values() if not set(ROBUSTNESS_FIELDS) <= set(curve)
            ]
        except (AttributeError, TypeError):
            whole = False
        if not whole:
            raise ValueError(f"sturdiness.json of run {self.id} is damaged.")
        return curves

    def job_progress(self, what: str) -> str | None:
        """What the worker last said that is making this, ``None`` while none is."""
        try:
            return str(self._json(f"working-{what}.json"))
        except ValueError:
            return None

    def clear_job_progress(self, what: str) -> None:
        (self.folder / f"working-{what}.json").unlink(missing_ok=True)

    def weights_path(self, epoch: int) -> Path:
        """The weights after that epoch, from 1. Raises ``ValueError`` when they are not kept."""
        path = self.folder / _weights(epoch)
        if not path.exists():
            raise ValueError(f"The weights of epoch {epoch} of run {self.id} are not kept.")
        return path

    @property
    def model_path(self) -> Path:
        return self.folder / "model.keras"

    def rename(self, name: str) -> None:
        """Raises ``ValueError`` when nothing is left of the name."""
        name = " ".join(name.split())[:80]
        if not name:
            raise ValueError("A run needs a name.")
        self.write("about.json", {**self._json("about.json"), "name": name})

    def delete(self) -> None:
        """Remove the folder. Raises ``ValueError`` while the run is queued or running."""
        try:
            busy = self.status.state in UNFINISHED
        except ValueError:
            busy = False  # a damaged run can always be thrown away
        if busy:
            raise ValueError("This run is still going. Stop it before you delete it.")
        # Out of the way first: what a worker writes then fails, and does not hold up the removal.
        shutil.rmtree(self.folder.rename(self.folder.with_name(f"deleted-{self.id}")))

    def request_stop(self) -> None:
        """Leave the wish; the worker ends the run in good order at its next look."""
        (self.folder / "stop").touch()

    @property
    def stop_requested(self) -> bool:
        return (self.folder / "stop").exists()

    def clear_stop_request(self) -> None:
        (self.folder / "stop").unlink(missing_ok=True)

    def write(self, file: str, content: Any) -> None:
        """Replace a JSON file in one piece, so that no reader ever sees half of it."""
        self.replace(file, lambda path: path.write_text(json.dumps(content, indent=1)))

    def write_status(self, status: Status) -> None:
        self.write("status.json", asdict(status))

    def replace(self, file: str, save: Any) -> Path:
        """Let ``save`` write beside the file, then put that in its place; returns the path."""
        path = self.folder / file
        part = path.with_name(f"part-{os.getpid()}-{path.name}")  # keeps the ending: Keras looks
        save(part)
        os.replace(part, path)
        return path

    def append(self, file: str, columns: tuple[str, ...], rows: Iterable[Iterable[float]]) -> None:
        """Add rows to a CSV file in a single write; a new file gets its header first."""
        path = self.folder / file
        header = "" if path.exists() else ",".join(columns) + "\n"
        lines = "".join(",".join(f"{value:.7g}" for value in row) + "\n" for row in rows)
        with path.open("a") as out:
            out.write(header + lines)

    def truncate(self, file: str, rows: int) -> None:
        """Keep the header and the first ``rows`` rows of a CSV file."""
        path = self.folder / file
        if path.exists():
            kept = path.read_text().splitlines(keepends=True)[: rows + 1]
            self.replace(file, lambda part: part.write_text("".join(kept)))

    def checkpoint(self) -> tuple[int, Path] | None:
        """The latest checkpoint and the number of epochs in it, ``None`` when there is none."""
        found = sorted(self.folder.glob("checkpoint-*.keras"))
        return (int(found[-1].stem.split("-")[1]), found[-1]) if found else None

    def _text(self, file: str) -> str:
        try:
            return (self.folder / file).read_text()
        except FileNotFoundError as error:
            raise ValueError(f"{file} of run {self.id} is missing.") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{file} of run {self.id} cannot be read: {error}.") from error

    def _json(self, file: str, field: str | None = None) -> Any:
        try:
            content = json.loads(self._text(file))
            return content[field] if field else content
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{file} of run {self.id} is damaged.") from error

    def _csv(self, file: str, columns: tuple[str, ...]) -> dict[str, np.ndarray]:
        if not (self.folder / file).exists():
            return {column: np.empty(0) for column in columns}
        text = self._text(file)
        body = text[: text.rfind("\n") + 1].partition("\n")[2]  # a last line may be half written
        try:
            values = np.array(body.replace("\n", ",").split(",")[:-1], dtype=float)
            table = values.reshape(-1, len(columns))
        except ValueError as error:
            raise ValueError(f"{file} of run {self.id} is damaged.") from error
        return {column: table[:, index] for index, column in enumerate(columns)}

    def _npy(self, file: str) -> np.ndarray:
        try:
            return np.load(self.folder / file, allow_pickle=False)
        except FileNotFoundError as error:
            raise ValueError(f"{file} of run {self.id} is missing.") from error
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"{file} of run {self.id} is damaged.") from error


def _weights(epoch: int) -> str:
    return f"weights/{epoch:04}.weights.h5"


def _test_probabilities(epoch: int) -> str:
    return f"test_probabilities/{epoch:04}.npy"


def root() -> Path:
    """The folder of all runs: ``$DIGITS_RUNS``, else ``runs`` where the app was started."""
    return Path(os.environ.get("DIGITS_RUNS", "runs")).resolve()


def create(recipe: Recipe, name: str, preset: str = "") -> Run:
    """A new folder with the recipe in it, not yet queued."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = root() / f"{moment}-{secrets.token_hex(3)}"
    for part in ("weights", "val_probabilities"):
        (folder / part).mkdir(parents=True)
    run = Run(folder)
    (folder / "recipe.json").write_text(recipe.to_json())
    run.write("about.json", {"name": name, "preset": preset})
    run.write_status(Status("interrupted", epochs=recipe.epochs, message="Not queued yet."))
    return run


def open(id: str) -> Run:
    """The run of that id. Raises ``ValueError`` for what is no id, ``LookupError`` if none is."""
    if not ID.fullmatch(id):
        raise ValueError("The link names no run: a run's id looks like 20260131-093000-4f2a1c.")
    folder = root() / id
    if not folder.is_dir():
        raise LookupError(f"There is no run {id} any more; it may have been deleted.")
    return Run(folder)


def all() -> list[Run]:
    """Every run, newest first; each may still turn out to be damaged when it is read."""
    if not root().is_dir():
        return []
    return [
        Run(folder)
        for folder in sorted(root().iterdir(), reverse=True)
        if ID.fullmatch(folder.name)
    ]


def search(words: str) -> list[Run]:
    """The runs in whose state, name and recipe every one of the words occurs, newest first."""
    wanted = words.lower().split()
    return [one for one in all() if not wanted or _matches(one, wanted)]


def _matches(one: Run, wanted: list[str]) -> bool:
    try:
        text = f"{one.status.state} {one.name} {_recipe_in_words(one)}".lower()
    except ValueError:
        text = f"damaged {one.id}"
    return not [word for word in wanted if word not in text]


@lru_cache(maxsize=5_000)  # a recipe is never written again
def _recipe_in_words(one: Run) -> str:
    return str(one.recipe)


def queue() -> list[Run]:
    """The runs that train or wait for it, in the order in which they are served."""
    waiting = []
    for run in all():
        try:
            status = run.status
        except ValueError:
            continue
        if status.state in UNFINISHED:
            waiting.append((status.state != "running", status.since, run))
    return [run for *_, run in sorted(waiting, key=lambda entry: entry[:2])]
