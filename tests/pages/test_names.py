"""Hostile names of runs, in a browser: text on every page, no live link, nothing loaded."""

import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from digits.store.run_folder import Run
from digits.store.status import Owner, Status
from tests.conftest import App
from tests.damage import complete_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = (
    "![a](http://foreign.invalid/a.png) [b](http://foreign.invalid/b)",
    '<img src="http://foreign.invalid/c"> <a href="//foreign.invalid">d</a>',
    "http://foreign.invalid/e www.foreign.invalid f@foreign.invalid",
    r"$\frac{x}{y}$ :smile: :material/home: :red[g] -> **h** `i` _j_ # k",
)


@pytest.fixture
def named(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Run]]:
    """Finished runs of these names in the shared server's folder; then they are deleted."""
    monkeypatch.setenv("DIGITS_RUNS", str(app.runs))
    made = [complete_run(name, finetunes=False) for name in NAMES]
    yield made
    for run in made:
        run.write_status(Status("failed"))
        run.delete()


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The hosts that the page asks for anything."""
    hosts: list[str] = []
    page.on("request", lambda request: hosts.append(str(urlsplit(request.url).hostname)))
    return hosts


def shown(page: Page) -> str:
    """The text of the page as a reader sees it."""
    page.wait_for_selector("[data-test-script-state=notRunning]")
    return page.locator("body").inner_text().replace("\u2060", "")


def assert_text(page: Page, asked: list[str], names: tuple[str, ...]) -> None:
    for name in names:
        expect(page.locator("body")).to_contain_text(name[-5:])
    text = shown(page)
    for name in names:
        assert name in text
    assert page.locator("a[href*=foreign], img[src*=foreign], .katex").count() == 0
    assert page.locator("svg a").count() == 0
    assert {host for host in asked if "foreign" in host} == set()


def test_names_are_text_in_the_table_of_runs_its_chart_and_its_dialogs(
    named: list[Run], page: Page, server: str, asked: list[str]
) -> None:
    ids = ",".join(run.id for run in named)
    page.goto(f"{server}/runs?find=finished&compare={ids}")
    expect(page.locator(".legendtext")).to_have_count(len(named))
    assert_text(page, asked, NAMES)
    legend = page.locator(".legendtext").all_text_contents()
    assert sorted(text.partition(" ")[2] for text in legend) == sorted(NAMES)
    page.get_by_role("button", name="Actions").first.click()
    page.get_by_role("menuitem", name="Delete").click()
    assert_text(page, asked, NAMES)
    expect(page.get_by_test_id("stDialog")).to_contain_text("weights and models are deleted")


def test_names_are_text_on_the_page_of_a_run_and_among_those_that_train(
    named: list[Run], page: Page, server: str, asked: list[str]
) -> None:
    owner = Owner.of(os.getpid())
    for run, name in zip(named, NAMES, strict=True):
        run.write_status(Status("failed", epochs=2, message=name))
    page.goto(f"{server}/?run={named[0].id}")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_text(page, asked, NAMES[:1])
    for run in named[1:]:
        run.write_status(Status("queued", epochs=2, owner=owner))
    page.goto(f"{server}/?run={named[0].id}")
    page.get_by_role("button", name=re.compile("^Queue · [1-9]")).click()
    assert_text(page, asked, NAMES)


@pytest.mark.parametrize("path", ["mistakes", "draw"])
def test_names_are_text_where_a_run_is_chosen(
    named: list[Run], page: Page, server: str, asked: list[str], path: str
) -> None:
    page.goto(f"{server}/{path}?run={named[0].id}")
    page.get_by_role("combobox", name=re.compile("^(Run|Model)$")).click()
    expect(page.get_by_role("option")).not_to_have_count(0)
    assert_text(page, asked, NAMES)
    page.keyboard.press("Escape")
    named[1].write_status(dataclasses.replace(named[1].status, state="failed"))
    page.goto(f"{server}/{path}?run={named[1].id}")
    expect(page.get_by_text("yet, so")).to_be_visible()
    assert_text(page, asked, NAMES[1:2])


def test_a_hostile_name_of_a_file_is_text_in_an_error(
    page: Page, server: str, asked: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "![a](http:foreign.invalid) [b](www.foreign.invalid).json"
    file.write_text("{")
    page.goto(f"{server}/drawings")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("alert")).to_contain_text("is not a file of pen digits")
    assert_text(page, asked, (file.name,))
