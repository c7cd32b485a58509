"""One run and its folder: every file in it, with its reader and its writer.

Workers write, pages read; pages write only a run's name and the request to stop. The formats are
JSON, CSV (append-only), NumPy and Keras, so that other tools read them too.
"""

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from digits.recipes.recipe import Recipe
from digits.store import files
from digits.store.status import UNFINISHED, Owner, Status

RECIPE = "recipe.json"
ABOUT = "about.json"  # name and preset
STATUS = "status.json"
STOP = "stop"  # there while somebody has asked the run to stop
STEPS = "steps.csv"  # a row a batch
EPOCHS = "epochs.csv"  # a row an epoch
SAMPLE_IMAGES = "sample_images.npy"  # the validation digits of the live view
SAMPLE_LABELS = "sample_labels.npy"
SAMPLE_PROBABILITIES = "sample_probabilities.npy"
RESULT = "result.json"
MODEL = "model.keras"
MODEL_H5 = "model.h5"
TEST_PROBABILITIES = "test_probabilities.npy"  # by the final model; a folder holds each epoch's
ROBUSTNESS = "robustness.json"
EMBEDDINGS = "embeddings.npz"

FINAL = -1  # stands for a run's final model where an epoch is asked for; 0 is before the first
ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
CHECKPOINT = re.compile(r"checkpoint-([0-9]+)\.keras")
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


def weights_file(epoch: int) -> str:
    """The weights after an epoch, from 1."""
    return f"weights/{epoch:04}.weights.h5"


def test_probabilities_file(epoch: int) -> str:
    """The test probabilities after an epoch, from 1, or those of the ``FINAL`` model."""
    return TEST_PROBABILITIES if epoch == FINAL else f"test_probabilities/{epoch:04}.npy"


def val_probabilities_file(epoch: int) -> str:
    """The validation probabilities after an epoch, from 1."""
    return f"val_probabilities/{epoch:04}.npy"


@dataclass(frozen=True)
class Run:
    """One training run, read from its folder each time it is asked.

    Every reader raises ``ValueError``, with one sentence that names the file, when the file is
    missing, torn or not what it should be.
    """

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def name(self) -> str:
        return str(files.read_json(self.folder, ABOUT, "name"))

    @property
    def preset(self) -> str:
        return str(files.read_json(self.folder, ABOUT, "preset"))

    @property
    def created(self) -> datetime:
        return datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    @property
    def recipe(self) -> Recipe:
        try:
            return Recipe.from_json(files.read_text(self.folder, RECIPE))
        except ValueError as error:
            raise ValueError(f"{RECIPE} of run {self.id} cannot be read: {error}") from error

    def write_recipe(self, recipe: Recipe) -> None:
        files.replace(self.folder, RECIPE, lambda path: path.write_text(recipe.to_json()))

    @property
    def status(self) -> Status:
        fields = files.read_json(self.folder, STATUS)
        try:
            owner = fields.pop("owner", None)
            status = Status(**fields, owner=Owner(**owner) if owner else None)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"{STATUS} of run {self.id} is damaged: {error}.") from error
        if status.state in UNFINISHED and status.owner and not status.owner.alive():
            where = f"after epoch {status.epoch}" if status.epoch else "before its first epoch"
            return replace(status, state="interrupted", message=f"Interrupted {where}.")
        return status

    def write_status(self, status: Status) -> None:
        """On a full disk too, so that no run is said to be running for ever."""
        try:
            files.write_json(self.folder, STATUS, asdict(status))
        except OSError:
            files.overwrite_json(self.folder, STATUS, asdict(status))

    def file_stamps(self, *names: str) -> tuple[int, ...]:
        """Time of the last change and size of these files: a cache key for what is read there."""
        return files.stamps(self.folder, names)

    def step_metrics(self) -> dict[str, np.ndarray]:
        """Loss (nats) and accuracy of each training batch: three (steps,) float64 arrays."""
        return files.read_csv(self.folder, STEPS, STEP_COLUMNS)

    def append_steps(self, rows: Iterable[Iterable[float]]) -> None:
        """Add rows of ``STEP_COLUMNS``."""
        files.append_csv(self.folder, STEPS, STEP_COLUMNS, rows)

    def epoch_metrics(self) -> dict[str, np.ndarray]:
        """Training and validation metrics of each epoch: (epochs,) float64 arrays."""
        return files.read_csv(self.folder, EPOCHS, EPOCH_COLUMNS)

    def append_epochs(self, rows: Iterable[Iterable[float]]) -> None:
        """Add rows of ``EPOCH_COLUMNS``."""
        files.append_csv(self.folder, EPOCHS, EPOCH_COLUMNS, rows)

    def truncate_metrics(self, epoch: int, step: int) -> list[str]:
        """Drop what was written after this epoch and this step; returns the files with gaps."""
        missing = {
            EPOCHS: files.truncate_csv(self.folder, EPOCHS, EPOCH_COLUMNS, epoch),
            STEPS: files.truncate_csv(self.folder, STEPS, STEP_COLUMNS, step),
        }
        return [file for file, rows in missing.items() if rows]

    def validation_sample(self) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """The validation digits of the live view, ``None`` before they were first predicted.

        Images (n, 28, 28) uint8, labels (n,) uint8, latest probabilities (n, 10) float16.
        """
        if not (self.folder / SAMPLE_PROBABILITIES).exists():
            return None
        x, y, p = (
            files.read_array(self.folder, file)
            for file in (SAMPLE_IMAGES, SAMPLE_LABELS, SAMPLE_PROBABILITIES)
        )
        return x, y, p

    def write_validation_sample(self, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> None:
        """Keep images and labels once, and the latest probabilities."""
        if not (self.folder / SAMPLE_IMAGES).exists():
            files.write_array(self.folder, SAMPLE_IMAGES, x)
            files.write_array(self.folder, SAMPLE_LABELS, y)
        files.write_array(self.folder, SAMPLE_PROBABILITIES, p)

    def result(self) -> dict[str, Any] | None:
        """The final metrics, as the command line prints them; ``None`` before the run has ended."""
        if not (self.folder / RESULT).exists():
            return None
        result = files.read_json(self.folder, RESULT)
        if not isinstance(result, dict) or not set(RESULT_FIELDS) <= set(result):
            raise ValueError(f"{RESULT} of run {self.id} is damaged.")
        return result

    def write_result(self, result: dict[str, Any]) -> None:
        files.write_json(self.folder, RESULT, result)

    def test_probabilities(self, epoch: int = FINAL) -> np.ndarray:
        """Probabilities (n, 10) of the test images after an epoch, from 1, or by the final model.

        float16 after an epoch, float32 by the final model.
        """
        file = test_probabilities_file(epoch)
        p = files.read_array(self.folder, file)
        if p.ndim != 2 or p.shape[1] != 10:
            raise ValueError(f"{file} of run {self.id} has shape {p.shape}.")
        return p

    def write_test_probabilities(self, p: np.ndarray, epoch: int = FINAL) -> None:
        files.write_array(self.folder, test_probabilities_file(epoch), p)

    def val_probabilities(self, epoch: int) -> np.ndarray:
        """Probabilities (n, 10) float16 of the validation images after an epoch, from 1."""
        return files.read_array(self.folder, val_probabilities_file(epoch))

    def write_val_probabilities(self, p: np.ndarray, epoch: int) -> None:
        files.write_array(self.folder, val_probabilities_file(epoch), p)

    def probabilities_over_epochs(self, index: int) -> np.ndarray:
        """Probabilities of one test image after each of ``evaluated_epochs``: (epochs, 10)."""
        return np.stack(
            [self.test_probabilities(epoch)[index] for epoch in self.evaluated_epochs()]
        )

    def final_epoch(self) -> int:
        """The epoch, from 1, whose network became the final model; ``FINAL`` when none did.

        None did when the run was stopped in the middle of an epoch.
        """
        evaluated = self.evaluated_epochs()
        if not evaluated:
            return FINAL
        epoch = self.best_epoch() if self.recipe.patience else evaluated[-1]
        same = epoch in evaluated and np.array_equal(
            self.test_probabilities(epoch), self.test_probabilities().astype(np.float16)
        )
        return epoch if same else FINAL

    def best_epoch(self) -> int:
        """The epoch, from 1, of the lowest validation loss. Raises ``ValueError`` before any."""
        metrics = self.epoch_metrics()
        return int(metrics["epoch"][np.argmin(metrics["val_loss"])])

    def saved_epochs(self) -> list[int]:
        """The epochs, from 1, whose weights are there, in order."""
        return self._epochs_with(weights_file)

    def evaluated_epochs(self) -> list[int]:
        """The epochs, from 1, whose test probabilities are there, in order."""
        return self._epochs_with(test_probabilities_file)

    def _epochs_with(self, file: Callable[[int], str]) -> list[int]:
        epochs = self.epoch_metrics()["epoch"].astype(int).tolist()
        return [epoch for epoch in epochs if (self.folder / file(epoch)).exists()]

    def weights_path(self, epoch: int) -> Path:
        """The weights after an epoch, from 1. Raises ``ValueError`` when they are not there."""
        path = self.folder / weights_file(epoch)
        if not path.exists():
            raise ValueError(f"The weights of epoch {epoch} of run {self.id} are missing.")
        return path

    def write_weights(self, save: Callable[[Path], Any], epoch: int) -> None:
        """Let ``save``, such as ``model.save_weights``, write the weights after an epoch."""
        (self.folder / weights_file(epoch)).parent.mkdir(exist_ok=True)
        files.replace(self.folder, weights_file(epoch), save)

    def checkpoints(self) -> list[tuple[int, Path]]:
        """The epochs done in each checkpoint, and its file; the latest first."""
        found = ((CHECKPOINT.fullmatch(path.name), path) for path in self.folder.iterdir())
        return sorted(((int(name[1]), path) for name, path in found if name), reverse=True)

    def write_checkpoint(self, save: Callable[[Path], Any], epoch: int) -> None:
        """Keep a checkpoint, with the optimizer's state, and the one before, should it be torn."""
        files.replace(self.folder, f"checkpoint-{epoch:04}.keras", save)
        for other, path in self.checkpoints():
            if other not in (epoch - 1, epoch):
                path.unlink()

    @property
    def model_path(self) -> Path:
        return self.folder / MODEL

    @property
    def h5_path(self) -> Path:
        return self.folder / MODEL_H5

    def write_model(self, save: Callable[[Path], Any]) -> None:
        """Let ``save`` write the final model, as ``.keras`` and as ``.h5``."""
        for file in (MODEL, MODEL_H5):
            files.replace(self.folder, file, save)

    def embedding_map(self, method: Literal["pca", "tsne"]) -> np.ndarray | None:
        """Coordinates (n, 2) float32 of the test images; ``None`` before they are computed.

        The nearer two images are, the more similar they are to the final model.
        """
        file = f"map_{method}.npy"
        return files.read_array(self.folder, file) if (self.folder / file).exists() else None

    def write_embedding_map(self, places: np.ndarray, method: Literal["pca", "tsne"]) -> None:
        files.write_array(self.folder, f"map_{method}.npy", places)

    @property
    def has_embeddings(self) -> bool:
        """Whether the embeddings are computed, so that neighbors and the PCA map come soon."""
        return (self.folder / EMBEDDINGS).exists()

    def robustness(self) -> dict[str, Any] | None:
        """Accuracy on transformed test images by transform; ``None`` before the first is there.

        Each has ``unit``; ``strengths``, a list; ``accuracy``, one for each strength;
        ``per_digit``, ten for each strength; ``images``, their number.
        """
        if not (self.folder / ROBUSTNESS).exists():
            return None
        curves = files.read_json(self.folder, ROBUSTNESS)
        try:
            complete = all(set(ROBUSTNESS_FIELDS) <= set(curve) for curve in curves.values())
        except (AttributeError, TypeError):
            complete = False
        if not complete:
            raise ValueError(f"{ROBUSTNESS} of run {self.id} is damaged.")
        return curves

    def write_robustness(self, curves: dict[str, Any]) -> None:
        files.write_json(self.folder, ROBUSTNESS, curves)

    def job_progress(self, job: str) -> str | None:
        """The last message of a background job, ``None`` while none runs."""
        try:
            return str(files.read_json(self.folder, _progress(job)))
        except ValueError:
            return None

    def write_job_progress(self, job: str, message: str) -> None:
        files.write_json(self.folder, _progress(job), message)

    def clear_job_progress(self, job: str) -> None:
        (self.folder / _progress(job)).unlink(missing_ok=True)

    def rename(self, name: str) -> None:
        """Raises ``ValueError`` when nothing is left of the name."""
        name = " ".join(name.split())[:80]
        if not name:
            raise ValueError("A run needs a name.")
        files.write_json(self.folder, ABOUT, {**files.read_json(self.folder, ABOUT), "name": name})

    def delete(self) -> None:
        """Remove the folder. Raises ``ValueError`` while the run is queued or running."""
        try:
            busy = self.status.state in UNFINISHED
        except ValueError:
            busy = False  # a damaged run can always be deleted
        if busy:
            raise ValueError("This run is still going. Stop it before you delete it.")
        # Renamed first: what a worker writes then fails, and does not hold up the removal.
        shutil.rmtree(self.folder.rename(self.folder.with_name(f"deleted-{self.id}")))

    def request_stop(self) -> None:
        """Ask the worker to end the run in good order at the next batches."""
        (self.folder / STOP).touch()

    @property
    def stop_requested(self) -> bool:
        return (self.folder / STOP).exists()

    def clear_stop_request(self) -> None:
        (self.folder / STOP).unlink(missing_ok=True)


def _progress(job: str) -> str:
    return f"progress-{job}.json"
