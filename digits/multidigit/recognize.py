"""A drawing as a model recognizes it."""

from dataclasses import dataclass

import numpy as np

from digits.ink.preprocessing import Stage
from digits.store.models import ModelRef


@dataclass(frozen=True, eq=False)
class Recognition:
    """A drawing as a model reads it: "shipped" or a run's id.

    ``ink`` is (height, width) uint8; ``said`` is (len(steps), 10), what the model says of it after
    each step. What it saw, (28, 28), and its answer, (10,), are those of the last.
    """

    model: ModelRef
    ink: np.ndarray
    steps: list[Stage]
    said: np.ndarray

    @property
    def image(self) -> np.ndarray:
        return self.steps[-1].image

    @property
    def probabilities(self) -> np.ndarray:
        return self.said[-1]
