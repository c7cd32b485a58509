"""Changes of a run's learning rate while it trains: pages ask for them, its worker records them.

A change is a new peak of the schedule, as the recipe's ``learning_rate`` is one, so that it needs
no earlier change to be understood.
"""

from dataclasses import asdict
from itertools import pairwise
from typing import Annotated, TypedDict

from msgspec import Meta

from digits.recipes.recipe import HYPERPARAMETERS
from digits.recipes.schedule import RateChange
from digits.store import files
from digits.store.files import Count
from digits.store.run_folder import Run
from digits.store.status import Status

REQUEST = "learning_rate_request.json"  # there until the worker has recorded it
CHANGES = "learning_rate_changes.json"
LOW, HIGH = HYPERPARAMETERS["learning_rate"].allowed or (0, 0)

Rate = Annotated[float, Meta(ge=LOW, le=HIGH)]


class Request(TypedDict):
    """The learning rate that somebody asks for, at the peak of the schedule."""

    learning_rate: Rate


class Change(TypedDict):
    """A new peak, as a file has it."""

    step: Count
    learning_rate: Rate


def request(run: Run, learning_rate: float) -> None:
    """Ask the worker to go on at this peak, from its next steps. Raises ``ValueError``."""
    HYPERPARAMETERS["learning_rate"].check("The learning rate", learning_rate)
    files.write_json(run.folder, REQUEST, Request(learning_rate=learning_rate))


def requested(run: Run) -> float | None:
    """The peak that is asked for and not yet recorded."""
    if not files.exists(run.folder, REQUEST):
        return None
    asked: Request = files.read_json(run.folder, REQUEST, Request)
    return asked["learning_rate"]


def changes(run: Run) -> tuple[RateChange, ...]:
    """All changes, in the order of their steps."""
    if not files.exists(run.folder, CHANGES):
        return ()
    rows: list[Change] = files.read_json(run.folder, CHANGES, list[Change])
    steps = [row["step"] for row in rows]
    if steps != sorted(set(steps)):
        raise ValueError(f"{CHANGES} of run {run.id} is damaged: its steps are not in order.")
    return tuple(RateChange(**row) for row in rows)


def peak(run: Run) -> float:
    """The learning rate of the schedule's peak after all changes."""
    made = changes(run)
    return made[-1].learning_rate if made else run.recipe.learning_rate


def changed_under_way(run: Run, status: Status) -> str:
    """How the learning rate was changed while the run trained, in a sentence; "" if it was not."""
    per_epoch = max(1, status.steps) / max(1, status.epochs)
    made = [
        f"{words} after epoch {round(step / per_epoch, 1):g}"
        for step, words in changes_in_words(run)
    ]
    return f"Learning rate changed under way: {', '.join(made)}." if made else ""


def changes_in_words(run: Run) -> list[tuple[int, str]]:
    """The steps at which the learning rate was changed, and from what to what."""
    if not (made := changes(run)):
        return []  # at every look of a run's watchers, so without reading the recipe
    rates = [run.recipe.learning_rate, *(change.learning_rate for change in made)]
    words = [f"lr {old:g} → {new:g}" for old, new in pairwise(rates)]
    return [(change.step, text) for change, text in zip(made, words, strict=True)]


def record_request(run: Run, step: int) -> bool:
    """Let what is asked for hold from ``step`` on, counted from 0; ``False`` without a request.

    A run that is resumed meets again the changes that it recorded after its checkpoint; a later
    request takes their place. The request goes last: a worker that dies before will find it again.
    """
    rate = requested(run)
    if rate is None:
        return False
    if rate != peak(run):
        kept = [change for change in changes(run) if change.step < step]
        rows = [asdict(change) for change in (*kept, RateChange(step, rate))]
        files.write_json(run.folder, CHANGES, rows)
    (run.folder / REQUEST).unlink(missing_ok=True)
    return True
