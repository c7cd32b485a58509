"""Scores a model on pen digits, drawn and preprocessed as on the Draw page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from digits.ink.canvas import BRUSH, BRUSH_RANGE, CANVAS_SIDE, place, rasterize
from digits.ink.pen_digits import PenDigit, read_pen_digits
from digits.ink.preprocessing import ALL_STAGES, IMAGE_SIDE, Preprocessing, preprocess


def render_inputs(
    digits: list[PenDigit], options: Preprocessing = ALL_STAGES, anywhere: int | None = None
) -> np.ndarray:
    """Draw digits on the Draw page's canvas and preprocess them: (n, 28, 28) uint8.

    They are drawn in the middle, 200 pixels large and with the default brush. With ``anywhere``,
    a seed, size (60 to 240 pixels), place and brush are random.
    """
    random = None if anywhere is None else np.random.default_rng(anywhere)
    x = np.empty((len(digits), IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    for number, digit in enumerate(digits):
        side, brush, shift = 200.0, float(BRUSH), np.zeros((2, 1))
        if random:
            side, brush = random.uniform(60, 240), random.uniform(*BRUSH_RANGE)
        strokes = place(digit.strokes, side)
        if random:
            low, high = (f(np.concatenate(strokes, axis=1), axis=1) for f in (np.min, np.max))
            shift = random.uniform(brush / 2 - low, CANVAS_SIDE - brush / 2 - high)[:, None]
        strokes = [stroke + shift for stroke in strokes]
        x[number] = preprocess(
            rasterize(strokes, CANVAS_SIDE, CANVAS_SIDE, brush), strokes, options
        )
    return x


def score(
    file: str | Path,
    predict: Callable[[np.ndarray], np.ndarray],
    options: Preprocessing = ALL_STAGES,
    anywhere: int | None = None,
    writers: str | None = None,
) -> dict[str, Any]:
    """Draw each digit of a file, preprocess it as the Draw page does, and count the correct ones.

    ``predict`` takes (n, 28, 28) uint8 and gives (n, 10); ``options`` and ``anywhere`` are
    those of ``render_inputs``; ``writers`` is one of ``HALVES``, or all. Digits marked suspect are
    left out. The result is fit for JSON: ``digits``, ``correct``, ``accuracy``, ``cross_entropy``
    in nats, ``suspect`` (how many were left out), ``confusion_matrix`` (10 × 10, rows are the
    truth) and ``by_writer``, the correct and all digits of each; who has no number wrote one.
    Raises as ``read_pen_digits`` does, and ``ValueError`` when nothing is left to score.
    """
    recorded = read_pen_digits(file, writers)
    digits = [digit for digit in recorded if not digit.suspect]
    if not digits:
        raise ValueError(f"{Path(file).name} holds no such digit that is not marked suspect.")
    y = np.array([digit.label for digit in digits])
    p = predict(render_inputs(digits, options, anywhere))
    y_pred = p.argmax(axis=1)
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (y, y_pred), 1)
    correct = int(np.trace(matrix))
    by_writer: dict[int, list[int]] = {}
    for number, (digit, hit) in enumerate(zip(digits, y_pred == y, strict=True)):
        counts = by_writer.setdefault(-1 - number if digit.writer is None else digit.writer, [0, 0])
        counts[:] = counts[0] + int(hit), counts[1] + 1
    return {
        "digits": len(digits),
        "correct": correct,
        "accuracy": correct / len(digits),
        "cross_entropy": float(-np.log(np.maximum(p[np.arange(len(y)), y], 1e-7)).mean()),
        "suspect": len(recorded) - len(digits),
        "confusion_matrix": matrix.tolist(),
        "by_writer": list(by_writer.values()),
    }
