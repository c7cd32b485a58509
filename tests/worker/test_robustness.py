"""Transformed digits against NumPy and SciPy, and the curves that come of them."""

import numpy as np
import pytest
from scipy import ndimage

from digits.data import datasets
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.runs import Run
from digits.worker.robustness import (
    TRANSFORMS,
    change_stroke_width,
    examples,
    robustness,
    transform,
)

NOTHING = {"rotation": 0, "shift": 0, "scale": 1, "noise": 0, "stroke_width": 0}


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    return datasets.load_test("uci")[0]


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_without_strength_images_are_untouched(x: np.ndarray, kind: str) -> None:
    assert NOTHING[kind] in TRANSFORMS[kind][1]
    assert (transform(x, kind, NOTHING[kind]) == x).all()


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_examples_show_every_strength(x: np.ndarray, kind: str) -> None:
    strengths = TRANSFORMS[kind][1]
    shown = examples(x[0], kind)
    assert shown.shape == (len(strengths), 28, 28)
    assert shown.dtype == np.uint8
    assert (shown[strengths.index(NOTHING[kind])] == x[0]).all()
    assert [s for s, image in zip(strengths, shown, strict=True) if (image == x[0]).all()] == [
        NOTHING[kind]
    ]


def test_a_rotation_goes_counterclockwise_about_the_middle(x: np.ndarray) -> None:
    assert np.abs(transform(x, "rotation", 90) - np.rot90(x, axes=(1, 2)).astype(int)).max() <= 1
    assert np.abs(transform(x, "rotation", -90) - np.rot90(x, -1, (1, 2)).astype(int)).max() <= 1


def test_a_shift_moves_whole_pixels_in_one_of_four_ways(x: np.ndarray) -> None:
    moved = transform(x, "shift", 3)
    ways = []
    for image, shifted in zip(x, moved, strict=True):
        wide = np.pad(image, 3)
        could = {
            "right": wide[3:31, 0:28],
            "left": wide[3:31, 6:34],
            "down": wide[0:28, 3:31],
            "up": wide[6:34, 3:31],
        }
        ways += [way for way, place in could.items() if (shifted == place).all()]
    assert len(ways) == len(x)
    assert set(ways) == {"right", "left", "down", "up"}


@pytest.mark.parametrize("strength", [0.5, 0.8, 1.2])
def test_scaling_changes_the_ink_by_the_square(x: np.ndarray, strength: float) -> None:
    ink = transform(x, "scale", strength).sum() / x.sum()
    assert ink == pytest.approx(strength**2, rel=0.03)


def test_noise_has_the_standard_deviation_that_it_says_and_is_the_same_again() -> None:
    grey = np.full((200, 28, 28), 128, np.uint8)
    noisy = transform(grey, "noise", 0.1)
    assert noisy.std() == pytest.approx(0.1 * 255, rel=0.01)
    assert (transform(grey, "noise", 0.1) == noisy).all()


@pytest.mark.parametrize("width", [-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2])
def test_thickness_is_dilation_and_erosion_by_a_disc(x: np.ndarray, width: float) -> None:
    radius = 2 * abs(width)  # points of the image four times as large
    span = np.arange(-4, 5)
    disc = np.hypot(span[:, None], span) <= radius
    change = ndimage.grey_dilation if width > 0 else ndimage.grey_erosion
    for image in x[:10]:
        large = np.kron(image, np.ones((4, 4), np.uint8))
        changed = change(large, footprint=disc, mode="constant")
        expected = changed.reshape(28, 4, 28, 4).mean(axis=(1, 3))
        assert change_stroke_width(image[None], width)[0] == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("width", [-2, -0.5, 0.5, 1, 2])
def test_a_bar_gets_wider_by_as_much_as_was_told(width: float) -> None:
    bar = np.zeros((1, 28, 28), np.uint8)
    bar[:, :, 10:14] = 255
    assert change_stroke_width(bar, width)[0, 14].sum(dtype=int) == pytest.approx(
        255 * (4 + width), abs=2
    )


def test_curves_have_the_accuracy_of_the_run_where_nothing_is_changed(trained: Run) -> None:
    seen: list[list[str]] = []
    curves = robustness(trained, lambda message: seen.append([*(trained.robustness() or {})]))
    assert trained.robustness() == curves
    assert seen == [list(TRANSFORMS)[:n] for n in range(len(TRANSFORMS))]  # told as they come
    _, y = datasets.load_test("uci")
    counts = np.bincount(y) / len(y)
    for kind, curve in curves.items():
        assert curve["images"] == len(y)
        untouched = curve["strengths"].index(NOTHING[kind])
        assert curve["accuracy"][untouched] == trained.result()["test_accuracy"]  # type: ignore[index]
        assert curve["accuracy"] == pytest.approx(np.array(curve["per_digit"]) @ counts)
        assert min(curve["accuracy"]) < curve["accuracy"][untouched]


def test_what_is_there_is_not_done_again(trained: Run) -> None:
    curves = robustness(trained)
    marked = {**curves, "noise": {**curves["noise"], "images": 7}}
    del marked["scale"]
    trained.write_robustness(marked)
    again = robustness(trained)
    assert again["noise"]["images"] == 7
    assert again["scale"] == curves["scale"]
    (trained.folder / "robustness.json").write_text("{")
    assert robustness(trained) == curves


def test_a_run_without_a_model_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="has no model"):
        robustness(runs.create(Recipe(dataset="uci"), "None"))
