"""People's drawings in a browser: saved with one click, relabeled, exported, fine-tuned on."""

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from digits.ink import canvas, collection, pen_digits
from digits.ink.preprocessing import normalize
from digits.store import runs
from digits.store.runs import Run
from tests.conftest import App, until
from tests.pages.test_draw import SEVEN, THREE, answer, draw, open_page
from tests.store.test_finetuning import calculator_digit

pytestmark = pytest.mark.browser

ONE = {"label": 1, "strokes": [[[0, 30, 60], [0, 500, 1000]]]}


@pytest.fixture(autouse=True)
def drawings_folder(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The shared server's folder of drawings, empty before and after."""
    folder = app.runs.with_name("drawings")
    monkeypatch.setenv("DIGITS_DRAWINGS", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def labels() -> list[int]:
    return [one.label for one in collection.all()]


def open_drawings(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/drawings{query}")
    expect(page.get_by_role("button", name="Import")).to_be_visible()
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")


def test_one_click_saves_a_drawing_another_corrects_it_and_undo_removes_it(
    page: Page, server: str
) -> None:
    open_page(page, server)
    draw(page, SEVEN)
    answer(page, 7)
    page.get_by_role("radio", name="1", exact=True).click()
    expect(page.get_by_text("Saved as a 1")).to_be_visible()
    assert labels() == [1]
    seven = page.get_by_role("radio", name="7", exact=True)
    seven.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved as a 7")).to_be_visible()
    [saved] = collection.all()
    assert saved.label == 7
    redrawn = canvas.render(
        saved.strokes, box=np.ptp(np.argwhere(saved.ink > 127), axis=0).max() - 17
    )
    difference = normalize(redrawn).astype(float) - normalize(saved.ink)
    assert np.abs(difference).mean() / 255 < 0.02
    page.get_by_role("button", name="Undo saving").click()
    expect(page.get_by_text("One click saves it")).to_be_visible()
    assert labels() == []
    draw(page, [(100, 150), (190, 150)])  # crossed: another drawing than the one before
    page.get_by_role("radio", name="7", exact=True).click()
    expect(page.get_by_text("Saved as a 7")).to_be_visible()
    # The canvas sends a stroke a little after it is drawn, here after the click.
    until(lambda: [len(one.strokes) for one in collection.all()] == [2], "the second stroke")
    expect(page.get_by_text("Saved as a 7")).to_be_visible()


def test_labels_are_corrected_drawings_pinned_and_deleted_after_a_question(
    page: Page, server: str
) -> None:
    collection.add(1, [np.array(THREE, float).T])
    open_drawings(page, server)
    page.get_by_role("button", name="A drawn 1").click()
    page.get_by_role("radio", name="3", exact=True).click()
    until(lambda: labels() == [3], "the new label")
    page.get_by_text("Pin", exact=True).click()
    until(lambda: collection.all()[0].pinned, "the pin")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_test_id("stDialog")).to_have_count(0)
    assert labels() == [3]
    page.get_by_role("button", name="Delete").click()
    page.get_by_test_id("stDialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No drawings yet")).to_be_visible()
    assert labels() == []


def test_a_drawing_that_another_visitor_has_deleted_is_told_as_that(
    page: Page, server: str
) -> None:
    for act in (
        lambda: page.get_by_role("radio", name="3", exact=True).click(),
        lambda: page.get_by_text("Pin", exact=True).click(),
    ):
        drawing = collection.add(1, [np.array(THREE, float).T])
        open_drawings(page, server)
        page.get_by_role("button", name="A drawn 1").click()
        expect(page.get_by_role("button", name="All drawings")).to_be_visible()
        collection.delete(drawing.id)
        act()
        expect(page.get_by_text("This drawing has been deleted.")).to_be_visible()
        expect(page.get_by_text("No drawings yet")).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_bad_file_is_a_clear_sentence_and_a_good_one_comes_back_as_it_went(
    page: Page, server: str, tmp_path: Path
) -> None:
    collection.add(7, [np.array(SEVEN, float).T])
    before = collection.fingerprint()
    many = {"label": 1, "strokes": [[[0] * 100_000, [0] * 100_000]]}
    bad = {
        "unlabeled": (ONE, {"strokes": ONE["strokes"]}),
        "endless": (ONE, many),
        "misshapen": (ONE, ONE | {"strokes": [[1, 2, 3]]}),
    }
    contents = {
        name: json.dumps({"format": pen_digits.FORMAT, "digits": digits}).encode()
        for name, digits in bad.items()
    }
    contents |= {"prose": b"Dear all", "bomb": gzip.compress(b" " * (pen_digits.MAX_BYTES + 1))}
    complaints = {
        "unlabeled": "digit 1: the label is missing",
        "endless": "100,000 points; a digit has 10,000 at most",
        "misshapen": "not two equal lists",
        "prose": "it is not JSON",
        "bomb": "more than 16 MiB",
    }
    open_drawings(page, server)
    for name, content in contents.items():
        (tmp_path / f"{name}.json").write_bytes(content)
        page.locator("input[type=file]").set_input_files(tmp_path / f"{name}.json")
        expect(page.get_by_text(f"{name}.json")).to_be_visible()
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_text(re.compile(f"{name}.json.*{complaints[name]}"))).to_be_visible()
        assert collection.fingerprint() == before
    with page.expect_download() as download:
        page.get_by_role("button", name="Export 1 drawing").click()
    download.value.save_as(tmp_path / "mine.json")
    [digit] = pen_digits.read_pen_digits(tmp_path / "mine.json")
    assert digit.label == 7
    both = json.loads((tmp_path / "mine.json").read_text())
    both["digits"].append(ONE)
    (tmp_path / "both.json").write_text(json.dumps(both))
    page.locator("input[type=file]").set_input_files(tmp_path / "both.json")
    expect(page.get_by_text("both.json")).to_be_visible()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("1 drawing added; 1 already here.")).to_be_visible()
    assert sorted(labels()) == [1, 7]


def test_a_run_is_scored_on_drawings_fine_tuned_on_them_and_scored_again(
    page: Page, app: App, trained_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_RUNS", str(app.runs))
    base = Run(Path(shutil.copytree(trained_once, app.runs / trained_once.name)))
    rng = np.random.default_rng(0)
    for digit in [*range(10)] * 2:
        collection.add(digit, calculator_digit(digit, rng))
    collection.pin(collection.all()[0].id, True)
    page.goto(f"{app.url}/runs?compare={base.id}")
    expect(page.get_by_text(re.compile("on 20 drawings .95% interval"))).to_be_visible()
    open_drawings(page, app.url, f"?run={base.id}")
    expect(page.get_by_text("Accuracy on drawings (20)")).to_be_visible()
    page.get_by_role("button", name="Fine-tune").click()
    expect(page.get_by_text(f"Base model: run {base.id}")).to_be_visible()
    expect(page.get_by_text("Before and after fine-tuning")).to_be_visible()
    expect(page.get_by_text("Held-out drawings (10)")).to_be_visible()
    expect(page.get_by_text(re.compile("on 10 drawings .95% interval"))).to_be_visible()
    expect(page.get_by_text("Pinned drawings over the epochs")).to_be_visible()
    [tuned] = [run for run in runs.all() if run.recipe.finetune]
    expect(page.get_by_text(f"→ {tuned.result()['test_accuracy']:.2%}")).to_be_visible()  # type: ignore[index]
    page.goto(f"{app.url}/runs?compare={base.id},{tuned.id}")
    scores = page.get_by_role("row", name=re.compile("^Drawings")).get_by_role("cell")
    expect(scores).to_have_text([re.compile("Drawings"), *[re.compile(r"%.* – .*%")] * 2])
    tuned.delete()
    base.delete()
