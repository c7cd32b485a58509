"""Keeps the weights of single epochs within limits of disk space: the oldest are removed first.

The first, the last and the best epoch of a run stay, and those that are powers of two. Checkpoints,
the final model, and the predictions of an epoch are never removed.
"""

import os
import re
from contextlib import suppress

from digits.store import runs
from digits.store.run_folder import Run, weights_file
from digits.store.status import DONE

WEIGHTS = re.compile(r"([0-9]+)\.weights\.h5")


def thin(run: Run) -> None:
    """Bring the weights of a run's epochs down to ``$DIGITS_RUN_MB``, as far as it can be done."""
    limit = _bytes("DIGITS_RUN_MB", os.environ.get("DIGITS_RUN_MB", "1000"))
    sizes = _sizes(run)
    _remove(run, sizes, sum(sizes.values()) - limit)


def thin_all() -> None:
    """Bring those of all runs down to ``$DIGITS_RUNS_MB``: of runs that are done, oldest first."""
    limit = _bytes("DIGITS_RUNS_MB", os.environ.get("DIGITS_RUNS_MB", "20000"))
    sizes = {run: _sizes(run) for run in reversed(runs.all())}
    excess = sum(sum(of_run.values()) for of_run in sizes.values()) - limit
    for run, of_run in sizes.items():
        if excess > 0 and runs.summary(run).state in DONE:
            excess -= _remove(run, of_run, excess)


def thinned(run: Run) -> str:
    """What was removed, in a sentence; "" where nothing was."""
    epochs = run.thinned_epochs()
    if not epochs:
        return ""
    noun = "epoch" if len(epochs) == 1 else "epochs"
    return f"The weights of {noun} {_in_words(epochs)} were removed to save disk space."


def _bytes(name: str, megabytes: str) -> float:
    """A limit in bytes. Raises ``ValueError`` for what is no number."""
    try:
        return float(megabytes) * 1e6
    except ValueError as error:
        raise ValueError(f"{name} is {megabytes!r:.40}; it is a number of megabytes.") from error


def _sizes(run: Run) -> dict[int, int]:
    """The bytes of the weights of each epoch, in order; none of a run that is gone or damaged."""
    sizes = {}
    with suppress(OSError), os.scandir((run.folder / weights_file(1)).parent) as entries:
        for entry in entries:
            if (name := WEIGHTS.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
                sizes[int(name[1])] = entry.stat().st_size
    return dict(sorted(sizes.items()))


def _remove(run: Run, sizes: dict[int, int], excess: float) -> int:
    """Remove weights of at least ``excess`` bytes where so many may go; returns how many went."""
    if excess <= 0:
        return 0
    going, freed = [], 0
    with suppress(OSError, ValueError):  # deleted this moment, or damaged
        stay = {min(sizes), max(sizes), run.best_epoch()}
        for epoch, size in sizes.items():
            if freed < excess and epoch not in stay and epoch & (epoch - 1):
                going.append(epoch)
                freed += size
        if going:
            run.remove_weights(going)
    return freed


def _in_words(epochs: list[int]) -> str:
    """Numbers in order, with runs of them joined: "3, 5 – 7"."""
    parts: list[list[int]] = []
    for epoch in epochs:
        if parts and epoch == parts[-1][-1] + 1:
            parts[-1].append(epoch)
        else:
            parts.append([epoch])
    return ", ".join(f"{part[0]} – {part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts)
