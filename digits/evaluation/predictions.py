"""A model's predictions on a set of images, and a selection of those images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from digits.evaluation.label_errors import DisputedLabel


@dataclass(frozen=True, eq=False)
class Predictions:
    """Images, their labels, and the probabilities of a model that was not trained on them.

    ``x`` is (n, 28, 28) uint8, ``y`` (n,) uint8, ``probabilities`` (n, 10) float; ``name`` is
    what one image is called, such as "Test image". ``epoch`` is the model's, counted from 1,
    or -1 for the final model. ``disputed`` holds disputed labels by index. Where there are
    ``folds``, (n,), each fold has a model of its own.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    probabilities: np.ndarray
    epoch: int = -1
    disputed: Mapping[int, DisputedLabel] = field(default_factory=dict)
    folds: np.ndarray | None = None

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable digit of each image: (n,) int64."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether the prediction equals the label: (n,) bool."""
        return self.predicted == self.y

    @cached_property
    def label_probabilities(self) -> np.ndarray:
        """The probability of each image's label: (n,) float."""
        return self.probabilities[np.arange(len(self.y)), self.y]


@dataclass(frozen=True, eq=False)
class Selection:
    """Some of the images, (m,) int indices, with a Markdown title of what they share.

    ``ranked`` says that the indices are already in viewing order. ``notes``, one for each index
    or none, replace the confidence in the captions. ``can_narrow`` says that the visitor can
    select fewer than all mistakes.
    """

    predictions: Predictions
    indices: np.ndarray
    title: str
    ranked: bool = False
    notes: Sequence[str] = ()
    can_narrow: bool = False
