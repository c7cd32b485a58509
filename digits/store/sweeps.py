"""Sweeps on disk: what each searches, what a visitor wants of it, and the runs that are its trials.

A sweep is a folder of ``runs/sweeps``. Its plan never changes; its trials, numbered from 1, are
ordinary runs, named in a file each that is written once. Pages write what is wanted, whoever drives
the sweep writes how it stands. What a trial has reached is read from its run's folder alone.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, get_args

from msgspec import Meta

from digits.recipes.halving import State, Trial, best
from digits.recipes.recipe import Recipe
from digits.recipes.space import Space, Values, apply, describe, from_texts, to_texts
from digits.recipes.suggest import Sampler
from digits.store import files, runs
from digits.store.files import Amount, Count
from digits.store.run_folder import EPOCHS, ID, Run, new_id
from digits.store.status import DONE

FOLDER = "sweeps"  # beside the runs
PLAN = "plan.json"
WANTED = "wanted.json"
PROGRESS = "progress.json"
LOCK = "lock"  # held by the process that drives the sweep
ENTRY = re.compile(r"(trial|final)-([0-9]{1,6})\.json")

MAX_TRIALS = 10_000
SEEDS = 3  # with which the winner is trained in full

Wanted = Literal["run", "pause", "stop", "cancel"]
Kind = Literal["trial", "final"]
_RunId = Annotated[str, Meta(pattern=f"^{ID.pattern}$")]
_Text = Annotated[str, Meta(max_length=200)]


@dataclass(frozen=True)
class Plan:
    """What a sweep searches and for how long. Raises ``ValueError`` for what cannot be done.

    ``minutes`` are those in which trials begin and go on; the winner is trained after them.
    """

    base: Recipe
    space: Space
    preset: str = ""
    trials: int = 30
    minutes: float | None = None
    sampler: Sampler = "tpe"
    seed: int = 0
    promotion: bool = True  # else every trial is trained in full

    def __post_init__(self) -> None:
        if not 1 <= self.trials <= MAX_TRIALS:
            raise ValueError(f"A sweep has 1 to {MAX_TRIALS:,} trials, not {self.trials:,}.")
        if self.minutes is not None and not 0 < self.minutes <= 1e6:
            raise ValueError(
                f"A sweep needs more than {self.minutes:g} minutes, or no limit."
                if self.minutes <= 0
                else f"A sweep has at most a million minutes, not {self.minutes:g}."
            )
        if self.sampler not in get_args(Sampler):
            raise ValueError(f"There is no sampler {self.sampler:.20}: tpe, random or grid.")
        self.space.check(self.base)
        if self.sampler == "grid":
            self.space.grid(self.base)

    def recipe(self, values: Values, kind: Kind = "trial") -> Recipe:
        """What a trial of these values trains, or the winner.

        Trials that pause restart their schedule at each rung, so that they are compared when their
        learning rate is low. How long a trial is trained is for the sweep to say, so none stops
        early. The winner is trained as the base recipe has it.
        """
        recipe = apply(self.base, values)
        if kind == "final":
            return recipe
        restarts = self.promotion and recipe.schedule != "constant"
        return replace(recipe, patience=0, restarts=restarts or recipe.restarts)


@dataclass(frozen=True)
class Answer:
    """What a sweep has found: its best trial by validation accuracy, and the winner's test.

    Once the winner is chosen, ``best`` is its trial, or ``None`` when that was deleted.
    ``test_accuracies`` are those of the winner's recipe, trained in full, one a seed.
    """

    trials: int
    epochs: int  # of all trials together
    best: Trial | None
    test_accuracies: tuple[float, ...]


class _Plan(TypedDict):
    number: Count
    preset: str
    recipe: str
    space: dict[str, str]
    trials: int
    minutes: float | None
    sampler: Sampler
    seed: Count
    promotion: bool


@dataclass(frozen=True)
class Progress:
    """How a sweep stands: ``seconds`` are those for which it was driven and not paused."""

    state: Literal["running", "finished", "cancelled"] = "running"
    seconds: Amount = 0.0
    message: str = ""


class _Entry(TypedDict):
    run: _RunId
    values: dict[_Text, _Text]


@dataclass(frozen=True)
class Entry:
    """A trial of a sweep, or one of the winner's runs, with its run."""

    number: int  # from 1
    run: Run
    values: Values

    @property
    def interrupted(self) -> bool:
        """Whether nobody trains it who should: its process is gone, or it was never queued."""
        return runs.summary(self.run).state == "interrupted" and not self.run.stop_requested

    @property
    def state(self) -> State:
        """Where its run stands. A run that was deleted or damaged has failed."""
        summary = runs.summary(self.run)
        state = summary.state
        if state in ("queued", "running") or self.interrupted:
            return "active"
        if state == "paused":
            return "ended" if summary.is_trained else "paused"
        return "ended" if state in (*DONE, "cancelled", "interrupted") else "failed"

    def trial(self) -> Trial:
        """What it has reached."""
        accuracies: tuple[float, ...] = ()
        with suppress(ValueError):  # damaged, which its state tells
            accuracies = _accuracies(self.run, self.run.file_stamps(EPOCHS))
        return Trial(self.number, self.state, accuracies, self.values)


@dataclass(frozen=True)
class Sweep:
    """One sweep, read from its folder each time it is asked.

    Every reader raises ``ValueError``, with one sentence that names the file, when the file is
    missing, torn or not what it should be.
    """

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def plan(self) -> Plan:
        return _read_plan(self.folder, files.stamps(self.folder, [PLAN]))[1]

    @property
    def number(self) -> int:
        """Counts the sweeps from 1."""
        return _read_plan(self.folder, files.stamps(self.folder, [PLAN]))[0]

    @property
    def wanted(self) -> Wanted:
        """What a visitor wants of it."""
        if not files.exists(self.folder, WANTED):
            return "run"
        wanted: Wanted = _read(self.folder, WANTED, Wanted)
        return wanted

    def want(self, wanted: Wanted) -> None:
        """Let it run, pause (no new runs), stop (running ones come to their rung) or cancel it."""
        files.write_json(self.folder, WANTED, wanted)

    @property
    def progress(self) -> Progress:
        if not files.exists(self.folder, PROGRESS):
            return Progress()
        progress: Progress = _read(self.folder, PROGRESS, Progress)
        return progress

    def write_progress(self, progress: Progress) -> None:
        files.write_json(self.folder, PROGRESS, asdict(progress))

    def entries(self, kind: Kind = "trial") -> list[Entry]:
        """Its trials, or the winner's runs with ``SEEDS`` seeds, in order."""
        names = [ENTRY.fullmatch(name) for name in os.listdir(self.folder)]
        numbers = sorted(int(name[2]) for name in names if name and name[1] == kind)
        return [_read_entry(self.folder, kind, number) for number in numbers]

    def trials(self) -> list[Trial]:
        """What each trial has reached."""
        return [entry.trial() for entry in self.entries()]

    def answer(self, trials: list[Trial]) -> Answer:
        """What the trials say; the test accuracies are empty before the sweep is finished."""
        accuracies: tuple[float, ...] = ()
        finals, compared = self.entries("final"), trials
        if finals:
            compared = [trial for trial in trials if trial.values == finals[0].values]
        if self.progress.state == "finished":
            results = [runs.summary(entry.run).test_accuracy for entry in finals]
            accuracies = tuple(accuracy for accuracy in results if accuracy is not None)
        epochs = sum(trial.epochs for trial in trials)
        return Answer(len(trials), epochs, best(compared), accuracies)

    def create_run(self, kind: Kind, number: int, values: Values, until: int | None = None) -> Run:
        """A run of these values, not yet queued, that pauses after ``until`` epochs.

        One that pauses after its last epoch is not tested.
        Raises ``OSError`` as ``runs.create`` does.
        """
        plan = self.plan
        recipe, what = plan.recipe(values, kind), describe(values)
        if kind == "final":
            recipe = replace(recipe, seed=plan.base.seed + number - 1)
            what = f"winner, seed {recipe.seed}"
        run = runs.create(recipe, f"Sweep {self.number} · {what}")
        if until:
            run.request_pause(after_epoch=until)
        # The last: a process that dies before has left a run that nobody knows, and nothing else.
        entry = _Entry(run=run.id, values=to_texts(values))
        files.write_json(self.folder, f"{kind}-{number}.json", entry)
        return run


def root() -> Path:
    """The folder of all sweeps, beside the runs, which no list of runs looks into."""
    return runs.root() / FOLDER


def create(plan: Plan) -> Sweep:
    """A new folder with the plan in it. Raises ``OSError`` where nothing can be written."""
    root().mkdir(parents=True, exist_ok=True)
    sweep = Sweep(root() / new_id())
    number = 1 + max(_numbers(), default=0)
    sweep.folder.mkdir()
    content = _Plan(
        number=number,
        preset=plan.preset,
        recipe=plan.base.to_json(),
        space=plan.space.texts(),
        trials=plan.trials,
        minutes=plan.minutes,
        sampler=plan.sampler,
        seed=plan.seed,
        promotion=plan.promotion,
    )
    files.write_json(sweep.folder, PLAN, content)
    return sweep


def open(id: str) -> Sweep:
    """The sweep of that id. Raises ``ValueError`` for no id, ``LookupError`` if there is none."""
    if not ID.fullmatch(id):
        raise ValueError("The link names no sweep: its id looks like 20260131-093000-4f2a1c.")
    if not (root() / id).is_dir():
        raise LookupError(f"There is no sweep {id}; it may have been deleted.")
    return Sweep(root() / id)


def all() -> list[Sweep]:
    """Every sweep, newest first; each may still turn out to be damaged when it is read."""
    try:
        names = sorted(os.listdir(root()), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Sweep(root() / name) for name in names if ID.fullmatch(name)]


def unfinished() -> list[Sweep]:
    """The sweeps that are under way or paused, oldest first; damaged ones are left alone."""
    found = []
    for sweep in reversed(all()):
        with suppress(ValueError):
            if sweep.plan and sweep.progress.state == "running":
                found.append(sweep)
    return found


def delete(sweep: Sweep) -> None:
    """Remove the sweep's folder, and keep its runs. Raises ``ValueError`` while it is under way."""
    if sweep in unfinished():
        raise ValueError("This sweep is not over. Cancel it before you delete it.")
    files.remove(sweep.folder)


def _numbers() -> Iterator[int]:
    for sweep in all():
        with suppress(ValueError):
            yield sweep.number


def _read(folder: Path, file: str, kind: Any) -> Any:
    try:
        return files.read_json(folder, file, kind)
    except ValueError as error:
        raise ValueError(str(error).replace(" of run ", " of sweep ", 1)) from error


@lru_cache(maxsize=256)
def _read_plan(folder: Path, stamps: tuple[int, ...]) -> tuple[int, Plan]:
    content: _Plan = _read(folder, PLAN, _Plan)
    try:
        plan = Plan(
            base=Recipe.from_json(content["recipe"]),
            space=Space.parse(content["space"]),
            preset=content["preset"],
            trials=content["trials"],
            minutes=content["minutes"],
            sampler=content["sampler"],
            seed=content["seed"],
            promotion=content["promotion"],
        )
    except ValueError as error:
        raise ValueError(f"{PLAN} of sweep {folder.name} is damaged: {error!s:.200}") from error
    return content["number"], plan


@lru_cache(maxsize=4 * MAX_TRIALS)
def _read_entry(folder: Path, kind: Kind, number: int) -> Entry:
    """Once only: it is written once."""
    file = f"{kind}-{number}.json"
    content: _Entry = _read(folder, file, _Entry)
    try:
        values = from_texts(content["values"])
        if not Sweep(folder).plan.space.holds(values):
            raise ValueError("its settings are none of those that are searched.")
    except ValueError as error:
        raise ValueError(f"{file} of sweep {folder.name} is damaged: {error!s:.200}") from error
    return Entry(number, Run(runs.root() / content["run"]), values)


@lru_cache(maxsize=2 * MAX_TRIALS)
def _accuracies(run: Run, stamps: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(run.epoch_metrics()["val_accuracy"].tolist())
