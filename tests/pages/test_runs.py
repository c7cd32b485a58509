"""The Runs page in a browser: its list, its menu and its comparison."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.status import Status
from tests.conftest import App, until
from tests.damage import RESULT

pytestmark = pytest.mark.browser


@pytest.fixture
def made(app: App, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Run]:
    """Finished runs in the shared server's folder."""
    monkeypatch.setenv("DIGITS_RUNS", str(app.runs))

    def make(name: str) -> Run:
        run = runs.create(Recipe(dataset="uci"), name)
        reached = {"test_accuracy": 0.9, "test_images": 360, "epochs": 3, "seconds": 75.0}
        run.write_result(RESULT | reached)
        run.write_status(Status("finished", epoch=3, epochs=3))
        (run.folder / "model.h5").write_bytes(b"weights")
        return run

    return make


def open_menu(page: Page, server: str, name: str) -> None:
    """Open the page, and there the actions of the run of that name."""
    page.goto(f"{server}/runs")
    expect(page.get_by_text(name)).to_be_visible()
    page.wait_for_selector("[data-test-script-state=notRunning]")  # or a menu closes again
    row = page.get_by_test_id("stLayoutWrapper").filter(has=page.get_by_text(name))
    row.last.locator("xpath=ancestor-or-self::*[.//button][1]").get_by_role("button").first.click()


def test_the_list_tells_state_accuracy_with_interval_recipe_and_time(
    page: Page, server: str, made: Callable[[str], Run]
) -> None:
    made("Listed run")
    page.goto(f"{server}/runs")
    expect(page.get_by_text("Listed run")).to_be_visible()
    for words in ("Finished", "90.00%", "95% interval 86.47% – 92.69%", "3 epochs in 1 min 15 s"):
        expect(page.get_by_text(words).first).to_be_visible()
    expect(page.get_by_text(re.compile("^uci · conv 32 3×3 pool")).first).to_be_visible()


def test_a_run_is_renamed(page: Page, server: str, made: Callable[[str], Run]) -> None:
    run = made("Old name")
    open_menu(page, server, "Old name")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("New name")
    page.get_by_test_id("stDialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_text("New name")).to_be_visible()
    assert run.name == "New name"


def test_deleting_asks_first(page: Page, server: str, made: Callable[[str], Run]) -> None:
    run = made("Doomed run")
    open_menu(page, server, "Doomed run")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_test_id("stDialog")).to_have_count(0)
    assert run.folder.exists()
    open_menu(page, server, "Doomed run")
    page.get_by_role("button", name="Delete").click()
    page.get_by_test_id("stDialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Doomed run")).to_have_count(0)
    assert not run.folder.exists()


def test_a_model_is_downloaded(
    page: Page, server: str, made: Callable[[str], Run], tmp_path: Path
) -> None:
    made("Taken away")
    open_menu(page, server, "Taken away")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .h5").click()
    assert download.value.suggested_filename == "taken-away.h5"
    download.value.save_as(tmp_path / "model.h5")
    assert (tmp_path / "model.h5").read_bytes() == b"weights"


def test_runs_are_found_by_the_words_of_their_name_and_recipe(
    page: Page, server: str, made: Callable[[str], Run]
) -> None:
    made("Needle"), made("Hay")
    page.goto(f"{server}/runs")
    expect(page.get_by_text("Hay").first).to_be_visible()
    field = page.get_by_role("searchbox", name="Find")
    field.fill("needle conv finished")
    field.press("Enter")
    expect(page.get_by_text(re.compile("^1 of "))).to_be_visible()
    expect(page.get_by_text("Needle")).to_be_visible()
    expect(page.get_by_text("Hay")).to_have_count(0)
    page.goto(page.url)  # the link carries it
    expect(page.get_by_text("Needle")).to_be_visible()
    expect(page.get_by_text("Hay")).to_have_count(0)
    page.goto(f"{server}/runs?find=nosuchword&page=7")
    expect(page.get_by_text("No matching runs")).to_be_visible()


def test_curves_of_chosen_runs_lie_over_one_another(
    page: Page, server: str, made: Callable[[str], Run]
) -> None:
    for name, accuracy in (("Good curve", 0.9), ("Bad curve", 0.5), ("Torn curve", 0.1)):
        run = made(name)
        run.append_epochs([(1, 1, 0, 1, accuracy, 0, 5, 9), (2, 1, 0, 1, 1, 0, 5, 9)])
        if name == "Torn curve":
            (run.folder / "epochs.csv").write_text("epoch,loss\n1,two\n")
    page.goto(f"{server}/runs?find=curve")
    for box in range(3):
        page.get_by_text("Compare", exact=True).nth(box).click()
        expect(page.get_by_role("checkbox", checked=True)).to_have_count(box + 1)
    expect(page.get_by_text(re.compile("epochs.csv of run .* is damaged"))).to_be_visible()
    both = [("Bad curve", [1, 2]), ("Good curve", [1, 2])]
    until(lambda: sorted(_compared(page)) == both, 20, "both curves and no third")
    page.get_by_text("Seconds", exact=True).click()
    until(lambda: ("Good curve", [5, 10]) in _compared(page), 20, "seconds on the axis")
    link = page.evaluate("location.href")
    page.goto("about:blank")
    page.goto(link.replace("compare=", "compare=20260101-000000-abcdef,"))  # one that is gone
    expect(page.get_by_text("1 of the runs in the link")).to_be_visible()
    until(lambda: ("Good curve", [5, 10]) in _compared(page), 20, "the curves of the link")
    page.get_by_role("button", name="Clear comparison").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    expect(page.locator(".plot")).to_have_count(0)


def _compared(page: Page) -> list[tuple[str, list[float]]]:
    """Name and x of each curve in the chart."""
    traces = "document.querySelector('.plot')?.data?.map(one => [one.name, [...one.x]]) ?? []"
    return [(name, x) for name, x in page.evaluate(traces)]


@pytest.mark.parametrize("file", ["status.json", "recipe.json", "about.json", "result.json"])
def test_a_damaged_run_is_a_sentence_among_sound_ones(
    page: Page, server: str, made: Callable[[str], Run], file: str
) -> None:
    sound, torn = made("Sound run"), made("Torn run")
    (torn.folder / file).write_text('{"tor')
    page.goto(f"{server}/runs")
    expect(page.get_by_text(re.compile(f"{re.escape(file)} of run {torn.id}"))).to_be_visible()
    expect(page.get_by_text("Sound run").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    sound.delete()
    torn.delete()
