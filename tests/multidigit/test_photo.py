"""Photos of digits on paper, rendered: no real one is at hand."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from benchmarks import photos
from digits.ink.canvas import rasterize
from digits.multidigit import photo
from digits.multidigit.benchmark import compose_numbers
from tests.multidigit.test_numbers import FIVE, FOUR, SEVEN, THREE, all_ten, beside, predict


def written(*digits, step: float = 150, brush: float = 10) -> np.ndarray:
    strokes = beside(*digits, step=step)
    width = int(np.concatenate(strokes, axis=1)[0].max()) + 60
    return rasterize(strokes, width, 280, brush)


def texts(content: bytes) -> list[str]:
    return [number.text for number in photo.recognize_photo(content, "photo.jpg", predict)[1]]


@pytest.mark.parametrize("ruling", ["plain", "ruled", "squared"])
@pytest.mark.parametrize("tilt", [-4, 3])
def test_digits_are_recognized_on_any_paper_in_uneven_light(ruling: str, tilt: float) -> None:
    content = photos.photo(
        written(THREE, SEVEN, FOUR, FIVE),
        width=2000,
        height=1500,
        ruling=ruling,
        rule=0.35,
        tilt=tilt,
    )
    assert texts(content) == ["3745"]


@pytest.mark.parametrize(
    "conditions",
    [
        {"shadow": "soft"},
        {"shadow": "hard"},
        {"light": 0.25, "grain": 7.0},
        {"perspective": 0.35},
        {"ruling": "squared", "step": 100, "rule": 0.3, "shadow": "hard", "perspective": 0.2},
    ],
    ids=["soft shadow", "hard shadow", "low light", "perspective", "squared in a hard shadow"],
)
def test_digits_are_recognized_in_bad_light_and_from_the_side(conditions: dict) -> None:
    content = photos.photo(
        written(THREE, SEVEN, FOUR, FIVE), width=1600, height=1200, share=0.6, **conditions
    )
    assert texts(content) == ["3745"]


def test_what_is_left_of_a_ruling_is_no_digit() -> None:
    mask = np.zeros((400, 600), bool)
    mask[100:300, 200:218] = mask[100:118, 120:200] = True  # a 7
    mask[100:300, 300:318] = True  # a 1
    mask[90:310, 400:404] = mask[150:153, 320:390] = True  # what is left
    components, slices, [line] = photo.find_numbers(mask)
    assert [slices[label - 1][1].start for label in line] == [120, 300]
    assert components[200, 401] not in line


def test_photos_of_each_kind_are_the_same_for_the_same_seed() -> None:
    number = compose_numbers(all_ten(1), 1, seed=0)[0]
    for kind in photos.KINDS:
        content = photos.of_number(number, kind, 3)
        assert content == photos.of_number(number, kind, 3)
        assert content != photos.of_number(number, kind, 4)


def test_chalk_on_a_board_is_recognized() -> None:
    content = photos.photo(written(THREE, SEVEN), width=1600, height=1200, chalk=True)
    assert texts(content) == ["37"]


def test_an_8_of_two_loops_that_do_not_meet_is_an_8() -> None:
    turn = np.linspace(0, 2 * np.pi, 30)
    upper = [(140 + 38 * x, 92 + 36 * y) for x, y in zip(np.cos(turn), np.sin(turn), strict=True)]
    lower = [(140 + 38 * x, 180 + 36 * y) for x, y in zip(np.cos(turn), np.sin(turn), strict=True)]
    content = photos.photo(written(THREE, SEVEN, [upper, lower], brush=6), width=1600, height=1200)
    assert texts(content) == ["378"]


def test_boxes_are_around_the_digits_of_the_small_photo() -> None:
    content = photos.photo(written(THREE, SEVEN), width=1600, height=1200, grain=1)
    shown, [number] = photo.recognize_photo(content, "photo.jpg", predict)
    gray = np.array(Image.open(io.BytesIO(shown)).convert("L"))
    assert max(gray.shape) == photo.SHOWN_SIDE
    for left, top, right, bottom in (digit.box for digit in number.digits):
        inside = gray[round(top) : round(bottom), round(left) : round(right)]
        assert inside.min() < 0.6 * np.median(inside)
        inside[:] = 255
    assert gray.min() > 60  # no ink is left


def test_a_photo_is_turned_the_way_the_camera_was_held() -> None:
    upright = Image.open(
        io.BytesIO(photos.photo(written(THREE, SEVEN, FOUR), width=1600, height=1200))
    )
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    content = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(content, "JPEG", exif=exif)
    shown, [number] = photo.recognize_photo(content.getvalue(), "photo.jpg", predict)
    assert number.text == "374"
    assert Image.open(io.BytesIO(shown)).size == (1000, 750)


def test_lines_of_writing_and_wide_gaps_separate_numbers() -> None:
    first = written(THREE, SEVEN, step=150)
    apart = written(FOUR, FIVE, step=500)
    sheet = np.zeros((600, 800), np.uint8)
    sheet[:280, : first.shape[1]] = first
    sheet[320:, : apart.shape[1]] = apart
    assert texts(photos.photo(sheet, width=1600, height=1200)) == ["37", "4", "5"]


def test_a_photo_of_12_megapixels_takes_under_two_seconds() -> None:
    content = photos.photo(written(THREE, SEVEN, FOUR, FIVE), ruling="squared", tilt=3)
    assert Image.open(io.BytesIO(content)).size == (4000, 3000)
    texts(photos.photo(written(THREE), width=800, height=600))  # loads the model
    start = time.process_time()
    assert texts(content) == ["3745"]
    assert time.process_time() - start < 2


def test_rules_go_and_what_is_written_across_them_stays() -> None:
    mask = np.zeros((400, 600), bool)
    columns = np.arange(600)
    for row in (100, 200, 300):
        for thick in range(3):
            mask[row + thick + columns // 20, columns] = True
    mask[80:330, 300:312] = True  # a stroke down
    mask[160:163, 290:360] = True  # a bar between two rules
    left = photo.remove_rules(mask)
    assert left[80:330, 300:312].mean() > 0.98
    assert left[160:163, 290:360].all()
    assert not left[:, :280].any()
    assert not left[:, 370:].any()


def jpeg(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG")
    return content.getvalue()


def animated() -> bytes:
    content = io.BytesIO()
    frames = [Image.new("L", (20, 20), gray) for gray in (0, 128, 255)]
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:])
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (photos.photo(np.zeros((9, 9), np.uint8), width=800, height=600), "No digits were found"),
        (jpeg(Image.new("L", (600, 400), 200)), "No digits were found"),
        (jpeg(Image.new("L", (8000, 5000))), "8,000 × 5,000"),
        (animated(), "animated"),
        (b"a seven, in words", "not a picture"),
        (b"", "not a picture"),
        (photos.photo(written(THREE), width=800, height=600)[:9000], "not a picture"),
    ],
    ids=["blank paper", "even gray", "40 megapixels", "gif", "text", "nothing", "truncated"],
)
def test_bad_input_is_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as error:
        photo.recognize_photo(content, "photo.png", predict)
    assert "\n" not in str(error.value)
