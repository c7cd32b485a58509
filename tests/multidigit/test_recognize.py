"""A drawing recognized in the core: one digit stage by stage, or a number, in one batch."""

import numpy as np
import pytest

from digits.ink.canvas import rasterize
from digits.ink.preprocessing import NO_STAGES, Preprocessing, preprocess, preprocessing_stages
from digits.multidigit import from_strokes
from digits.multidigit.decode import decode
from digits.multidigit.recognize import MAX_STROKES, Recognition, recognize
from tests.multidigit.test_numbers import CROSSED_SEVEN, FIVE, SEVEN, THREE, beside, predict


def drawn(strokes: list[np.ndarray]) -> np.ndarray:
    return rasterize(strokes, 640, 280, 18)


def test_one_digit_has_a_prediction_at_each_stage_and_no_number() -> None:
    strokes = beside(SEVEN)
    recognition = recognize(drawn(strokes), strokes, predict)
    stages = preprocessing_stages(drawn(strokes), strokes)
    assert [stage.name for stage in recognition.stages] == [stage.name for stage in stages]
    assert recognition.stage_probabilities.shape == (len(stages), 10)
    expected = predict(np.stack([stage.image for stage in stages]))
    assert recognition.stage_probabilities == pytest.approx(expected, abs=1e-5)
    assert np.array_equal(recognition.image, preprocess(drawn(strokes), strokes))
    assert recognition.probabilities.argmax() == 7
    assert recognition.number is None


def test_several_digits_make_the_number_that_decode_gives() -> None:
    strokes = beside(THREE, SEVEN, FIVE)
    recognition = recognize(drawn(strokes), strokes, predict)
    [expected] = decode([from_strokes.from_strokes(strokes)], predict)
    assert recognition.number is not None
    assert recognition.number.text == expected.text == "375"
    assert [digit.box for digit in recognition.number.digits] == [
        digit.box for digit in expected.digits
    ]
    assert recognition.stage_probabilities.shape == (len(recognition.stages), 10)


@pytest.mark.parametrize("digits", [[SEVEN], [CROSSED_SEVEN], [THREE, SEVEN]])
def test_the_model_is_called_once_with_stages_and_candidates(digits: list) -> None:
    batches = []

    def counting(x: np.ndarray) -> np.ndarray:
        batches.append(x)
        return predict(x)

    strokes = beside(*digits)
    recognition = recognize(drawn(strokes), strokes, counting)
    [x] = batches
    assert x.dtype == np.uint8
    assert len(x) >= len(recognition.stages)
    for image, stage in zip(x, recognition.stages, strict=False):
        assert np.array_equal(image, stage.image)


def test_strokes_of_one_digit_are_no_number() -> None:
    strokes = beside(CROSSED_SEVEN)
    recognition = recognize(drawn(strokes), strokes, predict)
    assert recognition.number is None
    assert recognition.probabilities.argmax() == 7


def test_the_options_apply_to_the_stages_and_not_to_the_digits_of_a_number() -> None:
    strokes = beside(THREE, SEVEN)
    full, naive = (
        recognize(drawn(strokes), strokes, predict, options)
        for options in (Preprocessing(), NO_STAGES)
    )
    assert len(naive.stages) == 1
    assert not np.array_equal(naive.image, full.image)
    assert isinstance(naive, Recognition)
    assert full.number is not None
    assert naive.number is not None
    for one, other in zip(full.number.digits, naive.number.digits, strict=True):
        assert np.array_equal(one.image, other.image)


@pytest.mark.parametrize("copies", [0, MAX_STROKES])
def test_ink_without_strokes_and_scribbles_are_taken_as_one_digit(copies: int) -> None:
    ink = drawn(beside(THREE, SEVEN))
    strokes = beside(THREE, SEVEN) * copies
    assert recognize(ink, strokes, predict).number is None


def test_a_blank_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="blank"):
        recognize(np.zeros((280, 280), np.uint8), [], predict)
