"""Several digits in one drawing: segmented, recognized, scored."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from digits.ink import canvas, pen_digits
from digits.ink.pen_digits import PenDigit
from digits.multidigit import benchmark, decode, from_pixels, from_strokes
from digits.multidigit.decode import Digit, Number
from digits.store.models import ModelRef
from digits.worker import predict as worker

Stroke = list[tuple[float, float]]

THREE: list[Stroke] = [
    [
        (95, 70),
        (130, 55),
        (175, 65),
        (185, 95),
        (165, 125),
        (130, 135),
        (170, 142),
        (192, 175),
        (175, 215),
        (130, 228),
        (90, 210),
    ]
]
SEVEN: list[Stroke] = [[(85, 60), (195, 60), (160, 130), (130, 230)]]
CROSSED_SEVEN: list[Stroke] = [*SEVEN, [(110, 145), (195, 140)]]
FOUR: list[Stroke] = [
    [(130, 60), (112, 110), (95, 158), (98, 162), (140, 160), (195, 160), (195, 160)],
    [(165, 100), (160, 230)],
]
FIVE: list[Stroke] = [
    [(115, 65), (105, 130), (150, 120), (180, 160), (160, 215), (95, 220)],
    [(115, 65), (185, 60)],
]


def beside(*digits: list[Stroke], step: float = 150) -> list[np.ndarray]:
    """Digits drawn one after the other, each (2, points), so many pixels further right."""
    return [
        np.array(stroke, float).T + np.array([[number * step], [0]])
        for number, digit in enumerate(digits)
        for stroke in digit
    ]


def predict(x: np.ndarray) -> np.ndarray:
    return worker.predict(worker.load(ModelRef()), x)


def by_strokes(drawn: list[np.ndarray]) -> Number:
    [number] = decode.decode([from_strokes.from_strokes(drawn)], predict)
    return number


def by_pixels(drawn: list[np.ndarray]) -> Number:
    [number] = decode.decode(
        [from_pixels.from_ink(canvas.rasterize(drawn, 800, 280, benchmark.BRUSH))], predict
    )
    return number


@pytest.mark.parametrize("recognize", [by_strokes, by_pixels])
def test_digits_are_recognized_from_left_to_right_each_in_its_box(
    recognize: Callable[[list[np.ndarray]], Number],
) -> None:
    number = recognize(beside(THREE, SEVEN, FOUR, FIVE))
    assert number.text == "3745"
    for place, digit in enumerate(number.digits):
        left, top, right, bottom = digit.box
        assert 70 + 150 * place < left < right < 210 + 150 * place
        assert 45 <= top < bottom <= 240
        assert digit.probability == pytest.approx(digit.probabilities.max())
        assert digit.image.shape == (28, 28)


def test_the_order_of_writing_does_not_matter() -> None:
    drawn = beside(THREE, SEVEN, FIVE)
    assert by_strokes(drawn[::-1]).text == by_strokes(drawn).text == "375"


@pytest.mark.parametrize(("digit", "value"), [(FOUR, "4"), (FIVE, "5"), (CROSSED_SEVEN, "7")])
def test_strokes_of_one_digit_belong_together(digit: list[Stroke], value: str) -> None:
    assert by_strokes(beside(digit)).text == value
    assert by_strokes(beside(digit, THREE, digit)).text == f"{value}3{value}"


def test_a_bar_that_hangs_loose_beside_its_5_is_part_of_it() -> None:
    body, bar = FIVE
    loose = [(x + 22, y - 4) for x, y in bar]
    assert by_strokes(beside([body, loose], THREE)).text == "53"
    assert by_pixels(beside([body, loose], THREE)).text == "53"


@pytest.mark.parametrize("recognize", [by_strokes, by_pixels])
@pytest.mark.parametrize(("pair", "text"), [((FIVE, THREE), "53"), ((THREE, FOUR), "34")])
def test_touching_digits_are_separated(
    recognize: Callable[[list[np.ndarray]], Number], pair: list[list[Stroke]], text: str
) -> None:
    touching = beside(*pair, step=92)
    ink = canvas.rasterize(touching, 800, 280, benchmark.BRUSH)
    assert from_pixels.connected_components(ink > 127)[1] == 1  # or this would show nothing
    assert recognize(touching).text == text


def test_strokes_side_by_side_are_cut_along_and_no_ink_is_lost() -> None:
    mask = np.zeros((64, 60), bool)
    mask[:36, 16:23] = mask[:36, 35:42] = True  # two strokes down, 7 wide,
    mask[30:, 22:36] = True  # which run into each other
    parts, costs = from_pixels.split_touching(mask, 64, from_pixels.stroke_width([mask]))
    assert np.array_equal(np.sum(parts, axis=0), mask)
    assert len(costs) == len(parts) - 1
    left = mask & (np.arange(60) < 29)
    halves = [np.any(parts[:k], axis=0) for k in range(1, len(parts))]
    assert max((left & half).sum() / (left | half).sum() for half in halves) > 0.9


def test_digits_written_without_lifting_the_pen_are_separated() -> None:
    turn = np.linspace(0, 2 * np.pi, 25)
    loop = np.stack([45 * np.cos(turn), 70 * np.sin(turn)]) + 100
    second = np.stack([-45 * np.cos(turn), 70 * np.sin(turn)]) + np.array([[215], [100]])
    assert by_strokes([np.concatenate([loop, second], axis=1)]).text == "00"


def test_the_brush_does_not_matter_to_strokes() -> None:
    small = [stroke / 4 for stroke in beside(THREE, SEVEN)]
    assert by_strokes(small).text == "37"


def test_all_lines_are_predicted_in_one_batch() -> None:
    batches = []

    def counting(x: np.ndarray) -> np.ndarray:
        batches.append(x)
        return predict(x)

    lines = [
        from_strokes.from_strokes(beside(THREE, SEVEN)),
        from_strokes.from_strokes(beside(FOUR)),
    ]
    assert [number.text for number in decode.decode(lines, counting)] == ["37", "4"]
    [x] = batches
    assert x.dtype == np.uint8
    assert x.shape[1:] == (28, 28)
    assert decode.decode([], counting) == []


def test_a_number_is_unsure_when_a_digit_is_or_when_an_alternative_is_as_likely() -> None:
    box, image = (0.0, 0.0, 1.0, 1.0), np.zeros((28, 28), np.uint8)
    sure = Digit(box, image, np.array([0.01] * 9 + [0.91]))
    faint = Digit(box, image, np.array([0.05] * 9 + [0.55]))
    assert Number([sure, sure]).sure
    assert not Number([sure, faint]).sure
    assert not Number([sure, sure], alternative="77").sure
    assert Number([sure, faint]).text == "99"


@pytest.mark.parametrize(("cost_of_whole", "text"), [(0.0, "7"), (1.0, "11")])
def test_halves_as_likely_as_the_whole_are_told_as_an_alternative(
    cost_of_whole: float, text: str
) -> None:
    bars = [np.array([[x, x + 5.0], [50.0, 200]]) for x in (100.0, 160.0)]
    candidates = decode.Candidates(
        [(0, 1), (0, 2), (1, 2)],
        np.zeros((3, 28, 28), np.uint8),
        np.array([0.25, cost_of_whole, 0.25]),
    )
    line = from_strokes.from_strokes(bars)
    number = decode.choose_digits(line, candidates, np.eye(10)[[1, 7, 1]])
    assert number.text == text
    assert {number.text, number.alternative} == {"7", "11"}


def test_blank_ink_is_refused() -> None:
    with pytest.raises(ValueError, match="blank"):
        from_pixels.from_ink(np.zeros((50, 50), np.uint8))


def test_a_sliver_of_a_thick_line_does_not_vanish_in_the_images() -> None:
    ink = np.zeros((280, 400), np.uint8)
    ink[60:220, 100:160] = 255  # as thick as a marker
    ink[60:220, 200:203] = 255
    for image in decode.find_candidates(from_pixels.from_ink(ink)).images:
        assert image.any()


def all_ten(writer: int | None) -> list[PenDigit]:
    drawn = [(3, THREE), (7, SEVEN), (4, FOUR), (5, FIVE), (7, CROSSED_SEVEN)]
    return [PenDigit(label, beside(one), writer=writer) for label, one in drawn]


def test_composed_numbers_are_of_one_writer_and_touch_every_fourth_time() -> None:
    bent = [PenDigit(1, beside([[(0, 0), (50, 100)]]), writer=2)] * 5
    composed = benchmark.compose_numbers(all_ten(1) + bent, 40, seed=1)
    assert {1} in ({int(digit) for digit in one.text} for one in composed)
    assert all(set(one.text) == {"1"} or "1" not in one.text for one in composed)
    assert {len(one.text) for one in composed} == {2, 3, 4, 5}
    assert [one.gap == 0 for one in composed] == [False, False, False, True] * 10
    for one in composed:
        width, height = np.concatenate(one.strokes, axis=1).max(axis=1).astype(int) + 30
        parts = from_pixels.connected_components(
            canvas.rasterize(one.strokes, width, height, benchmark.BRUSH) > 127
        )[1]
        if one.gap > 0.05:
            assert parts >= len(one.text)


def test_composing_is_the_same_for_the_same_seed_and_needs_one_writer_with_enough_digits() -> None:
    once, again, other = (benchmark.compose_numbers(all_ten(1), 8, seed) for seed in (3, 3, 4))
    assert [one.text for one in once] == [one.text for one in again]
    assert [one.text for one in once] != [one.text for one in other]
    with pytest.raises(ValueError, match="writer"):
        benchmark.compose_numbers(all_ten(None), 8, 0)


def test_score_counts_numbers_that_are_recognized_whole(tmp_path) -> None:
    digits = [
        {"label": one.label, "writer": 1, "strokes": [stroke.tolist() for stroke in one.strokes]}
        for one in all_ten(1)
    ]
    file = tmp_path / "digits.json"
    file.write_text(json.dumps({"format": pen_digits.FORMAT, "digits": digits}))
    report = json.loads(json.dumps(benchmark.score(file, predict, 8, 0)))
    for way in ("strokes", "pixels"):
        scores = report[way]
        assert scores["whole"] + len(scores["wrong"]) == 8
        assert sum(kind["of"] for kind in scores["by_spacing"].values()) == 8
        assert scores["by_spacing"]["touching"]["of"] == 2
        assert sum(kind["whole"] for kind in scores["by_length"].values()) == scores["whole"]
        low, high = scores["interval"]
        assert low < scores["whole"] / 8 <= high
    assert report["strokes"]["whole"] >= 7

    own = pen_digits.half(1)
    [other] = set(pen_digits.HALVES) - {own}
    assert benchmark.score(file, predict, 8, 0, own) == report
    with pytest.raises(ValueError, match="No writer"):
        benchmark.score(file, predict, 8, 0, other)
