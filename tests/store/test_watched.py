"""Drawings followed while a run trains: asked for once, answered by what they look like."""

import numpy as np
import pytest

from digits.recipes.recipe import Recipe
from digits.store import watched
from digits.store.runs import Run
from tests.conftest import queued


@pytest.fixture
def run() -> Run:
    return queued(Recipe(dataset="uci"))


def image(number: int) -> np.ndarray:
    return np.full((28, 28), number, np.uint8)


def test_a_drawing_is_asked_for_once_and_has_no_answer_yet(run: Run) -> None:
    assert watched.follow(run, np.array([image(1), image(2)])) == [None, None]
    assert watched.follow(run, image(2)[None]) == [None]
    assert (watched.drawings(run) == [image(1), image(2)]).all()


def test_an_answer_is_found_by_the_drawing_whatever_the_order(run: Run) -> None:
    p = np.eye(10, dtype=np.float16)
    watched.write_predictions(run, np.array([image(1), image(2)]), p[:2])
    of_second, of_unknown, of_first = watched.follow(run, np.array([image(2), image(3), image(1)]))
    assert of_second is not None
    assert of_first is not None
    assert (int(of_second.argmax()), of_unknown, int(of_first.argmax())) == (1, None, 0)
    assert (watched.drawings(run) == [image(3)]).all()


def test_the_newest_stay(run: Run) -> None:
    for number in range(watched.MAX_WATCHED + 5):
        watched.follow(run, image(number)[None])
    asked = watched.drawings(run)
    assert len(asked) == watched.MAX_WATCHED
    assert (asked[0] == image(5)).all()


@pytest.mark.parametrize("name", [watched.WATCHED, watched.PREDICTED])
def test_a_damaged_file_is_as_good_as_none(name: str, run: Run) -> None:
    watched.follow(run, image(1)[None])
    watched.write_predictions(run, image(1)[None], np.eye(10, dtype=np.float16)[:1])
    (run.folder / name).write_bytes(b"torn")
    answer = watched.follow(run, image(1)[None])[0]
    assert (answer is None) == (name != watched.WATCHED)
    assert len(watched.drawings(run)) == (name != watched.WATCHED)
