"""A drawing at each step of its preparation, as the network would see it if that were the last."""

from dataclasses import dataclass, fields, replace

import numpy as np

from digits.drawing import FIELD, FULL, NAIVE, Preparation
from digits.strokes import prepare

SHEET = "sheet"  # what there is before the first step: the whole sheet, shrunk
STEPS = tuple(field.name for field in fields(Preparation))  # in the order in which they are taken


@dataclass(frozen=True, eq=False)
class Step:
    """A step by its name, the preparation up to it, and its (28, 28) float32 image in [0, 1].

    The image is all 0 where nothing is left of the drawing.
    """

    name: str
    how: Preparation
    image: np.ndarray


@dataclass(frozen=True, eq=False)
class Reading:
    """A drawing as a model reads it: "shipped" or a run's id.

    ``ink`` is (height, width) uint8; ``said`` is (len(steps), 10), what the model says of it after
    each step. What it saw, (28, 28), and its answer, (10,), are those of the last.
    """

    model: str
    ink: np.ndarray
    steps: list[Step]
    said: np.ndarray

    @property
    def image(self) -> np.ndarray:
        return self.steps[-1].image

    @property
    def probabilities(self) -> np.ndarray:
        return self.said[-1]


def steps(ink: np.ndarray, strokes: list[np.ndarray], how: Preparation = FULL) -> list[Step]:
    """The shrunk sheet and, after it, each step of ``how``; the last is what the network sees.

    ``ink`` is (height, width) uint8, ``strokes`` the (2, points) each that left it. Raises as
    ``prepare`` does when nothing is left in the end.
    """
    seen = prepare(ink, strokes, how)
    found = []
    part = NAIVE
    for name in (SHEET, *(step for step in STEPS if getattr(how, step))):
        if name != SHEET:
            part = replace(part, **{name: True})
        try:
            image = seen if part == how else prepare(ink, strokes, part)
        except ValueError:
            image = np.zeros((FIELD, FIELD), np.float32)
        found.append(Step(name, part, image))
    return found
