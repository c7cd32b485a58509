"""What the browser sends of the canvas: anything at all, so it is checked before it is used."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digits.ink import canvas


def drawn(*points: tuple[float, float], **moved: float) -> dict[str, Any]:
    """One stroke as Fabric has it."""
    curves = [["Q", x, y, x, y] for x, y in points]
    path = [["M", *points[0]], *curves, ["L", *points[-1]]]
    return {"objects": [{"path": path, "left": 140, "top": 140} | moved]}


def png(mode: str, width: int, height: int, color: str = "white") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), color).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "fabric",
    [
        None,
        [],
        {},
        {"objects": 5},
        {"objects": [5]},
        {"objects": [{"path": 5}]},
        {"objects": [{"path": "MQL"}]},
        {"objects": [{"path": [["Q"]], "left": 1, "top": 1}]},
        {"objects": [{"path": [["Q", 1, 2, 3]], "left": 1, "top": 1}]},
        {"objects": [{"path": [["Q", 1, 2, 3, "x"]], "left": 1, "top": 1}]},
        {"objects": [{"path": [["Q", [1], [2], [3], [4]]], "left": 1, "top": 1}]},
        {"objects": [{"path": [["M", 1, 2]]}]},
        {"objects": [{"path": [["M", 1, 2]], "left": [1] * 99, "top": 1}]},
        {"objects": [{"path": [["M", 10**400, 2]], "left": 1, "top": 1}]},
        {"objects": [{"path": {"a": 1}}]},
    ],
)
def test_what_no_canvas_sends_is_refused(fabric: object) -> None:
    with pytest.raises(ValueError, match="did not send the strokes"):
        canvas.from_fabric(fabric)


@pytest.mark.parametrize(
    "fabric",
    [
        drawn((0, 0), (1e9, 0), (0, 9)),
        drawn((0, 0), (100, 100), left=float("nan")),
        drawn((0, 0), (100, 100), scaleX=float("inf")),
        drawn((0, 0), (100, 100), scaleY=1e6),
        drawn(*[(number % 9, 140) for number in range(canvas.MAX_POINTS)]),
        drawn(*[(number % 2 * 279, 140) for number in range(200)]),
    ],
)
def test_what_nobody_draws_is_refused(fabric: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"far more points|off the canvas|scribble"):
        canvas.from_fabric(fabric)


def test_a_busy_drawing_is_taken() -> None:
    number = [(20 + 60 * digit + x, y) for digit in range(10) for x in (0, 40) for y in (9, 270)]
    [stroke] = canvas.from_fabric(drawn(*number))
    assert stroke.shape == (2, len(number) + 2)


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L", "P", "1"])
def test_the_ink_has_the_size_of_the_canvas_whatever_the_picture_s_kind(mode: str) -> None:
    ink = canvas.from_png(png(mode, 64, 28), 64, 28)
    assert ink.shape == (28, 64)
    assert ink.dtype == np.uint8
    assert (ink == 255).all()


def test_a_larger_canvas_gives_the_same_drawing() -> None:
    points = [(20.0, 30.0), (80.0, 30.0), (60.0, 90.0)]
    small = drawn(*points, left=50, top=60)
    large = drawn(*[(1.5 * x, 1.5 * y) for x, y in points], left=75, top=90)
    [stroke], [scaled] = canvas.from_fabric(small), canvas.from_fabric(large, 1.5)
    assert scaled == pytest.approx(stroke, abs=0.1)
    ink = canvas.from_png(png("RGBA", 96, 42), 64, 28, scale=1.5)
    assert ink.shape == (28, 64)
    clear = Image.new("RGBA", (64, 28), (255, 255, 255, 0))
    file = io.BytesIO()
    clear.save(file, "PNG")
    assert not canvas.from_png(file.getvalue(), 64, 28).any()


@pytest.mark.parametrize(
    "content",
    [None, b"", b"no picture", png("L", 64, 28)[:40], png("L", 64, 29), png("L", 9_000, 9_000)],
    ids=["none", "empty", "text", "cut short", "another size", "huge"],
)
def test_what_is_no_picture_of_the_canvas_is_refused(content: bytes | None) -> None:
    with pytest.raises(ValueError, match="did not send a picture of the canvas"):
        canvas.from_png(content, 64, 28)
