"""The Runs page in a browser: its table, its actions and its comparison."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from digits.recipes.recipe import Recipe
from digits.store import exports, runs
from digits.store.exports import Check, Exports
from digits.store.run_folder import Run
from digits.store.status import Owner, Status
from tests.conftest import App, until
from tests.damage import RESULT

pytestmark = pytest.mark.browser

Make = Callable[..., Run]


@pytest.fixture
def made(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Finished runs in the shared server's folder, which are deleted in the end."""
    monkeypatch.setenv("DIGITS_RUNS", str(app.runs))
    all_made = []

    def make(name: str, accuracy: float = 0.9, **recipe: float) -> Run:
        run = runs.create(Recipe(dataset="uci", **recipe), name)  # type: ignore[arg-type]
        reached = {"test_accuracy": 0.9, "test_images": 360, "epochs": 3, "seconds": 75.0}
        run.append_epochs([(1, 1, 0, 1, 0.5, 0, 5, 9), (2, 1, 0, 1, accuracy, 0, 5, 9)])
        run.write_result(RESULT | reached | {"val_accuracy": accuracy})
        run.write_status(Status("finished", epoch=3, epochs=3))
        (run.folder / "model.h5").write_bytes(b"weights")
        all_made.append(run)
        return run

    yield make
    for run in all_made:
        if run.folder.exists():
            run.write_status(Status("failed"))
            run.delete()


def row(page: Page, name: str) -> Locator:
    """A run's row in the table."""
    return page.locator("tbody").filter(has_text=name)


def tick(page: Page, *names: str) -> None:
    """Tick these runs, and wait until the page has seen it."""
    for name in names:
        row(page, name).get_by_role("checkbox").check()
    expect(page.get_by_role("button", name="Untick")).to_be_enabled()
    page.wait_for_selector("[data-test-script-state=notRunning]")  # or a menu closes again


def act(page: Page, action: str) -> None:
    """Choose an action for the ticked runs."""
    expect(page.get_by_test_id("stDialog")).to_have_count(0)
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=action).click()


def names(page: Page) -> list[str]:
    """Of the runs in the table, from top to bottom."""
    return page.locator("tbody .open").all_text_contents()


def test_the_table_is_found_and_sorted_and_its_link_keeps_that(
    page: Page, server: str, made: Make
) -> None:
    made("Needle low", 0.93), made("Needle high", 0.95), made("Needle middle", 0.94), made("Hay")
    page.goto(f"{server}/runs")
    expect(row(page, "Hay")).to_be_visible()
    told = row(page, "Needle high").inner_text()
    for words in ("Finished", "95.00%", "90.00% 86.47 – 92.69%", "1 min 15 s", "1,000"):
        assert words in told
    field = page.get_by_role("searchbox", name="Find")
    field.fill("needle conv finished")
    field.press("Enter")
    expect(page.get_by_text(re.compile("^3 of "))).to_be_visible()
    page.get_by_role("button", name="Validation").click()
    best_first = ["Needle high", "Needle middle", "Needle low"]
    until(lambda: names(page) == best_first, "the best first")
    page.goto(page.url)
    until(lambda: names(page) == best_first, "the same from the link")
    page.get_by_role("button", name="Validation").click()
    until(lambda: names(page) == best_first[::-1], "the best last")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Validation")
    page.goto(f"{server}/runs?find=nosuchword&page=7&order=nonsense")
    expect(page.get_by_text("No matching runs")).to_be_visible()


def test_two_ticks_show_curves_and_what_differs_and_nothing_moves(
    page: Page, server: str, made: Make
) -> None:
    made("Good curve", 0.95), made("Bad curve", learning_rate=0.01)
    torn = made("Torn curve")
    (torn.folder / "epochs.csv").write_text("epoch,loss\n1,two\n")
    page.goto(f"{server}/runs?find=curve")
    expect(row(page, "Bad curve")).to_be_visible()
    places = _places(page)
    row(page, "Good curve").get_by_role("checkbox").click()
    row(page, "Bad curve").get_by_role("checkbox").click()
    expect(page.get_by_text("test_probabilities.npy")).to_be_visible()  # why there is no verdict
    both = ["Bad curve", "Good curve"]
    until(lambda: sorted(_compared(page)) == both, "both curves")
    differing = page.locator("table").filter(has_text="Settings that differ").locator("tbody")
    expect(differing).to_have_count(4)
    assert "".join(differing.first.inner_text().split()) == "Learningrate(peak)0.0010.01"
    assert _places(page) == places
    tick(page, "Torn curve")
    expect(page.get_by_text(re.compile("epochs.csv of run .* is damaged"))).to_be_visible()
    assert sorted(_compared(page)) == both
    page.get_by_text("Seconds", exact=True).click()
    until(lambda: _compared(page).get("Good curve") == [5, 10], "seconds on the axis")
    link = page.evaluate("location.href")
    page.goto("about:blank")
    page.goto(link.replace("compare=", "compare=20260101-000000-abcdef,"))  # one that is gone
    expect(page.get_by_text("1 of the runs in the link")).to_be_visible()
    until(lambda: _compared(page).get("Good curve") == [5, 10], "the curves of the link")
    page.get_by_role("button", name="Untick").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    expect(page.get_by_text("Tick two runs")).to_be_visible()


def _places(page: Page) -> list[object]:
    """Where the table and its rows are."""
    rows = page.locator("table").filter(has_text="Validation").first.locator("thead, tbody").all()
    return [row.bounding_box() for row in rows]


def _compared(page: Page) -> dict[str, list[float]]:
    """Name, without its number, and x of each curve in the chart."""
    traces = "document.querySelector('.plot')?.data?.map(one => [one.name, [...one.x]]) ?? []"
    return {str(name).partition(" ")[2]: x for name, x in page.evaluate(traces) if name}


def test_a_run_is_followed_while_tick_and_scroll_stay(
    page: Page, server: str, made: Make, app: App
) -> None:
    for number in range(12):
        made(f"Older {number}")
    going = made("Going")
    (going.folder / "result.json").unlink()
    status = Status("running", 1, 3, 10, 30, owner=Owner.of(os.getpid()))
    going.write_status(status)
    page.set_viewport_size({"width": 800, "height": 480})
    page.goto(f"{server}/runs?compare={going.id}")
    expect(row(page, "Going")).to_contain_text("epoch 2/3")
    tick(page, "Older 7")
    frame = page.get_by_role("region", name="Runs")
    frame.evaluate("frame => { frame.scrollTo(0, 90); frame.mark = 'kept' }")
    place = top(page, "Older 7")
    going.write_status(Status("running", 2, 3, 20, 30, owner=status.owner))
    expect(row(page, "Going")).to_contain_text("epoch 3/3")
    going.write_status(Status("failed", 2, 3, message="The loss became infinite."))
    expect(row(page, "Going")).to_contain_text("The loss became infinite.")
    expect(row(page, "Older 7").get_by_role("checkbox")).to_be_checked()
    assert frame.evaluate("frame => frame.mark") == "kept"
    assert top(page, "Older 7") == pytest.approx(place, abs=1)  # though a row above has grown


def top(page: Page, name: str) -> float:
    """Where on the screen the row of a run begins, in pixels."""
    box = row(page, name).bounding_box()
    assert box
    return box["y"]


def test_ticked_runs_are_opened_downloaded_renamed_and_deleted(
    page: Page, server: str, made: Make, tmp_path: Path
) -> None:
    old, doomed = made("Old name"), made("Doomed run")
    page.goto(f"{server}/runs")
    tick(page, "Old name")
    (old.folder / "exports").mkdir()
    exports.path(old, "onnx").write_bytes(b"onnx")
    check = Check(
        bytes=4_000,
        milliseconds=0.05,
        accuracy=0.9,
        differing=2,
        largest_difference=0.1,
        images=360,
    )
    problem = "LiteRT int8 cannot express this network: <b>Erf</b>"
    exports.write(old, Exports(checks={"onnx": check}, problems={"litert-int8": problem}))
    act(page, "Download")
    expect(row(page, "ONNX")).to_have_text("ONNX4 kB0.05 ms90.00%2 of 3600.100")
    expect(row(page, "LiteRT int8")).to_contain_text(problem)
    expect(page.get_by_role("button", name="Export and test")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Lab report").click()
    download.value.save_as(tmp_path / "report.html")
    assert "Confusion" not in (tmp_path / "report.html").read_text()  # it has no test probabilities
    with page.expect_download() as download:
        page.get_by_role("button", name=".h5").click()
    assert download.value.suggested_filename == "old-name.h5"
    download.value.save_as(tmp_path / "model.h5")
    assert (tmp_path / "model.h5").read_bytes() == b"weights"
    page.get_by_role("button", name="Close").click()
    act(page, "Rename")
    page.get_by_role("textbox", name="Name").fill("New name")
    page.get_by_test_id("stDialog").get_by_role("button", name="Rename").click()
    expect(row(page, "New name")).to_be_visible()
    assert old.name == "New name"

    tick(page, "Doomed run")
    opened = made("Opened run")
    for answer in ("Cancel", "Delete"):
        act(page, "Delete")
        dialog = page.get_by_test_id("stDialog")
        expect(dialog).to_contain_text("New name")
        expect(dialog).to_contain_text("Doomed run")
        assert (old.folder.exists(), doomed.folder.exists()) == (True, True)
        dialog.get_by_role("button", name=answer).click()
    expect(row(page, "Doomed run")).to_have_count(0)
    assert (old.folder.exists(), doomed.folder.exists()) == (False, False)
    assert "compare" not in page.url
    page.get_by_role("button", name="Undo: 2 runs deleted").click()
    expect(row(page, "Doomed run").get_by_role("checkbox")).to_be_checked()
    assert (old.name, doomed.name) == ("New name", "Doomed run")

    page.goto(f"{server}/runs")
    page.get_by_role("button", name="Opened run").click()
    page.wait_for_url(re.compile(rf"/\?.*run={opened.id}"))


def test_back_from_a_run_that_was_opened_comes_to_the_list(
    page: Page, server: str, made: Make
) -> None:
    run = made("Opened run")
    page.goto(f"{server}/runs")
    page.get_by_role("button", name="Opened run").click()
    page.wait_for_url(re.compile(rf"/\?.*run={run.id}"))
    expect(page).to_have_title("Train · Digits")
    page.wait_for_selector("[data-test-script-state=notRunning]")  # it has written all of its link
    page.go_back()
    expect(page).to_have_url(re.compile("/runs"))
    expect(row(page, "Opened run")).to_be_visible()


def test_seeds_are_compared_as_groups_and_notes_are_found(
    page: Page, server: str, made: Make
) -> None:
    for rate, accuracy in ((0.001, 0.90), (0.002, 0.95)):
        for seed in range(3):
            run = made(f"Rate {rate} · seed {seed}", accuracy, learning_rate=rate, seed=seed)
            result = run.result()
            assert result
            run.write_result({**result, "test_accuracy": accuracy + 0.001 * seed})
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{server}/runs?find=rate")
    expect(row(page, "Rate 0.002 · seed 2")).to_be_visible()
    page.get_by_role("checkbox", name="Tick all on this page").check()
    verdict = page.get_by_text("“Rate 0.002” is better by 5.00 ± 0.2")
    expect(verdict).to_be_in_viewport()
    means = page.locator("table").filter(has_text="Settings that differ")
    expect(means).to_contain_text("90.10% 90.00 – 90.20%")
    expect(means).to_contain_text("Test accuracy, ensemble")
    drawn = "document.querySelector('.plot')?.data?.length"
    page.wait_for_function(f"{drawn} === 6")  # two lines, each in a band of two edges
    page.get_by_role("combobox", name="Group by").click()
    page.get_by_role("option", name="Each run alone").click()
    expect(verdict).to_have_count(0)

    page.get_by_role("button", name="Untick").click()
    expect(page.get_by_role("button", name="Untick")).to_be_disabled()
    tick(page, "Rate 0.001 · seed 1")
    field = page.get_by_role("textbox", name="Notes")
    field.fill("Saw *nothing* new")
    field.blur()
    page.wait_for_selector("[data-test-script-state=notRunning]")
    search = page.get_by_role("searchbox", name="Find")
    search.fill("*nothing* new")
    search.press("Enter")
    until(lambda: names(page) == ["Rate 0.001 · seed 1"], "the run with these notes")
