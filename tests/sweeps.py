"""A sweep whose trials were never trained: their curves come from the simulation."""

import dataclasses
import os

from benchmarks.sweeps import BASE, SPACE, simulate
from digits.recipes.halving import best
from digits.store import sweeps
from digits.store.run_folder import val_probabilities_file
from digits.store.status import Status
from digits.store.sweeps import Plan, Progress, Sweep
from tests.damage import RESULT

DATASET = "uci"


def searched(trials: int = 30, *, finished: bool = True) -> Sweep:
    """A sweep of ``trials`` with paused and whole ones, and the winner's three runs if finished."""
    base = dataclasses.replace(BASE, dataset=DATASET)
    sweep = sweeps.create(Plan(base, SPACE, "fast", trials, minutes=10))
    done = simulate(2, trials, base.epochs, "random").trials
    moment = 0
    for trial in done:
        run = sweep.create_run("trial", trial.number, dict(trial.values))
        run.append_epochs(
            [
                (epoch, 1 - value, value, 1.1 - value, value, 0.01, 2.5, 4)
                for epoch, value in enumerate(trial.accuracies, 1)
            ]
        )
        for epoch in range(1, trial.epochs + 1):
            path = run.folder / val_probabilities_file(epoch)
            path.parent.mkdir(exist_ok=True)
            path.touch()
            moment += 1
            os.utime(path, (1.7e9 + moment, 1.7e9 + moment))
        run.write_status(Status("paused", epoch=trial.epochs, epochs=base.epochs))
    if finished:
        winner = best(done)
        assert winner
        for number in range(1, sweeps.SEEDS + 1):
            run = sweep.create_run("final", number, dict(winner.values))
            result = RESULT | {"test_accuracy": 0.96 + number / 300, "test_images": 360}
            run.write_result(result)
            run.write_status(Status("finished", epoch=base.epochs, epochs=base.epochs))
        sweep.write_progress(Progress("finished", 431.0))
    else:
        sweep.want("pause")
        sweep.write_progress(Progress(seconds=431.0, message="Paused: no trial begins or goes on."))
    return sweep
