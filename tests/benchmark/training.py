"""Rows on training: ours against Keras ``fit``."""

from typing import Any

import numpy as np

from tests.benchmark.measure import Measured, alternate, clock, line


def throughput() -> list[dict[str, Any]]:
    """Training of the three-blocks network: our loop with publishing on, against Keras ``fit``."""
    import dataclasses

    from digits import data, model, run
    from digits.presets import PRESETS
    from digits.status import Status
    from digits.train import train

    lines = []
    dataset = data.default()
    for batch_size in (128, 32):
        recipe = dataclasses.replace(
            PRESETS["three-blocks"].recipe, dataset=dataset, batch_size=batch_size, epochs=1
        )
        x = data.load(dataset).x_train
        n = len(x)

        def ours(recipe: Any = recipe) -> Measured:
            job = run.create(recipe, "benchmark")
            job.write_status(Status("queued", epochs=1))
            train(job)
            epochs = job.epochs()  # the clock of the run stands still in validation and start
            return float(epochs["seconds"][0]), float(epochs["cpu_seconds"][0])

        def fit(recipe: Any = recipe) -> Measured:
            digits = data.load(dataset)
            inputs = digits.x_train[..., None].astype(np.float32) / 255
            network = model.build(recipe)
            network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            options = {"batch_size": recipe.batch_size, "verbose": 0}
            network.fit(inputs[:512], digits.y_train[:512], **options)
            return clock(lambda: network.fit(inputs, digits.y_train, **options))

        pairs = alternate(ours, fit)
        for kind, index in (("wall", 0), ("processor", 1)):
            a, b = ([1e6 * pair[side][index] / n for pair in pairs] for side in (0, 1))
            lines.append(line(f"throughput, batch {batch_size}: {kind} µs per image", a, b))
    return lines
