"""Candidates for a digit, judged whether they are one."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from benchmarks.candidates import label
from benchmarks.composed_lines import Truth
from digits.multidigit import decode, whole_digit
from digits.multidigit.from_strokes import from_strokes
from tests.multidigit.test_numbers import FIVE, FOUR, SEVEN, THREE, beside


def test_the_network_is_the_one_that_is_trained_with_keras() -> None:
    from benchmarks.train_segmenter import build

    fitted, network = whole_digit.load(), build()
    network.set_weights(
        [
            fitted.kernel[:, :, None],
            fitted.kernel_bias,
            fitted.hidden,
            fitted.hidden_bias,
            fitted.output[:, None],
            fitted.output_bias,
        ]
    )
    random = np.random.default_rng(0)
    images = random.integers(256, size=(whole_digit.BATCH + 3, 28, 28), dtype=np.uint8)
    places = random.random((len(images), 6)).tolist()
    expected = network(whole_digit.features(images, places)).numpy()[:, 0]
    assert fitted.log_odds(images, places) == pytest.approx(expected, abs=1e-3)


def test_whole_digits_are_told_from_parts_and_from_two_together() -> None:
    line = from_strokes(beside(THREE, FOUR, SEVEN, FIVE))  # of one, two, one and two strokes
    spans = [(0, 1), (1, 3), (3, 4), (4, 6), (0, 3), (1, 2), (1, 4), (3, 6)]
    images = np.stack([line.picture(range(*span)) for span in spans])
    log_odds = whole_digit.load().log_odds(images, decode.places(line, spans))
    assert (log_odds[:4] > 0).all()
    assert (log_odds[4:] < 0).all()


def test_places_are_shares_of_the_height_of_the_line() -> None:
    line = decode.Line(
        [(0.0, 0.0, 20.0, 100.0), (30.0, 50.0, 60.0, 100.0), (60.0, 0.0, 90.0, 80.0)],
        lambda indices: np.zeros((28, 28), np.uint8),
        [(1, 2, 0.7)],
    )
    assert np.allclose(
        decode.places(line, [(0, 1), (0, 2), (1, 2), (2, 3)]),
        [
            [0.2, 0, 0, 0, 0, 0],
            [0.6, 0, 0, 0.1, 0, 0.7],
            [0.3, 0.5, 0, 0, 0, 0.7],
            [0.3, 0, 0.2, 0, 0.7, 0],
        ],
    )


def test_training_takes_the_digits_of_a_number_for_digits_and_nothing_else() -> None:
    line = from_strokes(beside(FOUR, SEVEN))  # of two strokes and one
    pieces = [range(2), range(2, 3)]
    truths = [
        Truth(line.picture(each), decode.union([line.boxes[k] for k in each])) for each in pieces
    ]
    labeled = label(line, truths)
    assert labeled
    assert labeled.spans[labeled.digit].tolist() == [[0, 2], [2, 3]]
    assert labeled.clear.all()
    assert label(line, truths[:1]) is None  # nothing explains the seven


def test_training_weighs_a_split_against_all_others() -> None:
    from benchmarks.train_segmenter import log_sum

    random = np.random.default_rng(0)
    pieces = np.array([4, 3], np.int32)
    odds = [  # log-odds of the candidates of each number; of its runs of pieces, some are none
        {span: random.normal() for span in combinations(range(n + 1), 2) if random.random() < 0.8}
        for n in pieces
    ]
    places = [
        (number, end - 1, decode.MAX_PIECES - (end - first))
        for number, candidates in enumerate(odds)
        for first, end in candidates
    ]
    scores = np.array([value for candidates in odds for value in candidates.values()], "float32")
    expected = []
    for n, candidates in zip(pieces, odds, strict=True):
        splits = [
            list(pairwise((0, *inner, n)))
            for k in range(n)
            for inner in combinations(range(1, n), k)
        ]
        sums = [
            sum(candidates[span] for span in split)
            for split in splits
            if set(split) <= candidates.keys()
        ]
        assert 1 < len(sums) < len(splits)
        expected.append(np.logaddexp.reduce(sums))
    assert log_sum(scores, np.array(places, np.int32), pieces).numpy() == pytest.approx(expected)
