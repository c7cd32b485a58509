"""A recipe as a file of a visitor: what it holds, or a sentence."""

import pytest

from digits.recipes.recipe import Recipe
from widgets.train.recipe_file import read_recipe


def test_a_saved_recipe_is_read_back() -> None:
    recipe = Recipe(learning_rate=0.02, dense=(16, 8))
    assert read_recipe(recipe.to_json().encode()) == recipe


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}" * 2**20, b"[" * 100_000]
    + [
        Recipe().to_json().replace('"epochs": 5', f'"epochs": {value}').encode()
        for value in ("0", "null", '"five"', "1e400", "[]")
    ],
    ids=range(12),
)
def test_a_file_without_a_recipe_is_a_sentence(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w+ .*\w"):
        read_recipe(content)
