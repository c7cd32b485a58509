"""One run and its folder: every file in it, with its reader and its writer.

Workers write, pages read; pages write only its name, notes and what they ask of its worker: to
stop, to pause. The formats are JSON, CSV (append-only), NumPy and Keras, so that other tools read
them too.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import numpy as np
from msgspec import Meta

from digits.recipes.recipe import RUN_ID, Recipe
from digits.store import files
from digits.store.files import IMAGES, LABELS, PROBABILITIES, Amount, Count, Form, Share
from digits.store.status import UNFINISHED, Status

RECIPE = "recipe.json"
ABOUT = "about.json"  # name, preset, number, group and notes
STATUS = "status.json"
STOP = "stop"  # there while somebody has asked the run to stop
PAUSE = "pause.json"  # there while somebody has asked the run to pause
THINNED = "thinned.json"  # the epochs whose weights were removed to save disk space
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
PARENT = "parent"  # a folder, of a fork alone: what it needs of its parent
TEACHERS = "teachers"  # a folder, with one for each run that is a teacher of this one

FINAL = -1  # stands for a run's final model where an epoch is asked for; 0 is before the first
ID = re.compile(RUN_ID)
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
NAME_LENGTH = 80
NOTES_LENGTH = 2_000
MAP = Form("f", (None, 2))

Word = Annotated[str, Meta(pattern=r"^[\w ,-]{1,80}$")]
Positive = Annotated[int, Meta(ge=1, le=2**53)]


def new_id() -> str:
    """An id by the moment, in UTC, such as 20260131-093000-4f2a1c; they sort as they were made.

    The last six digits are a fraction of the second, then chance.
    """
    now = datetime.now(UTC)
    fraction = now.microsecond * 4096 // 1_000_000
    return f"{now:%Y%m%d-%H%M%S}-{fraction:03x}{secrets.randbelow(4096):03x}"


class About(TypedDict):
    """What a visitor calls a run, the preset that it is, "" for none, and its number, from 1.

    Runs that differ in their seed alone and were started together have the same ``group``.
    """

    name: str
    preset: str
    number: NotRequired[Count]  # older runs have none
    group: NotRequired[Annotated[str, Meta(pattern="^[0-9a-f]{6}$")]]
    notes: NotRequired[str]


class PauseRequest(TypedDict):
    """After which epoch, from 1, a run is to pause; 0 is at once."""

    after_epoch: Count


class Result(TypedDict):
    """A run's final metrics, as the command line prints them; see ``digits/worker/finish.py``."""

    run: str
    parameters: Count
    epochs: Count
    seconds: Amount
    cpu_seconds: Amount
    start_seconds: Amount
    publishing_seconds: Amount
    evaluation_seconds: Amount
    images_per_second: Amount | None  # none when it was stopped before its first epoch ended
    train_accuracy: Share | None
    val_accuracy: Share
    val_loss: Amount
    test_accuracy: Share
    test_loss: Amount
    test_images: Positive
    precision: Word


class RobustnessCurve(TypedDict):
    """Accuracy at each strength of a transform."""

    unit: Word
    strengths: list[float]
    accuracy: list[Share]
    per_digit: list[list[Share]]  # ten for each strength
    images: Positive


def one_line(text: str, length: int) -> str:
    """Text from elsewhere on one line, cut to a number of printable characters."""
    joiners = "\u200c\u200d"  # in emoji and in Persian; other invisible characters turn text around
    line = "".join(c for c in " ".join(text.split()) if c.isprintable() or c in joiners)
    return line if len(line) <= length else f"{line[: length - 1]}…"


def lines(text: str, length: int) -> str:
    """Text from elsewhere with its line breaks, cut to a number of printable characters."""
    return "\n".join(one_line(line, length) for line in text.splitlines())[:length].strip()


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
        """On one line, of ``NAME_LENGTH`` characters at most; the id for a run without any."""
        return self.about()["name"]

    @property
    def preset(self) -> str:
        return self.about()["preset"]

    @property
    def number(self) -> int:
        """Counts the runs of this folder from 1; 0 for a run that was made before they had one."""
        return self.about()["number"]

    @property
    def group(self) -> str:
        """The same for runs of several seeds that were started together; "" for a single run."""
        return self.about()["group"]

    @property
    def notes(self) -> str:
        """What visitors wrote about the run: lines of text, ``NOTES_LENGTH`` characters at most."""
        return self.about()["notes"]

    def about(self) -> About:
        """All of the above, read at once."""
        about = self._about()
        return About(
            name=one_line(about["name"], NAME_LENGTH) or self.id,
            preset=about["preset"],
            number=about.get("number", 0),
            group=about.get("group", ""),
            notes=lines(about.get("notes", ""), NOTES_LENGTH),
        )

    def _about(self) -> About:
        return files.read_json(self.folder, ABOUT, About)

    def write_about(self, name: str, preset: str, number: int, group: str = "") -> None:
        about = About(name=one_line(name, NAME_LENGTH), preset=preset, number=number)
        if group:
            about["group"] = group
        files.write_json(self.folder, ABOUT, about)

    def write_notes(self, text: str) -> None:
        """Raises ``ValueError`` where what is known about the run is damaged."""
        files.write_json(self.folder, ABOUT, self._about() | {"notes": lines(text, NOTES_LENGTH)})

    @property
    def created(self) -> datetime:
        try:
            return datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        except ValueError as error:
            raise ValueError(
                f"The folder of run {self.id} is damaged: its name is no date."
            ) from error

    @property
    def recipe(self) -> Recipe:
        content = files.read_bytes(self.folder, RECIPE)
        try:
            return Recipe.from_json(content.decode())
        except ValueError as error:
            raise ValueError(f"{RECIPE} of run {self.id} is damaged: {error!s:.200}") from error

    def write_recipe(self, recipe: Recipe) -> None:
        files.replace(self.folder, RECIPE, lambda path: path.write_text(recipe.to_json()))

    @property
    def status(self) -> Status:
        status: Status = files.read_json(self.folder, STATUS, Status)
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

    def gaps(self) -> list[str]:
        """A sentence for each file that lacks the metrics of epochs that the run has completed."""
        status = self.status
        steps = status.steps * status.epoch // max(1, status.epochs)
        expected = (
            (EPOCHS, self.epoch_metrics()["epoch"], status.epoch),
            (STEPS, self.step_metrics()["step"], steps),
        )
        rows = [(file, int((number <= done).sum()), done) for file, number, done in expected]
        return [
            f"{file} of run {self.id} has {there:,} of {done:,} rows: its curves have a gap."
            for file, there, done in rows
            if there < done
        ]

    def validation_sample(self) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """The validation digits of the live view, ``None`` before they were first predicted.

        Images (n, 28, 28) uint8, labels (n,) uint8, latest probabilities (n, 10) float16.
        """
        if not files.exists(self.folder, SAMPLE_PROBABILITIES):
            return None
        x = files.read_array(self.folder, SAMPLE_IMAGES, IMAGES)
        y = files.read_array(self.folder, SAMPLE_LABELS, LABELS)
        p = files.read_array(self.folder, SAMPLE_PROBABILITIES, PROBABILITIES)
        if not len(x) == len(y) == len(p):
            raise ValueError(f"{SAMPLE_IMAGES} of run {self.id} is damaged: it has other images.")
        return x, y, p

    def write_validation_sample(self, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> None:
        """Keep images and labels once, and the latest probabilities."""
        if not (self.folder / SAMPLE_IMAGES).exists():
            files.write_array(self.folder, SAMPLE_IMAGES, x)
            files.write_array(self.folder, SAMPLE_LABELS, y)
        files.write_array(self.folder, SAMPLE_PROBABILITIES, p)

    def result(self) -> Result | None:
        """The final metrics; ``None`` before the run has ended."""
        there = files.exists(self.folder, RESULT)
        return files.read_json(self.folder, RESULT, Result) if there else None

    def write_result(self, result: Mapping[str, Any]) -> None:
        files.write_json(self.folder, RESULT, result)

    def test_probabilities(self, epoch: int = FINAL) -> np.ndarray:
        """Probabilities (n, 10) of the test images after an epoch, from 1, or by the final model.

        float16 after an epoch, float32 by the final model.
        """
        return files.read_array(self.folder, test_probabilities_file(epoch), PROBABILITIES)

    def write_test_probabilities(self, p: np.ndarray, epoch: int = FINAL) -> None:
        files.write_array(self.folder, test_probabilities_file(epoch), p)

    def val_probabilities(self, epoch: int) -> np.ndarray:
        """Probabilities (n, 10) float16 of the validation images after an epoch, from 1."""
        return files.read_array(self.folder, val_probabilities_file(epoch), PROBABILITIES)

    def write_val_probabilities(self, p: np.ndarray, epoch: int) -> None:
        files.write_array(self.folder, val_probabilities_file(epoch), p)

    def probabilities_over_epochs(self, index: int) -> np.ndarray:
        """Probabilities of one test image after each of ``evaluated_epochs``: (epochs, 10)."""
        return self.all_test_probabilities()[:, index]

    def all_test_probabilities(self) -> np.ndarray:
        """Probabilities of the test images after each of ``evaluated_epochs``: (epochs, n, 10)."""
        evaluated, n = self.evaluated_epochs(), len(self.test_probabilities())
        probabilities = np.empty((len(evaluated), n, 10), np.float16)
        for place, epoch in enumerate(evaluated):
            p = self.test_probabilities(epoch)
            if len(p) != n:
                file = test_probabilities_file(epoch)
                raise ValueError(f"{file} of run {self.id} is damaged: it has other images.")
            probabilities[place] = p
        return probabilities

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
        return [epoch for epoch in epochs if files.is_plain(self.folder, file(epoch))]

    def weights_path(self, epoch: int) -> Path:
        """The weights after an epoch, from 1. Raises ``ValueError`` when they are not there."""
        if files.is_plain(self.folder, weights_file(epoch)):
            return self.folder / weights_file(epoch)
        why = "were removed to save disk space" if epoch in self.thinned_epochs() else "are missing"
        raise ValueError(f"The weights of epoch {epoch} of run {self.id} {why}.")

    def write_weights(self, save: Callable[[Path], Any], epoch: int) -> None:
        """Let ``save``, such as ``model.save_weights``, write the weights after an epoch."""
        (self.folder / weights_file(epoch)).parent.mkdir(exist_ok=True)
        files.replace(self.folder, weights_file(epoch), save)

    def remove_weights(self, epochs: Iterable[int]) -> None:
        """Remove the weights after these epochs, and note which they were."""
        files.write_json(self.folder, THINNED, sorted({*self.thinned_epochs(), *epochs}))
        for epoch in epochs:
            (self.folder / weights_file(epoch)).unlink(missing_ok=True)

    def thinned_epochs(self) -> list[int]:
        """The epochs, from 1, whose weights were removed to save disk space, in order."""
        if not files.exists(self.folder, THINNED):
            return []
        epochs: list[int] = files.read_json(self.folder, THINNED, list[Positive])
        return [n for n in epochs if not files.exists(self.folder, weights_file(n))]

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
    def has_model(self) -> bool:
        """Whether the final model is there."""
        return files.is_plain(self.folder, MODEL)

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
        there = files.exists(self.folder, file)
        return files.read_array(self.folder, file, MAP) if there else None

    def write_embedding_map(self, places: np.ndarray, method: Literal["pca", "tsne"]) -> None:
        files.write_array(self.folder, f"map_{method}.npy", places)

    @property
    def has_embeddings(self) -> bool:
        """Whether the embeddings are computed, so that neighbors and the PCA map come soon."""
        return files.is_plain(self.folder, EMBEDDINGS)

    def robustness(self) -> dict[str, RobustnessCurve] | None:
        """Accuracy on transformed test images by transform; ``None`` before the first is there."""
        if not files.exists(self.folder, ROBUSTNESS):
            return None
        curves = files.read_json(self.folder, ROBUSTNESS, dict[str, RobustnessCurve])
        for kind, curve in curves.items():
            points = len(curve["strengths"])
            digits = {len(accuracies) for accuracies in curve["per_digit"]}
            lengths = {len(curve["accuracy"]), len(curve["per_digit"])}
            if not points or lengths != {points} or digits != {10}:
                raise ValueError(f"{ROBUSTNESS} of run {self.id} is damaged: {kind!r:.40} is torn.")
        return curves

    def write_robustness(self, curves: Mapping[str, Any]) -> None:
        files.write_json(self.folder, ROBUSTNESS, curves)

    def job_progress(self, job: str) -> str | None:
        """The last message of a background job, ``None`` while none runs."""
        try:
            return files.read_json(self.folder, _progress(job), str)
        except ValueError:
            return None

    def write_job_progress(self, job: str, message: str) -> None:
        files.write_json(self.folder, _progress(job), message)

    def clear_job_progress(self, job: str) -> None:
        (self.folder / _progress(job)).unlink(missing_ok=True)

    def rename(self, name: str) -> None:
        """Raises ``ValueError`` when nothing is left of the name."""
        if not one_line(name, NAME_LENGTH):
            raise ValueError("A run needs a name.")
        files.write_json(self.folder, ABOUT, self._about() | {"name": one_line(name, NAME_LENGTH)})

    def delete(self, to: Path | None = None) -> None:
        """Remove the folder, also of a damaged run, or move it to another place.

        Raises ``ValueError`` while the run is queued or running, and where the folder cannot be
        removed.
        """
        try:
            busy = self.status.state in UNFINISHED
        except ValueError:
            busy = False
        if busy:
            raise ValueError("This run is still going. Stop it before you delete it.")
        try:
            files.remove(self.folder, to)
        except OSError as error:
            raise ValueError(f"Run {self.id} cannot be deleted: {error.strerror}.") from error

    def request_stop(self) -> None:
        """Ask the worker to end the run in good order at the next batches."""
        (self.folder / STOP).touch()

    @property
    def stop_requested(self) -> bool:
        return files.exists(self.folder, STOP)

    def request_pause(self, after_epoch: int | None = None) -> None:
        """Ask the worker to pause the run once it has completed that epoch, or else at once.

        A pause keeps the checkpoint and evaluates nothing, also after the last epoch where that one
        was named; ``Engine.submit`` resumes the run. At once is within some seconds: an epoch that
        would take longer is trained again.
        """
        files.write_json(self.folder, PAUSE, PauseRequest(after_epoch=after_epoch or 0))

    def pause_epoch(self) -> int | None:
        """After which epoch, from 1, the run is to pause; 0 is at once, ``None`` not at all."""
        if not files.exists(self.folder, PAUSE):
            return None
        request: PauseRequest = files.read_json(self.folder, PAUSE, PauseRequest)
        return request["after_epoch"]

    def clear_requests(self) -> None:
        """Forget what was asked of the run before, except for a pause after an epoch to come."""
        (self.folder / STOP).unlink(missing_ok=True)
        try:
            past = (self.pause_epoch() or 0) <= self.status.epoch
        except ValueError:
            past = True
        if past:
            (self.folder / PAUSE).unlink(missing_ok=True)


def _progress(job: str) -> str:
    return f"progress-{job}.json"
