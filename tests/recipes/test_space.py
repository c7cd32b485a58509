"""Search spaces: text and values both ways, what is refused, and what can be built."""

import numpy as np
import pytest

from digits.recipes import space
from digits.recipes.recipe import Conv, Recipe
from digits.recipes.space import Choices, Range, Space, apply, parse_dimension

BASE = Recipe()


def test_a_range_is_logarithmic_where_the_options_of_its_control_double() -> None:
    assert parse_dimension("learning_rate", "1e-4..1e-1") == Range(1e-4, 1e-1, True, False)
    assert parse_dimension("batch_size", "16..512") == Range(16, 512, True, True)
    assert parse_dimension("dropout", "0..0.5") == Range(0, 0.5, False, False)


def test_half_way_of_a_logarithmic_range_is_its_geometric_mean() -> None:
    rate = Range(1e-4, 1e-2, True, False)
    assert [rate.at(share) for share in (0, 0.5, 1)] == [1e-4, 1e-3, 1e-2]


def test_a_value_never_leaves_its_range_by_being_rounded() -> None:
    rate = Range(0.00012345, 0.00012355, True, False)
    assert all(rate.low <= rate.at(share) <= rate.high for share in np.linspace(0, 1, 50))


@pytest.mark.parametrize("name", space.SEARCHABLE)
def test_every_searchable_hyperparameter_has_a_suggestion_that_survives_as_text(name: str) -> None:
    found = Space.parse({name: space.suggestion(name)})
    assert Space.parse(found.texts()) == found
    found.check(BASE)


def test_blocks_are_parted_by_spaces() -> None:
    found = parse_dimension("conv", "8x3p 16x3p,32x5")
    assert found == Choices(((Conv(8),), (Conv(16), Conv(32, 5, False))))
    values = {"conv": (Conv(16), Conv(32, 5, False)), "batch_norm": True, "train_images": None}
    assert space.from_texts(space.to_texts(values)) == values


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("learning_rate", "0.1..0.001", "upside down; write 0.001..0.1"),
        ("learning_rate", "0.1..0.1", "one number only"),
        ("learning_rate", "0..1", r"Learning rate \(peak\) is 0"),
        ("learning_rate", "0.01", "nothing to choose from"),
        ("learning_rate", "low..high", "no value of learning rate"),
        ("learning_rate", "1e-4..", "needs a number at both ends"),
        ("learning_rate", "nan..1", r"Learning rate \(peak\) is nan"),
        ("batch_size", "32,32", "Batch size: “32,32” leaves nothing to choose from"),
        ("batch_size", "0,32", "Batch size is 0; it can be 1 to 4096"),
        ("optimizer", "adam..sgd", "Optimizer: only numbers have a range"),
        ("optimizer", "adam,magic", "Optimizer is 'magic'"),
        ("conv", "8x3p 8x40p", "Kernel size of conv 1 is 40; it can be 1 to 28"),
        ("conv", "8x3p " + "8x1," * 8 + "8x1", "Number of conv blocks is 9"),
        ("batch_norm", "yes,no", "neither true nor false"),
        ("train_images", "500..all", "needs a number at both ends"),
        ("epochs", "1,2", "A sweep cannot vary epochs"),
        ("colour", "1,2", "is no hyperparameter"),
    ],
)
def test_what_is_no_dimension_is_refused_in_a_sentence(name: str, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_dimension(name, text)


@pytest.mark.parametrize("name", [name for name in space.SEARCHABLE if "_" in name])
@pytest.mark.parametrize("text", ["1", "1..", "2..1", "1..1", "-9,-8", "-9..-8", "no,way"])
def test_no_sentence_about_a_dimension_has_the_name_of_a_field(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=" ") as error:
        parse_dimension(name, text)
    assert name not in str(error.value)


def test_a_space_in_which_no_network_fits_says_why() -> None:
    found = Space.parse({"conv": "8x28p 8x28p,8x3"})
    with pytest.raises(ValueError, match=r"Nothing in this space can be built\. Nothing is left"):
        found.check(BASE)
    with pytest.raises(ValueError, match="Nothing to search"):
        Space.parse({})


def test_only_what_can_be_built_is_drawn_and_is_on_the_grid() -> None:
    found = Space.parse({"conv": "8x3p 8x28p 16x3p", "learning_rate": "1e-3..1e-2"})
    rng = np.random.default_rng(0)
    drawn = [found.draw(BASE, rng) for _ in range(50)]
    assert {values["conv"] for values in drawn} == {(Conv(8),), (Conv(16),)}
    points = found.grid(BASE)
    assert {values["conv"] for values in points} == {(Conv(8),), (Conv(16),)}
    assert {values["learning_rate"] for values in points} == {0.001, 0.002, 0.005, 0.01}
    assert len(points) == 8


def test_a_grid_that_is_too_large_is_refused() -> None:
    names = ("learning_rate", "dropout", "rotation", "zoom", "shift", "shear")
    found = Space.parse({name: space.suggestion(name) for name in names})
    with pytest.raises(ValueError, match="15,625 points"):
        found.grid(BASE)


def test_what_a_value_needs_comes_with_it() -> None:
    recipe = apply(BASE, {"label_smoothing": 0.1})
    assert recipe.loss == "categorical_crossentropy"
    assert apply(BASE, {"label_smoothing": 0.0}) == BASE
    with pytest.raises(ValueError, match="has an effect only where"):
        apply(BASE, {"label_smoothing": 0.1, "loss": BASE.loss})


def test_options_are_searched_where_they_have_several_values() -> None:
    texts = {"learning_rate": "1e-3..1e-2", "batch_size": "64", "conv": "8x3p,16x3", "dense": "8 9"}
    fixed, searched = space.split(texts)
    assert fixed == {"batch_size": 64, "conv": (Conv(8), Conv(16, pool=False))}
    assert searched == {"learning_rate": "1e-3..1e-2", "dense": "8 9"}
