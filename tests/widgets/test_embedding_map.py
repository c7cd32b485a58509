"""Where the names of the digits stand on the map of the embeddings."""

import numpy as np

from widgets.mistakes.embedding_map import SIDE, label_positions


def gap(positions: dict[int, tuple[float, float]]) -> float:
    """The least distance of two names, along the axis on which they are further apart."""
    places = np.array(list(positions.values()))
    apart = np.abs(places[:, None] - places).max(axis=2)
    return float(apart[~np.eye(len(places), dtype=bool)].min())


def test_names_of_ten_digits_in_one_cloud_stand_apart():
    random = np.random.default_rng(0)
    points = np.clip(random.normal(SIDE / 2, SIDE / 8, (5_000, 2)), 0, SIDE)
    positions = label_positions(points, random.integers(0, 10, 5_000))
    assert sorted(positions) == list(range(10))
    assert gap(positions) >= 0.12 * SIDE


def test_a_cluster_is_named_within_it():
    random = np.random.default_rng(0)
    centers = {3: (200, 800), 5: (700, 300), 8: (800, 850)}
    y = np.repeat(list(centers), 300)
    points = np.array([centers[digit] for digit in y]) + random.normal(0, 20, (900, 2))
    for digit, position in label_positions(points, y).items():
        assert np.abs(np.subtract(position, centers[digit])).max() < 80


def test_a_digit_is_named_where_it_is_alone():
    random = np.random.default_rng(0)
    mixed = random.normal((500, 500), 30, (400, 2))
    alone = random.normal((850, 150), 30, (150, 2))
    y = np.concatenate([np.tile([4, 9], 200), np.full(150, 9)])
    assert np.abs(np.subtract(label_positions(np.vstack([mixed, alone]), y)[9], 850))[0] < 100


def test_digits_at_one_point_are_named_around_it():
    positions = label_positions(np.full((10, 2), SIDE), np.arange(10))
    assert gap(positions) >= 0.12 * SIDE
    assert min(min(place) for place in positions.values()) > SIDE / 2
