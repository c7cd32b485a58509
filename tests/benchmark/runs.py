"""The row on a folder of a thousand runs: the list, and many curves over one another."""

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np

from digits import run
from digits.presets import PRESETS
from digits.recipe import Recipe
from digits.run import EPOCHS, STEPS, Run
from digits.status import Status

COUNT, COMPARED, LENGTH = 1_000, 20, 5_000


def fill(count: int = COUNT) -> list[Run]:
    """Finished runs as training leaves them, but for models and weights; oldest first.

    The last ``COMPARED`` have ``LENGTH`` steps each, the others a tenth of that.
    """
    rng = np.random.default_rng(0)
    made, moment = [], datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        preset = list(PRESETS.values())[number % len(PRESETS)]
        rate = float(rng.choice([1e-4, 5e-4, 1e-3, 5e-3]))
        recipe = dataclasses.replace(preset.recipe, learning_rate=rate, seed=number)
        moment += timedelta(minutes=7)
        folder = run.root() / f"{moment:%Y%m%d-%H%M%S}-{number:06x}"
        (folder / "weights").mkdir(parents=True)
        steps = LENGTH if number >= count - COMPARED else LENGTH // 10
        made.append(_finished(Run(folder), f"{preset.title} {number}", recipe, steps, rng))
    return made


def _finished(job: Run, name: str, recipe: Recipe, steps: int, rng: np.random.Generator) -> Run:
    (job.folder / "recipe.json").write_text(recipe.to_json())
    job.write("about.json", {"name": name, "preset": ""})
    loss = 2.3 * np.exp(-np.arange(steps) / (0.1 * steps)) + rng.gamma(2, 0.02, steps)
    accuracy = np.clip(1 - loss / 2.6, 0, 1)
    epochs = recipe.epochs
    job.append("steps.csv", STEPS, zip(np.arange(1, steps + 1), loss, accuracy, strict=True))
    ends = np.linspace(steps / epochs - 1, steps - 1, epochs).astype(int)
    job.append(
        "epochs.csv",
        EPOCHS,
        (
            (epoch, loss[i], accuracy[i], loss[i] + 0.02, accuracy[i] - 0.005, 1e-3, 9.5, 18.1)
            for epoch, i in enumerate(ends, 1)
        ),
    )
    result = {
        "run": job.id, "parameters": 81_066, "epochs": epochs, "seconds": 9.5 * epochs,
        "cpu_seconds": 18.1 * epochs, "images_per_second": 5_684.2,
        "train_accuracy": float(accuracy[-1]), "val_accuracy": float(accuracy[-1]) - 0.005,
        "val_loss": 0.06, "test_accuracy": float(accuracy[-1]) - 0.006, "test_loss": 0.06,
        "test_images": 10_000, "precision": "mixed_bfloat16",
    }  # fmt: skip
    job.write("result.json", result)
    job.write_status(Status("finished", epoch=epochs, epochs=epochs, step=steps, steps=steps))
    (job.folder / "model.keras").write_bytes(b"")
    return job
