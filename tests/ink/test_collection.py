"""The collection of people's drawings: kept, found again, changed, exported and imported."""

import io
import json

import numpy as np
import pytest

from digits.ink import canvas, collection, pen_digits

SEVEN = [np.array([[85.0, 195, 160, 130], [60.0, 60, 130, 230]])]
BAR = [np.array([[100.0, 190], [150.0, 150]])]


@pytest.fixture
def folder(runs_root):
    return runs_root.with_name("drawings")


def path_of(points, **moved):
    """A stroke as Fabric describes it, in straight steps."""
    bends = [["Q", x, y, x, y] for x, y in points[:-1]]
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    left, top = (low + high) / 2
    path = [["M", *points[0]], *bends, ["L", *points[-1]]]
    return {"type": "Path", "path": path, "left": left, "top": top, **moved}


def test_a_drawing_comes_back_as_it_was_kept():
    ink = canvas.render(SEVEN, brush=30)
    kept = collection.add(7, SEVEN + BAR, ink)
    [found] = collection.all()
    assert (found.id, found.label, found.pinned, found.key) == (kept.id, 7, False, kept.key)
    assert (found.ink == ink).all()
    assert [stroke.tolist() for stroke in found.strokes] == [
        stroke.tolist() for stroke in kept.strokes
    ]
    assert max(stroke.max() for stroke in found.strokes) == 1000
    assert found.image.shape == (28, 28)
    assert found.image.dtype == np.uint8


def test_the_newest_comes_first_and_what_is_no_drawing_is_left_alone(folder):
    ids = [collection.add(digit, BAR).id for digit in (1, 2, 3)]
    (folder / "notes.json").write_text("{}")
    assert [one.id for one in collection.all()] == sorted(ids, reverse=True)


def test_a_label_is_changed_and_a_drawing_pinned_and_deleted():
    one, other = collection.add(1, SEVEN), collection.add(1, BAR)
    before = collection.fingerprint()
    collection.relabel(one.id, 7)
    collection.pin(one.id, True)
    changed = collection.open(one.id)
    assert (changed.label, changed.pinned) == (7, True)
    assert (changed.ink == one.ink).all()
    assert collection.fingerprint() != before
    collection.replace_strokes(one.id, SEVEN + BAR, canvas.render(SEVEN + BAR))
    assert len(collection.open(one.id).strokes) == 2
    assert collection.open(one.id).label == 7
    collection.delete(one.id)
    assert [left.id for left in collection.all()] == [other.id]
    with pytest.raises(LookupError, match="has been deleted"):
        collection.open(one.id)


@pytest.mark.parametrize("id", ["", "../secret", "20260131-093000-4f2a1c/..", "notes"])
def test_an_id_that_was_not_made_here_is_refused(id):
    for use in (collection.open, collection.delete, lambda id: collection.relabel(id, 1)):
        with pytest.raises(ValueError, match="not the id of a drawing"):
            use(id)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"label": 7}', "label"])
def test_a_damaged_drawing_is_a_sentence_and_the_others_stay(folder, content):
    sound, torn = collection.add(7, SEVEN), collection.add(1, BAR)
    file = folder / f"{torn.id}.json"
    whole = json.loads(file.read_text())
    whole["picture"] = "bm8gcGljdHVyZQ=="
    file.write_text(json.dumps(whole) if content == "label" else content)
    found, [problem] = collection.read_all()
    assert [one.id for one in found] == [sound.id]
    assert torn.id in problem
    collection.delete(torn.id)
    assert collection.read_all() == (found, [])


def test_what_is_exported_is_a_file_of_pen_digits_that_comes_back_the_same(tmp_path):
    collection.add(7, SEVEN + BAR)
    collection.add(1, BAR)
    before = collection.all()
    (tmp_path / "digits.json").write_text(collection.export(before))
    read = pen_digits.read_pen_digits(tmp_path / "digits.json")
    assert [one.label for one in read] == [one.label for one in before]
    assert list(collection.add_new(read, before)) == [None, None]  # here already
    for one in before:
        collection.delete(one.id)
    again = [one for one in collection.add_new([*read, read[0]], []) if one]
    assert [one.key for one in again] == [one.key for one in before]  # and no drawing twice
    assert all((a.image == b.image).all() for a, b in zip(again, before, strict=True))


def test_a_damaged_file_of_strokes_leaves_the_collection_as_it_was():
    collection.add(7, SEVEN)
    before = collection.fingerprint()
    damaged = {
        "format": pen_digits.FORMAT,
        "digits": [{"label": 1, "strokes": [[[0, 9], [0, 9]]]}, {"strokes": [[[0, 9], [0, 9]]]}],
    }
    with pytest.raises(ValueError, match=r"friends\.json, digit 1: the label is missing"):
        pen_digits.parse_pen_digits("friends.json", io.BytesIO(json.dumps(damaged).encode()))
    assert collection.fingerprint() == before


def test_a_blank_drawing_and_one_of_too_many_points_are_refused():
    with pytest.raises(ValueError, match="blank"):
        collection.add(1, [])
    with pytest.raises(ValueError, match="blank"):
        collection.add(1, BAR, np.zeros((280, 280), np.uint8))
    with pytest.raises(ValueError, match="10,000 at most"):
        collection.add(1, [np.zeros((2, 10_001))])
    assert collection.all() == []


def test_strokes_on_the_canvas_are_where_the_pointer_was():
    line = [(85, 60), (195, 60), (160, 130), (130, 230)]
    [stroke] = canvas.from_fabric({"objects": [path_of(line)]})
    assert stroke.T[:4] == pytest.approx(np.array(line), abs=0.1)
    dot = {"path": [["M", 19.982, 19.2], ["L", 20.018, 19.2]], "left": 20, "top": 19.2}
    [tap] = canvas.from_fabric({"objects": [dot]})
    assert (tap == [[20], [19.2]]).all()


def test_a_stroke_that_was_moved_stretched_or_turned_is_taken_where_it_is():
    line = [(100, 100), (200, 100), (200, 140)]  # the middle of its box is (150, 120)
    [moved] = canvas.from_fabric({"objects": [path_of(line, left=160, top=125)]})
    assert moved.T[:3] == pytest.approx(np.add(line, (10, 5)), abs=0.1)
    [larger] = canvas.from_fabric({"objects": [path_of(line, scaleX=2)]})
    assert larger.T[:3] == pytest.approx(np.array([(50, 100), (250, 100), (250, 140)]), abs=0.1)
    [turned] = canvas.from_fabric({"objects": [path_of(line, angle=90)]})
    assert turned.T[:3] == pytest.approx(np.array([(170, 70), (170, 170), (130, 170)]), abs=0.1)


def test_strokes_from_the_canvas_are_drawn_as_the_canvas_drew_them():
    wavy = np.array([np.linspace(60, 220, 30), 140 + 60 * np.sin(np.linspace(0, 6, 30))])
    middles = (wavy[:, :-1] + wavy[:, 1:]) / 2
    path = [
        ["M", *wavy[:, 0]],
        *(["Q", *wavy[:, i], *middles[:, i]] for i in range(29)),
        ["L", *wavy[:, -1]],
    ]
    [taken] = canvas.from_fabric({"objects": [{"path": path, "left": 140, "top": 140}]})
    # The canvas drops one point of the pointer's; what it kept is drawn without losing another.
    pointer = np.insert(wavy, 29, wavy[:, -1], axis=1)
    difference = canvas.render([taken]).astype(int) - canvas.render([pointer])
    assert np.abs(difference).mean() < 1
