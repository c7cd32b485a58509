"""When images were learned and forgotten, on cases that can be counted by hand."""

import numpy as np
import pytest

from digits.evaluation.forgetting import learning_events


def follow(*right: str) -> dict[str, list]:
    """The history of images given as one string each: + for an epoch that was right."""
    y_true = np.full(len(right), 3, np.uint8)
    y_pred = np.array([[3 if mark == "+" else 8 for mark in image] for image in right]).T
    return {name: array.tolist() for name, array in vars(learning_events(y_true, y_pred)).items()}


@pytest.mark.parametrize(
    ("image", "learned", "forgotten", "never"),
    [
        ("++++", 1, 0, False),
        ("--++", 3, 0, False),
        ("---+", 4, 0, False),
        ("+-++", 3, 1, False),
        ("+-+-", 0, 2, False),
        ("++--", 0, 1, False),
        ("-++-", 0, 1, False),
        ("----", 0, 0, True),
        ("+", 1, 0, False),
        ("-", 0, 0, True),
    ],
)
def test_an_image_is_learned_when_it_stays_right(image, learned, forgotten, never):
    assert follow(image) == {"learned": [learned], "forgotten": [forgotten], "never": [never]}


def test_each_image_has_its_own_history():
    found = follow("+++", "-++", "+-+", "---")
    assert found["learned"] == [1, 2, 3, 0]
    assert found["forgotten"] == [0, 0, 1, 0]
    assert found["never"] == [False, False, False, True]


def test_it_agrees_with_a_walk_through_the_epochs():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 10, 60)
    y_pred = np.where(rng.random((12, 60)) < 0.8, y_true, 9 - y_true)
    found = learning_events(y_true, y_pred)
    for image in range(60):
        since, forgotten, before = 0, 0, False
        for epoch in range(12):
            now = bool(y_pred[epoch, image] == y_true[image])
            forgotten += before and not now
            since = (since or epoch + 1) if now else 0
            before = now
        assert (found.learned[image], found.forgotten[image]) == (since, forgotten)
        assert found.never[image] == (not (y_pred[:, image] == y_true[image]).any())


def test_before_the_first_epoch_nothing_was_learned_or_forgotten():
    found = learning_events(np.array([1, 2, 3]), np.empty((0, 3), int))
    assert found.learned.tolist() == found.forgotten.tolist() == [0, 0, 0]
    assert found.never.all()


def test_no_images_have_no_history():
    found = learning_events(np.empty(0, int), np.empty((5, 0), int))
    assert len(found.learned) == len(found.forgotten) == len(found.never) == 0
