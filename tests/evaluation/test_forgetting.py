"""Learning and forgetting events agree with cases counted by hand and with a plain loop."""

import numpy as np
import pytest

from digits.evaluation.forgetting import learning_events


def follow(*images: str) -> dict[str, list]:
    """Learning events of images given as one string each: + for a correct epoch."""
    y_true = np.full(len(images), 3, np.uint8)
    y_pred = np.array([[3 if mark == "+" else 8 for mark in image] for image in images]).T
    return {name: array.tolist() for name, array in vars(learning_events(y_true, y_pred)).items()}


@pytest.mark.parametrize(
    ("image", "learned_epoch", "forgetting_events", "never_learned"),
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
def test_an_image_is_learned_when_it_stays_correct(
    image, learned_epoch, forgetting_events, never_learned
):
    assert follow(image) == {
        "learned_epoch": [learned_epoch],
        "forgetting_events": [forgetting_events],
        "never_learned": [never_learned],
    }


def test_each_image_has_its_own_history():
    events = follow("+++", "-++", "+-+", "---")
    assert events["learned_epoch"] == [1, 2, 3, 0]
    assert events["forgetting_events"] == [0, 0, 1, 0]
    assert events["never_learned"] == [False, False, False, True]


def test_it_agrees_with_a_walk_through_the_epochs():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 10, 60)
    y_pred = np.where(rng.random((12, 60)) < 0.8, y_true, 9 - y_true)
    events = learning_events(y_true, y_pred)
    for image in range(60):
        since, forgotten, before = 0, 0, False
        for epoch in range(12):
            now = bool(y_pred[epoch, image] == y_true[image])
            forgotten += before and not now
            since = (since or epoch + 1) if now else 0
            before = now
        assert (events.learned_epoch[image], events.forgetting_events[image]) == (since, forgotten)
        assert events.never_learned[image] == (not (y_pred[:, image] == y_true[image]).any())


def test_before_the_first_epoch_nothing_is_learned_or_forgotten():
    events = learning_events(np.array([1, 2, 3]), np.empty((0, 3), int))
    assert events.learned_epoch.tolist() == events.forgetting_events.tolist() == [0, 0, 0]
    assert events.never_learned.all()


def test_no_images_have_no_history():
    events = learning_events(np.empty(0, int), np.empty((5, 0), int))
    assert (
        len(events.learned_epoch) == len(events.forgetting_events) == len(events.never_learned) == 0
    )
