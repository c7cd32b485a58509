"""Synthetic non-digits: reproducible, and different from each other."""

import numpy as np
import pytest

from digits.ink import non_digits


@pytest.mark.parametrize("kind", non_digits.KINDS)
def test_drawings_of_a_kind_differ_and_are_the_same_for_a_seed(kind: str) -> None:
    drawings = non_digits.generate(kind, 6, seed=3)
    x = non_digits.render_inputs(drawings, seed=3)
    assert (x.shape, x.dtype) == ((6, 28, 28), np.uint8)
    assert len({image.tobytes() for image in x}) == 6
    again = non_digits.render_inputs(non_digits.generate(kind, 6, seed=3), seed=3)
    assert (x == again).all()
    assert (x != non_digits.render_inputs(non_digits.generate(kind, 6, seed=4), seed=4)).any()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        non_digits.generate("Ω", 1, seed=0)


def test_several_digits_lie_side_by_side_without_touching() -> None:
    for strokes in non_digits.generate("several digits", 20, seed=0):
        ends = sorted((stroke[0].min(), stroke[0].max()) for stroke in strokes)
        reached = np.maximum.accumulate([end for _, end in ends])
        gaps = sum(start > before for (start, _), before in zip(ends[1:], reached, strict=False))
        assert 1 <= gaps <= 3
