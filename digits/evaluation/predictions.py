"""Images that a network was asked about, and any choice among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from digits.evaluation.label_errors import DisputedLabel


@dataclass(frozen=True, eq=False)
class Predictions:
    """Images with their labels and what a network that never trained on them says.

    ``x`` is (n, 28, 28) uint8, ``y`` (n,) uint8, ``probabilities`` (n, 10) float; ``name`` is
    what one of them is called, such as "Test image". The network is that after ``epoch``, counted
    from 1, or -1 for the final model.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    probabilities: np.ndarray
    epoch: int = -1
    disputed: Mapping[int, DisputedLabel] = field(default_factory=dict)

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable digit of each image: (n,) int64."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def right(self) -> np.ndarray:
        """Whether that is its label: (n,) bool."""
        return self.predicted == self.y


@dataclass(frozen=True, eq=False)
class Selection:
    """Some of the images, (m,) int indices, and in Markdown what they have in common.

    ``ranked`` ones are already in the order in which they should be looked at. ``notes``, one for
    each where given, tell what the view found about it; else its confidence is told.
    """

    of: Predictions
    indices: np.ndarray
    title: str
    ranked: bool = False
    notes: Sequence[str] = ()
