"""Digits recorded as strokes: reading them, drawing them, scoring a model on them."""

import gzip
import json

import numpy as np
import pytest

from digits.ink import canvas, pen_digits, preprocessing, score

ONE = {"label": 1, "strokes": [[[0, 30, 60], [0, 500, 1000]]]}
CROSS = {"label": 4, "strokes": [[[0, 1000], [500, 500]], [[500, 500], [0, 1000]]]}


def write(folder, *digits, name="digits.json", form=pen_digits.FORMAT):
    text = json.dumps({"format": form, "digits": list(digits)})
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("name", ["digits.json", "digits.json.gz"])
def test_read_strokes_reads_json_plain_and_gzipped(tmp_path, name):
    one, cross = pen_digits.read_pen_digits(
        write(tmp_path, ONE, CROSS | {"suspect": True}, name=name)
    )
    assert (one.label, one.suspect, len(one.strokes)) == (1, False, 1)
    assert (cross.label, cross.suspect, len(cross.strokes)) == (4, True, 2)
    assert one.strokes[0].tolist() == ONE["strokes"][0]


@pytest.mark.parametrize(
    ("damaged", "complaint"),
    [
        ({"strokes": ONE["strokes"]}, "label"),
        (ONE | {"label": 10}, "label"),
        (ONE | {"label": "1"}, "label"),
        (ONE | {"label": True}, "label"),
        ({"label": 1}, "no strokes"),
        (ONE | {"strokes": []}, "no strokes"),
        (ONE | {"strokes": [[[], []]]}, "equal lists"),
        (ONE | {"strokes": [[[1, 2], [1]]]}, "equal lists"),
        (ONE | {"strokes": [[1, 2]]}, "equal lists"),
        (ONE | {"strokes": [[["a"], ["b"]]]}, "equal lists"),
        (ONE | {"strokes": [[[float("nan")], [0]]]}, "below a million"),
        (ONE | {"strokes": [[[1e300], [0]]]}, "below a million"),
        (ONE | {"strokes": [[[0] * 100_000, [0] * 100_000]]}, "100,000 points"),
        (ONE | {"strokes": [[[0, 999] * 500, list(range(1_000))]]}, "scribble"),
        ("not a digit", "object"),
    ],
)
def test_read_strokes_names_the_digit_that_is_damaged(tmp_path, damaged, complaint):
    with pytest.raises(ValueError, match=rf"digits.json, digit 1: .*{complaint}"):
        pen_digits.read_pen_digits(write(tmp_path, ONE, damaged))


@pytest.mark.parametrize("content", [b"", b"no json", b"[1, 2]", b"[" * 100_000, b"\x1f\x8bzip"])
def test_read_strokes_refuses_a_file_of_something_else(tmp_path, content):
    (tmp_path / "other.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.json"):
        pen_digits.read_pen_digits(tmp_path / "other.json")


def test_read_strokes_counts_values_before_it_parses_them(tmp_path):
    (tmp_path / "empty.json").write_bytes(b"[" + b"[]," * pen_digits.MAX_VALUES + b"[]]")
    with pytest.raises(ValueError, match=r"empty\.json holds more than 1,500,000"):
        pen_digits.read_pen_digits(tmp_path / "empty.json")


def test_read_strokes_says_that_a_packed_file_is_cut_short(tmp_path):
    path = write(tmp_path, ONE, name="digits.json.gz")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"digits\.json\.gz is damaged: it is cut short"):
        pen_digits.read_pen_digits(path)


def test_read_strokes_refuses_another_format_and_an_empty_file(tmp_path):
    with pytest.raises(ValueError, match="format"):
        pen_digits.read_pen_digits(write(tmp_path, ONE, form="pen_digits/2"))
    with pytest.raises(ValueError, match="no digits"):
        pen_digits.read_pen_digits(write(tmp_path))


def test_read_strokes_does_not_unpack_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(pen_digits, "MAX_BYTES", 2**20)
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(b" " * 2**21))
    with pytest.raises(ValueError, match="more than 1 MiB"):
        pen_digits.read_pen_digits(tmp_path / "bomb.json.gz")


def test_render_draws_in_the_middle_at_the_usual_size_with_the_default_brush():
    cross = [np.array(stroke, float) for stroke in CROSS["strokes"]]
    ink = canvas.render(cross)
    assert ink.shape == (280, 280)
    assert ink.dtype == np.uint8
    assert preprocessing.crop(ink).shape == pytest.approx((218, 218), abs=1)
    assert (ink[:, 80] > 127).sum() == pytest.approx(18, abs=1)
    assert np.abs(ink.astype(int) - ink[::-1, ::-1]).mean() < 1


def test_render_makes_a_round_dot_of_a_tap():
    ink = canvas.render([np.array([[5.0], [7.0]])])
    assert ink[140, 140] == 255
    assert (ink / 255).sum() == pytest.approx(np.pi * 9**2, rel=0.03)


def test_render_rounds_corners_as_the_canvas_does():
    corner = [np.array([[0.0, 500, 1000, 1000], [0, 500, 0, 0]])]  # a V; the last but one is lost
    lowest = np.flatnonzero(canvas.render(corner, brush=2).any(axis=1))[-1]
    assert lowest == pytest.approx(140 + 50 - 25, abs=3)  # the curve turns halfway to the corner


def test_render_does_not_care_in_which_units_the_strokes_were_recorded():
    cross = [np.array(stroke, float) for stroke in CROSS["strokes"]]
    elsewhere = [stroke / 7 - 3000 for stroke in cross]
    difference = canvas.render(cross).astype(int) - canvas.render(elsewhere)
    assert np.abs(difference).mean() < 0.1


def test_score_counts_what_is_right_and_leaves_suspects_out(tmp_path):
    file = write(tmp_path, ONE, CROSS, ONE | {"label": 7}, ONE | {"label": 2, "suspect": True})
    shown = []

    def wide_is_four(x):
        shown.append(x)
        wide = x.max(axis=1).astype(bool).sum(axis=1) > 10
        return np.eye(10)[np.where(wide, 4, 1)]

    report = json.loads(json.dumps(score.score(file, wide_is_four)))
    assert (report["digits"], report["correct"], report["suspect"]) == (3, 2, 1)
    assert report["accuracy"] == pytest.approx(2 / 3)
    matrix = np.array(report["confusion_matrix"])
    assert matrix.shape == (10, 10)
    assert matrix.sum() == 3
    assert matrix[1, 1] == matrix[4, 4] == matrix[7, 1] == 1
    [x] = shown
    assert x.shape == (3, 28, 28)
    assert x.dtype == np.uint8


def test_score_counts_for_each_writer_and_takes_one_half_of_them(tmp_path):
    halves = {
        name: [w for w in range(40) if pen_digits.half(w) == name] for name in pen_digits.HALVES
    }
    assert all(10 < len(writers) < 30 for writers in halves.values())
    (first, second, *_), (other, *_) = halves["selection"], halves["report"]
    written = [ONE | {"writer": writer} for writer in (first, second, first, other)]
    file = write(tmp_path, *written, CROSS | {"writer": first}, ONE)

    def all_ones(x):
        return np.eye(10)[np.full(len(x), 1)] * 0.9

    everybody = score.score(file, all_ones)
    assert sorted(everybody["by_writer"]) == [[1, 1], [1, 1], [1, 1], [2, 3]]
    assert score.score(file, all_ones, writers="selection")["by_writer"] == [[2, 3], [1, 1]]
    reported = score.score(file, all_ones, writers="report")
    assert reported["by_writer"] == [[1, 1]]
    assert reported["cross_entropy"] == pytest.approx(-np.log(0.9))


def test_score_says_when_every_digit_is_suspect(tmp_path):
    with pytest.raises(ValueError, match="suspect"):
        score.score(write(tmp_path, ONE | {"suspect": True}), lambda x: np.eye(10)[:1])


STROKES = [np.array([[0.0, 350, 690, 690, 200, 200], [0, 0, 0, 0, 1000, 1000]])]  # a 7


@pytest.mark.parametrize("brush", [6, 18, 40])
@pytest.mark.parametrize("side", [60, 240])
def test_prepare_draws_a_line_of_the_same_width_whatever_the_brush_and_the_size(brush, side):
    placed = canvas.place(STROKES, side)
    image = preprocessing.preprocess(canvas.rasterize(placed, 280, 280, brush), placed)
    usual = preprocessing.preprocess(canvas.render(STROKES), canvas.place(STROKES, 200))
    assert np.abs(image.astype(float) - usual).mean() / 255 < 0.02
    assert image[:, 8].sum(dtype=int) / 255 == pytest.approx(preprocessing.PEN_WIDTH, abs=0.3)


def test_prepare_without_the_pen_takes_the_ink_as_it_is():
    thick = canvas.render(STROKES, brush=40, box=60)
    options = preprocessing.Preprocessing(redraw=False)
    taken = preprocessing.preprocess(thick, canvas.place(STROKES, 60), options)
    assert np.array_equal(taken, preprocessing.normalize(thick))


@pytest.mark.parametrize("dot", [[], [np.array([[140.0], [140.0]])]])
def test_prepare_takes_ink_without_strokes_and_dots_as_they_are(dot):
    ink = canvas.render([np.array([[0.0], [0.0]])])
    assert np.array_equal(preprocessing.preprocess(ink, dot), preprocessing.normalize(ink))


def test_prepare_refuses_a_blank_sheet():
    with pytest.raises(ValueError, match="blank"):
        preprocessing.preprocess(np.zeros((280, 280), np.uint8), [])


def test_digits_drawn_anywhere_are_prepared_as_those_in_the_middle_and_naively_are_not():
    digits = [pen_digits.PenDigit(4, STROKES)] * 8
    middle = score.render_inputs(digits[:1]) / 255
    anywhere = score.render_inputs(digits, anywhere=1) / 255
    assert np.abs(anywhere - middle).mean() < 0.02
    assert np.array_equal(anywhere, score.render_inputs(digits, anywhere=1) / 255)
    naive = score.render_inputs(digits, preprocessing.NO_STAGES, anywhere=1) / 255
    assert np.abs(naive - middle).mean(axis=(1, 2)).max() > 0.1
    assert np.abs(naive - naive[0]).mean(axis=(1, 2)).max() > 0.05


@pytest.mark.parametrize("brush", canvas.BRUSH_RANGE)
@pytest.mark.parametrize("drift", [0, 2])
def test_a_dot_is_told_as_one_whatever_the_brush_and_prepared_all_the_same(brush, drift):
    dot = [np.array([[140.0, 140 + drift], [140, 140]])]
    ink = canvas.rasterize(dot, 280, 280, brush)
    assert "dot" in (preprocessing.describe_problem(ink) or "")
    assert preprocessing.preprocess(ink, dot).max() > 0.9 * 255
