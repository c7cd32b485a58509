"""A drawing after each stage of its preprocessing."""

import numpy as np
import pytest

from digits.ink import canvas, preprocessing
from digits.ink.preprocessing import NO_STAGES, Preprocessing, preprocessing_stages

SEVEN = [np.array([[215.0, 265, 250, 235], [15, 15, 45, 80]])]  # small, in a corner, crowded
INK = canvas.rasterize(SEVEN, 280, 280, brush=24)


def box(image: np.ndarray) -> tuple[int, int, int, int]:
    """First and last row and column that hold more than a trace of ink."""
    rows, columns = np.nonzero(image > 25)
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def test_the_first_is_the_shrunk_sheet_and_the_last_is_what_the_network_sees() -> None:
    first, *_, last = preprocessing_stages(INK, SEVEN)
    assert np.array_equal(first.image, preprocessing.normalize(INK, NO_STAGES))
    assert np.array_equal(last.image, preprocessing.preprocess(INK, SEVEN))


def test_a_small_digit_in_a_corner_is_redrawn_cropped_fitted_and_centered() -> None:
    pictures = {step.name: step.image for step in preprocessing_stages(INK, SEVEN)}
    assert list(pictures) == ["resized", "redraw", "crop", "fit", "center"]
    top, bottom, left, right = box(pictures["resized"])
    assert bottom < 14 <= left  # still in its corner
    top, bottom, left, right = box(pictures["crop"])
    assert (top, bottom) == (0, 27)
    top, bottom, left, right = box(pictures["fit"])
    assert (top, bottom) == (4, 23)
    assert left + right == pytest.approx(27, abs=1)
    weight = pictures["center"].sum(axis=1)
    assert weight @ np.arange(28) / weight.sum() == pytest.approx(14, abs=0.5)
    thick = preprocessing_stages(INK, SEVEN, Preprocessing(redraw=False))[-1].image
    assert pictures["center"].sum(dtype=int) < thick.sum(dtype=int) / 2  # a thinner line
    resized, redrawn = (pictures[name].sum(dtype=int) for name in ("resized", "redraw"))
    assert redrawn < resized / 2


def test_a_disabled_stage_is_missing_from_those_after_it_too() -> None:
    options = Preprocessing(crop=False, redraw=False)
    found = preprocessing_stages(INK, SEVEN, options)
    assert [step.name for step in found] == ["resized", "fit", "center"]
    assert not any(step.options.crop for step in found)
    assert np.array_equal(found[-1].image, preprocessing.preprocess(INK, SEVEN, options))
    [only] = preprocessing_stages(INK, SEVEN, NO_STAGES)
    assert only.name == "resized"


def test_where_the_drawing_vanishes_its_image_is_empty() -> None:
    speck = np.zeros((2800, 2800), np.uint8)
    speck[100, 100] = 255
    sheet, redrawn, *others = preprocessing_stages(speck, [])
    assert sheet.image.shape == (28, 28)
    assert not sheet.image.any()
    assert not redrawn.image.any()  # without strokes nothing is redrawn
    assert all(step.image.any() for step in others)


def test_nothing_is_made_of_a_blank_sheet_or_of_what_has_vanished_in_the_end() -> None:
    speck = np.zeros((2800, 2800), np.uint8)
    with pytest.raises(ValueError, match="blank"):
        preprocessing_stages(speck, [])
    speck[100, 100] = 255
    with pytest.raises(ValueError, match="draw larger"):
        preprocessing_stages(speck, [], NO_STAGES)
