"""From ink to the image that the network sees."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digits.ink import image_files, preprocessing


def seven(side: int = 280, left: int = 80, top: int = 60, size: int = 120) -> np.ndarray:
    """A 7 as a person might draw it: (side, side) uint8 ink."""
    canvas = Image.new("L", (side, side))
    corners = [(0.05, 0.05), (0.7, 0.05), (0.25, 1.0)]
    line = [(left + size * x, top + size * y) for x, y in corners]
    ImageDraw.Draw(canvas).line(line, fill=255, width=size // 8, joint="curve")
    return np.asarray(canvas)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference of two images, as a share of full ink."""
    return float(np.abs(a.astype(float) - b).mean() / 255)


def centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    rows, columns = np.indices(image.shape)
    return (rows * image).sum() / image.sum(), (columns * image).sum() / image.sum()


def test_normalize_gives_a_28_by_28_image_from_paper_to_full_ink():
    image = preprocessing.normalize(seven())
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.min() == 0
    assert 0.9 * 255 < image.max() <= 255


def test_normalize_makes_the_longer_side_20_pixels():
    tall, wide = (
        preprocessing.crop(preprocessing.normalize(seven())),
        np.zeros((100, 200), np.uint8),
    )
    wide[40:50, 20:180] = 255
    assert tall.shape[0] == 20
    assert preprocessing.crop(preprocessing.normalize(wide)).shape == (1, 20)


def test_normalize_puts_the_centre_of_mass_in_the_middle():
    for ink in (seven(), np.rot90(seven()), np.rot90(seven(), 2), np.rot90(seven(), 3)):
        assert centre_of_mass(preprocessing.normalize(ink)) == pytest.approx((14, 14), abs=0.5)


def test_normalize_cuts_nothing_off_when_the_weight_is_in_a_corner():
    ink = np.zeros((200, 200), np.uint8)
    ink[:100, :100] = 255
    ink[:, 0] = 255
    ink[199, :] = 255
    image = preprocessing.normalize(ink)
    assert preprocessing.crop(image).shape == (20, 20)


def test_normalize_does_not_care_where_the_digit_is_drawn():
    assert np.array_equal(
        preprocessing.normalize(seven(left=10, top=5)),
        preprocessing.normalize(seven(left=140, top=150)),
    )


def test_normalize_does_not_care_how_large_the_digit_is_drawn():
    large = np.kron(seven(), np.ones((3, 3), np.uint8))
    assert difference(preprocessing.normalize(seven()), preprocessing.normalize(large)) < 0.01


def test_normalize_does_not_care_about_the_shape_of_the_canvas():
    ink = seven()
    wide = np.pad(ink, ((0, 0), (100, 700)))
    assert np.array_equal(preprocessing.normalize(wide), preprocessing.normalize(ink))


def test_normalize_keeps_the_aspect_ratio():
    ink = np.zeros((300, 300), np.uint8)
    ink[50:250, 100:150] = 255
    assert preprocessing.crop(preprocessing.normalize(ink)).shape == (20, 5)


def test_normalize_leaves_an_image_alone_that_is_laid_out_already():
    once = preprocessing.normalize(seven())
    ten_times = np.kron(once, np.ones((10, 10), np.uint8))
    assert difference(preprocessing.normalize(ten_times), once) < 0.01


@pytest.mark.mnist
def test_normalize_gives_mnists_own_digits_back():
    data = pytest.importorskip("digits.data.datasets")
    if not data.available("mnist"):
        pytest.skip("MNIST is not on this machine")
    x_test, _ = data.load_test("mnist")
    errors = []
    for digit in x_test[:500]:
        ten_times = np.kron(digit, np.ones((10, 10), np.uint8))
        errors.append(difference(preprocessing.normalize(ten_times), digit))
    assert np.mean(errors) < 0.01


def test_normalize_refuses_a_blank_drawing():
    with pytest.raises(ValueError, match="blank"):
        preprocessing.normalize(np.zeros((280, 280), np.uint8))


def test_remark_has_nothing_to_say_about_a_plain_digit():
    assert preprocessing.describe_problem(seven()) is None


def test_remark_asks_for_a_digit_on_a_blank_canvas():
    assert "0 to 9" in (preprocessing.describe_problem(np.zeros((280, 280), np.uint8)) or "")


def test_remark_notices_a_dot():
    ink = np.zeros((280, 280), np.uint8)
    ink[100:118, 100:118] = 255
    assert "dot" in (preprocessing.describe_problem(ink) or "")


def test_remark_notices_ink_at_the_edge():
    assert "edge" in (preprocessing.describe_problem(seven(left=200)) or "")


def test_remark_notices_a_canvas_full_of_ink():
    ink = np.zeros((280, 280), np.uint8)
    ink[20:260, 20:260] = 255
    assert "a lot of ink" in (preprocessing.describe_problem(ink) or "")


def test_read_image_takes_dark_on_light_and_light_on_dark(tmp_path):
    ink = seven()
    Image.fromarray(ink).save(tmp_path / "light.png")
    Image.fromarray(255 - ink).save(tmp_path / "dark.png")
    light, dark = (
        image_files.read_image(tmp_path / "light.png"),
        image_files.read_image(str(tmp_path / "dark.png")),
    )
    assert np.array_equal(light, dark)
    assert np.abs(light.astype(int) - ink).mean() < 1


def test_read_image_sees_through_grain_and_jpeg_noise(tmp_path):
    random = np.random.default_rng(0)
    photo = 200 - 0.6 * seven() + random.normal(0, 6, (280, 280))
    Image.fromarray(photo.clip(0, 255).astype(np.uint8)).save(tmp_path / "photo.jpg", quality=70)
    seen = preprocessing.normalize(image_files.read_image(tmp_path / "photo.jpg"))
    assert difference(seen, preprocessing.normalize(seven())) < 0.03


@pytest.mark.parametrize("grey", [0, 255])
def test_read_image_takes_what_is_transparent_for_paper(tmp_path, grey):
    rgba = np.full((280, 280, 4), grey, np.uint8)
    rgba[..., 3] = seven()
    Image.fromarray(rgba).save(tmp_path / "clear.png")
    assert np.abs(image_files.read_image(tmp_path / "clear.png").astype(int) - seven()).mean() < 2


def test_read_image_turns_a_picture_the_way_the_camera_was_held(tmp_path):
    sideways = Image.fromarray(255 - np.rot90(seven()))
    orientation = Image.Exif()
    orientation[0x0112] = 6  # turn a quarter clockwise to see it upright
    sideways.save(tmp_path / "phone.png", exif=orientation)
    upright = preprocessing.normalize(image_files.read_image(tmp_path / "phone.png"))
    assert difference(upright, preprocessing.normalize(seven())) < 0.01


def test_read_image_sees_no_ink_on_an_even_picture(tmp_path):
    Image.new("L", (50, 50), 180).save(tmp_path / "wall.png")
    assert not image_files.read_image(tmp_path / "wall.png").any()


def test_read_image_refuses_what_is_no_picture(tmp_path):
    (tmp_path / "text.png").write_text("a seven, in words")
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99), np.uint8)).save(whole)
    (tmp_path / "torn.png").write_bytes(whole.read_bytes()[:2000])
    for name in ("text.png", "torn.png"):
        with pytest.raises(ValueError, match=f"{name} is not a picture"):
            image_files.read_image(tmp_path / name)


def test_read_image_refuses_a_huge_picture_before_decoding_it(tmp_path):
    Image.new("1", (8000, 5000)).save(tmp_path / "huge.png")
    with pytest.raises(ValueError, match="8,000 × 5,000"):
        image_files.read_image(tmp_path / "huge.png")


def test_read_image_refuses_an_animation(tmp_path):
    frames = [Image.new("L", (20, 20), grey) for grey in (0, 128, 255)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match="animated"):
        image_files.read_image(tmp_path / "moving.gif")


def test_read_image_says_when_there_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        image_files.read_image(tmp_path / "nowhere.png")


def test_each_step_of_the_preparation_can_be_left_out():
    ink = seven(left=140, top=20, size=100)

    def prepared(**without: bool) -> np.ndarray:
        return preprocessing.normalize(ink, preprocessing.Preprocessing(**without))

    assert preprocessing.crop(prepared(fit=False)).shape[0] == 28
    box = prepared(center=False)
    rows, columns = np.nonzero(box)
    assert abs(rows.min() + rows.max() - 27) <= 1  # its middle in the middle,
    assert abs(columns.min() + columns.max() - 27) <= 1
    assert centre_of_mass(box) != pytest.approx((14, 14), abs=0.5)  # not its mass
    sheet = preprocessing.normalize(ink, preprocessing.NO_STAGES)
    shrunk = Image.fromarray(ink).resize((28, 28), Image.Resampling.BOX)
    assert np.array_equal(sheet, np.asarray(shrunk))


def test_what_vanishes_when_the_sheet_is_shrunk_is_said():
    speck = np.zeros((2800, 2800), np.uint8)
    speck[100, 100] = 255
    with pytest.raises(ValueError, match="draw larger"):
        preprocessing.normalize(speck, preprocessing.NO_STAGES)
