"""A drawing as a model recognizes it: one digit, stage by stage, or a number of several."""

from dataclasses import dataclass

import numpy as np

from digits.ink.preprocessing import ALL_STAGES, Preprocessing, Stage, preprocessing_stages
from digits.multidigit.decode import Number, Predict, choose_digits, find_candidates
from digits.multidigit.from_strokes import from_strokes

MAX_STROKES = 60  # of a number; more are a scribble


@dataclass(frozen=True, eq=False)
class Recognition:
    """A drawing with what a model predicts at each stage of its preprocessing.

    ``ink`` is (height, width) uint8, ``stage_probabilities`` (len(stages), 10) float32. The model's
    input, (28, 28), and its prediction, (10,), are those of the last stage. ``number`` is there
    when the strokes make several digits.
    """

    ink: np.ndarray
    stages: list[Stage]
    stage_probabilities: np.ndarray
    number: Number | None = None

    @property
    def image(self) -> np.ndarray:
        return self.stages[-1].image

    @property
    def probabilities(self) -> np.ndarray:
        return self.stage_probabilities[-1]


def recognize(
    ink: np.ndarray,
    strokes: list[np.ndarray],
    predict: Predict,
    options: Preprocessing = ALL_STAGES,
) -> Recognition:
    """Recognize a drawing as one digit and, by its strokes, as a number.

    ``ink`` is (height, width) uint8, 0 for paper; ``strokes`` are (2, points) each, in its pixels.
    ``predict`` is called once, with the images of all stages and of all candidates for a digit.
    ``options`` apply to the single digit; the digits of a number get the full preprocessing.
    Raises ``ValueError`` when the drawing is blank or vanishes in preprocessing, and as
    ``predict`` does.
    """
    stages = preprocessing_stages(ink, strokes, options)
    x = np.stack([stage.image for stage in stages])
    line = from_strokes(strokes) if 0 < len(strokes) <= MAX_STROKES else None
    if line is None or len(line.boxes) == 1:
        return Recognition(ink, stages, predict(x))
    candidates = find_candidates(line)
    probabilities = predict(np.concatenate([x, candidates.images]))
    number = choose_digits(line, candidates, probabilities[len(x) :])
    several = len(number.digits) > 1
    return Recognition(ink, stages, probabilities[: len(x)], number if several else None)
