"""All runs: created, opened, listed, searched, and in the order of the queue."""

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from digits.recipes.layers import layers
from digits.recipes.recipe import VALIDATION, Recipe
from digits.store import files, teachers, trash
from digits.store.run_folder import ID, PARENT, About, Result, Run, new_id
from digits.store.status import DONE, UNFINISHED, Status

__all__ = [
    "Run",
    "all",
    "check_space",
    "children",
    "create",
    "create_seeds",
    "done",
    "finished",
    "open",
    "queue",
    "root",
    "search",
    "summary",
]

MAX_AGE = 0.5  # seconds for which one look at the folders serves all visitors
NUMBERS = 100  # of the newest runs that are looked at for the next number
AGAIN = (*UNFINISHED, "damaged")  # states of a run that is read at every look
SETTLED = 2 * 10**9  # nanoseconds: a folder may change twice within one time stamp, not for so long
EPOCH_BYTES = 2**20  # of probabilities, curves and the rest that an epoch leaves, or less
WEIGHTS_AT_ONCE = 12  # three checkpoints of three times the weights, while one is written; models


def root() -> Path:
    """The folder of all runs: ``$DIGITS_RUNS``, else ``runs`` where the app was started."""
    return Path(os.path.abspath(os.environ.get("DIGITS_RUNS", "runs")))


def check_space(folder: Path, recipe: Recipe, epochs: int) -> None:
    """Raise ``OSError`` when the disk lacks room for ``epochs`` more and the final model.

    Deleted runs make room for good first.
    """
    weights = 4 * sum(layer.parameters for layer in layers(recipe))  # bytes
    needed = epochs * (weights + EPOCH_BYTES) + WEIGHTS_AT_ONCE * weights
    free = shutil.disk_usage(folder).free
    if free < needed:
        trash.empty(root())
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"The disk is full: the run needs {needed / 1e6:,.1f} MB more, and {free / 1e6:,.1f} "
            "MB are free. Delete runs that you no longer need."
        )


def create(
    recipe: Recipe,
    name: str,
    preset: str = "",
    group: str = "",
    fill: Callable[[Path], None] = lambda folder: None,
) -> Run:
    """A new folder with the recipe in it, not yet queued.

    ``fill`` writes there what else the run starts from; where it fails, no run is left. Raises
    ``OSError`` when the disk lacks room for the run, and ``ValueError`` when its network cannot be
    built or a teacher is not there.
    """
    root().mkdir(parents=True, exist_ok=True)
    check_space(root(), recipe, recipe.epochs)
    run = Run(root() / new_id())
    run.folder.mkdir()
    run.write_recipe(recipe)
    with _numbering:
        run.write_about(name, preset, _next_number(), group)
    run.write_status(Status("interrupted", epochs=recipe.epochs, message="Not queued yet."))
    try:
        fill(run.folder)
        teachers.keep(recipe, run.folder, root())
        teachers.teachers(recipe, root(), run)  # raises where one is not there
    except (OSError, ValueError):
        run.delete()
        raise
    return run


def create_seeds(recipe: Recipe, name: str, preset: str, count: int) -> list[Run]:
    """Runs that differ in nothing but their seed, and are of one group; not yet queued.

    A single one is an ordinary run. Raises as ``create`` does.
    """
    if count == 1:
        return [create(recipe, name, preset)]
    seeds = range(recipe.seed, recipe.seed + count)
    recipes = {f"seed {seed}": replace(recipe, seed=seed) for seed in seeds}
    return _create_group(recipes, name, preset)


def create_folds(recipe: Recipe, name: str, preset: str) -> list[Run]:
    """Runs that differ in nothing but their validation images, one for each fold; not yet queued.

    Raises as ``create`` does.
    """
    recipes = [replace(recipe, validation=fold) for fold in VALIDATION[1:]]
    return _create_group({str(one.split): one for one in recipes}, name, preset)


def _create_group(recipes: dict[str, Recipe], name: str, preset: str) -> list[Run]:
    """Runs of one group, by what distinguishes them."""
    group = secrets.token_hex(3)
    return [
        create(recipe, f"{name} × {len(recipes)} · {what}", preset, group)
        for what, recipe in recipes.items()
    ]


def _next_number() -> int:
    """One more than the newest runs have, for the order of those of one second is chance."""
    numbers = (one.number for one in _look(whole=True).summaries.values() if one.number)
    return 1 + max(islice(numbers, NUMBERS), default=0)


def open(id: str) -> Run:
    """The run of that id. Raises ``ValueError`` for what is no id, ``LookupError`` if none is."""
    if not ID.fullmatch(id):
        raise ValueError("The link names no run: a run's id looks like 20260131-093000-4f2a1c.")
    if not os.path.lexists(root() / id):
        raise LookupError(f"There is no run {id}; it may have been deleted.")
    return Run(root() / id)


@dataclass(frozen=True)
class Summary:
    """What lists tell of a run: read once for all visitors, and again when its folder changes.

    The folder changes whenever one of its files is replaced, which is how they are written.
    """

    run: Run
    changed: int  # time stamp of the folder, in nanoseconds
    settled: bool  # whether it could not have changed since without another time stamp

    @cached_property
    def state(self) -> str:
        """That of the run's status, or "damaged"."""
        return self._status.state if self._status else "damaged"

    @property
    def is_trained(self) -> bool:
        """Whether its last epoch is completed."""
        return bool(self._status and self._status.is_trained)

    @property
    def since(self) -> str:
        """When it was queued: ISO, UTC."""
        return self._status.since if self._status else ""

    @cached_property
    def _status(self) -> Status | None:
        try:
            return self.run.status
        except ValueError:
            return None

    @cached_property
    def _about(self) -> About | None:
        try:
            return self.run.about()
        except ValueError:
            return None

    @property
    def name(self) -> str:
        """That of the run, or its id where the name is damaged."""
        return self._about["name"] if self._about else self.run.id

    @property
    def label(self) -> str:
        """Number and name."""
        return f"{self.number} {self.name}" if self.number else self.name

    @property
    def preset(self) -> str:
        """That of the run, "" where it has none or is damaged."""
        return self._about["preset"] if self._about else ""

    @property
    def group(self) -> str:
        """That of the run, "" where it has none or is damaged."""
        return self._about["group"] if self._about else ""

    @property
    def number(self) -> int:
        """That of the run, 0 where it has none or is damaged."""
        return self._about["number"] if self._about else 0

    @cached_property
    def result(self) -> Result | None:
        """``None`` for a run without a result, or with a damaged one."""
        try:
            return self.run.result()
        except ValueError:
            return None

    @property
    def test_accuracy(self) -> float | None:
        """That of the result."""
        return self.result["test_accuracy"] if self.result else None

    @cached_property
    def parent(self) -> str:
        """The id of the run that it was forked from, "" for no fork or a damaged one."""
        if not os.path.lexists(self.run.folder / PARENT):
            return ""  # the recipe of a run that starts anew need not be read
        try:
            fork = self.run.recipe.fork
        except ValueError:
            return ""
        return fork.parent_run if fork else ""

    @cached_property
    def text(self) -> str:
        """State, number, name, recipe in words and notes, to search in."""
        about = self._about
        try:
            recipe = self.run.recipe
        except ValueError:
            about = None
        if not about:
            return f"damaged {self.run.id}"
        words = self.state, about["number"], about["name"], recipe, about["notes"]
        return " ".join(map(str, words)).lower()


@dataclass(frozen=True)
class _Look:
    """All runs as they were at a moment, newest first."""

    root: Path
    moment: float  # in seconds of a monotonic clock
    writes: int  # of this process before
    whole: bool  # whether finished runs were looked at, whose state is final but whose name is not
    changed: int  # time stamp of the folder, in nanoseconds; 0 when it could change within that
    summaries: dict[str, Summary]

    @cached_property
    def queue(self) -> list[Run]:
        waiting = [one for one in self.summaries.values() if one.state in UNFINISHED]
        waiting.sort(key=lambda one: (one.state != "running", one.since))
        return [one.run for one in waiting]

    @cached_property
    def children(self) -> dict[str, list[Run]]:
        forked: dict[str, list[Run]] = {}
        for one in self.summaries.values():
            if one.parent:
                forked.setdefault(one.parent, []).append(one.run)
        return forked


_lock = threading.Lock()
_numbering = threading.Lock()
_last = _Look(Path(), 0.0, -1, False, 0, {})


def _look(*, whole: bool = False) -> _Look:
    """The last look at all runs, or a new one after half a second or a write by this process."""
    global _last
    with _lock:
        last, moment, writes, folder = _last, time.monotonic(), files.writes, root()
        same = last.root == folder
        late = last.writes != writes or moment - last.moment > MAX_AGE
        if not same or late or (whole and not last.whole):
            changed = _changed(folder)
            known = last.summaries if same else {}
            names = known if same and changed and changed == last.changed else _names(folder)
            _last = _Look(
                folder, moment, writes, whole, changed, _scan(folder, names, known, whole)
            )
        return _last


def _changed(folder: Path) -> int:
    """When a run was last added or deleted: a time stamp in nanoseconds, 0 until it is settled."""
    try:
        changed = os.stat(folder).st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return changed if time.time_ns() - changed > SETTLED else 0


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _scan(
    folder: Path, names: Iterable[str], known: dict[str, Summary], whole: bool
) -> dict[str, Summary]:
    """A summary of every run, newest first: the known one where the run's folder is unchanged.

    An unfinished run is always read again, for its process may have died, and a damaged one, for
    somebody may have mended it.
    """
    summaries = {}
    now = time.time_ns()
    for name in names:
        one = known.get(name)
        if one is None and not ID.fullmatch(name):
            continue
        if one is None or whole or one.state not in DONE:
            try:
                changed = os.lstat(f"{folder}/{name}").st_mtime_ns
            except FileNotFoundError:
                continue  # deleted this moment
            if not one or one.changed != changed or not one.settled or one.state in AGAIN:
                one = Summary(Run(folder / name), changed, now - changed > SETTLED)
        summaries[name] = one
    return summaries


def summary(run: Run) -> Summary:
    """What lists tell of a run."""
    return _look(whole=True).summaries.get(run.id) or Summary(run, 0, False)


def all() -> list[Run]:
    """Every run, newest first; each may still turn out to be damaged when it is read."""
    return [one.run for one in _look().summaries.values()]


def done() -> list[Run]:
    """The runs that have a result and a model, newest first."""
    summaries = _look(whole=True).summaries.values()
    return [one.run for one in summaries if one.state in DONE and one.test_accuracy is not None]


def finished(recipe: Recipe) -> Run | None:
    """The newest run of just this recipe that trained to its end; damaged ones are passed over."""
    for run in done():
        with suppress(ValueError):
            if summary(run).state == "finished" and run.recipe == recipe:
                return run
    return None


def search(text: str) -> list[Run]:
    """The runs whose state, name and recipe contain every word of the text, newest first."""
    words = text.lower().split()
    summaries = _look(whole=True).summaries.values()
    return [one.run for one in summaries if not [word for word in words if word not in one.text]]


def children(run: Run) -> list[Run]:
    """The runs that were forked from it, newest first."""
    return list(_look(whole=True).children.get(run.id, []))


def queue() -> list[Run]:
    """The queued and running runs, in the order in which they are trained."""
    return list(_look().queue)
