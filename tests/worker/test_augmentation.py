"""Augmentation: as far as told, the same again for the same step, and no bend but a smooth one."""

import numpy as np
import pytest
import tensorflow as tf

from digits.data import datasets
from digits.recipes.recipe import Recipe
from digits.worker import augmentation
from digits.worker.augmentation import augment

IMAGES = datasets.load_test("uci")[0][:64, ..., None].astype(np.float32) / 255


def augmented(step: int = 0, **how: float) -> np.ndarray:
    recipe = Recipe(**how)  # type: ignore[arg-type]
    return augment(tf.constant(IMAGES), recipe, tf.constant(step)).numpy()


def centre(images: np.ndarray) -> np.ndarray:
    """Centre of mass of each image, (n, 2), in pixels."""
    places = np.indices((28, 28)).reshape(2, -1)
    ink = images.reshape(len(images), -1)
    return ink @ places.T / ink.sum(axis=1, keepdims=True)


def test_a_recipe_without_augmentation_leaves_the_images_as_they_are() -> None:
    assert (augmented() == IMAGES).all()


def test_the_two_ways_to_move_an_image_agree_where_nothing_bends() -> None:
    how = {"shift": 2.0, "rotation": 15.0, "zoom": 0.1, "shear": 10.0, "stretch": 0.1}
    np.testing.assert_allclose(augmented(**how, elastic=1e-9), augmented(**how), atol=1e-4)


@pytest.mark.parametrize(
    "how", [{"shift": 3.0}, {"elastic": 2.0}, {"shear": 20.0}, {"stroke_width": 1.0}]
)
def test_each_step_moves_the_images_another_way_and_the_same_step_the_same_way(
    how: dict[str, float],
) -> None:
    assert (augmented(1, **how) == augmented(1, **how)).all()
    assert (augmented(1, **how) != augmented(2, **how)).any()


def test_a_digit_is_shifted_at_most_as_far_as_told() -> None:
    moved = np.abs(centre(augmented(shift=2.0)) - centre(IMAGES))
    assert 1 < moved.max() <= 2.01


def test_a_bend_moves_no_pixel_further_than_told() -> None:
    """A bright column ends up within the reach of the bend, whatever the bend."""
    column = np.zeros((64, 28, 28, 1), np.float32)
    column[:, :, 14] = 1
    bent = augment(tf.constant(column), Recipe(elastic=2.0), tf.constant(3)).numpy()[..., 0]
    reach = np.flatnonzero(bent.sum(axis=(0, 1)) > 1e-3)
    assert 11 <= reach.min() < 14 < reach.max() <= 17


def moved(images: np.ndarray, **how: float) -> np.ndarray:
    """By exactly so much, where ``augment`` lets chance decide how much."""
    still = {"rotation": 0.0, "zoom": 1.0, "left": 0.0, "up": 0.0}
    ways = {name: tf.fill([len(images)], value) for name, value in (still | how).items()}
    return augmentation.transform(tf.constant(images), **ways).numpy()


def test_a_slant_leans_upright_lines_to_the_right_by_its_angle() -> None:
    line = np.zeros((1, 28, 28, 1), np.float32)
    line[:, 4:24, 13:15] = 1
    leaning = moved(line, shear=30.0)[0, ..., 0]
    columns = leaning @ np.arange(28) / np.maximum(leaning.sum(axis=1), 1e-9)  # of each row
    shift = columns[5] - columns[22]
    assert shift == pytest.approx(17 * np.tan(np.radians(30)), abs=0.3)
    assert columns[13:15].mean() == pytest.approx(13.5, abs=0.1)


def test_a_stretch_changes_the_width_alone_also_of_a_digit_that_is_then_turned() -> None:
    square = np.zeros((1, 28, 28, 1), np.float32)
    square[:, 10:18, 10:18] = 1
    wide = moved(square, stretch=1.5)[0, ..., 0]
    assert wide[14].sum() == pytest.approx(12, abs=0.2)
    assert wide[:, 14].sum() == pytest.approx(8, abs=0.2)
    upright = moved(square, stretch=1.5, rotation=90.0)[0, ..., 0]
    np.testing.assert_allclose(upright, np.rot90(wide), atol=0.02)


@pytest.mark.parametrize(("pixels", "wide"), [(1.0, 5), (0.5, 4), (0.0, 3), (-0.5, 2), (-1.0, 1)])
def test_a_line_grows_or_shrinks_on_either_side(pixels: float, wide: float) -> None:
    line = np.zeros((1, 28, 28, 1), np.float32)
    line[:, :, 12:15] = 1
    grown = augmentation.change_stroke_width(tf.constant(line), tf.constant([pixels])).numpy()[
        0, ..., 0
    ]
    assert grown[14].sum() == pytest.approx(wide)
