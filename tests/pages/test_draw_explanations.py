"""The explanations on the Draw page: each of them, and what cannot be had."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from digits.recipes.presets import SHIPPED
from digits.recipes.recipe import Conv, Recipe
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.status import Status
from digits.worker import model
from tests.damage import RESULT
from tests.pages.test_draw import SEVEN, answer, draw, open_page

pytestmark = pytest.mark.browser

MANY = Recipe(dataset="uci", conv=(Conv(100, 5),), dense=())


def pixels_for(page: Page, digit: int) -> None:
    expect(page.get_by_alt_text(f"Pixels that speak for {digit}", exact=False)).to_be_visible()


def test_the_pixels_for_a_7_are_shown_beside_those_for_any_other_digit(
    page: Page, server: str
) -> None:
    open_page(page, server, "?why=Pixels")
    draw(page, SEVEN)
    answer(page, 7)
    pixels_for(page, 7)
    expect(page.get_by_alt_text("Pixels that speak for", exact=False)).to_have_count(2)
    choice = page.get_by_role("radiogroup", name="Evidence for 7")
    choice.get_by_role("radio", name="1", exact=True).click()
    pixels_for(page, 1)
    pixels_for(page, 7)


def test_neighbors_come_by_themselves_once_the_embeddings_are_computed(
    page: Page, server: str
) -> None:
    open_page(page, server, "?why=Neighbors")
    draw(page, SEVEN)
    answer(page, 7)
    alike = page.get_by_role("button", name=re.compile("^A training 7, .* away$"))
    expect(alike.first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^A training"))).to_have_count(12)
    answer(page, 7)


def test_every_convolution_block_shows_its_maps(page: Page, server: str) -> None:
    open_page(page, server, "?why=Layers")
    draw(page, SEVEN)
    answer(page, 7)
    maps = page.get_by_alt_text(re.compile(r"^Convolution block \d: .*\d+ maps of \d+ × \d+"))
    expect(maps.first).to_be_visible()
    expect(maps).to_have_count(len(SHIPPED.conv))
    page.get_by_role("link", name="Runs").click()
    page.locator("canvas").first.wait_for(state="detached")
    page.get_by_role("link", name="Draw", exact=True).click()
    expect(maps.first).to_be_visible()


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, runs_folder: Path) -> Iterator[Callable[[Recipe], Run]]:
    """Finished runs whose networks never learned, on the shared server."""
    monkeypatch.setenv("DIGITS_RUNS", str(runs_folder))
    made = []

    def finish(recipe: Recipe) -> Run:
        run = runs.create(recipe, "Fresh")
        run.write_model(model.build(recipe).save)
        run.write_result(RESULT)
        run.write_status(Status("finished", epoch=1, epochs=1))
        made.append(run)
        return run

    yield finish
    for run in made:
        run.delete()


def test_of_very_many_maps_the_page_says_how_many_there_are(
    page: Page, server: str, fresh: Callable[[Recipe], Run]
) -> None:
    open_page(page, server, f"?why=Layers&run={fresh(MANY).id}")
    draw(page, SEVEN)
    expect(page.get_by_alt_text("the 96 brightest of 100 maps of 12 × 12")).to_be_visible()


def test_an_explanation_that_cannot_be_had_is_a_sentence_and_the_prediction_stays(
    page: Page, server: str, fresh: Callable[[Recipe], Run]
) -> None:
    run = fresh(dataclasses.replace(MANY, conv=()))
    open_page(page, server, f"?why=Layers&run={run.id}")
    draw(page, SEVEN)
    expect(page.get_by_text("no convolution block")).to_be_visible()
    (run.folder / "recipe.json").write_text("torn")
    page.get_by_role("radio", name="Neighbors").click()
    expect(page.get_by_text("The job failed")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator(".answer .digit")).to_have_text(re.compile("[0-9]"))
