"""The app as a whole: first requests, and what its server process carries."""

import re
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import App, new_page
from tests.pages.test_train import LONG, press_train

pytestmark = pytest.mark.browser

PAGES = {
    "": "Train",
    "mistakes": "Mistakes",
    "draw": "Draw",
    "drawings": "Draw",
    "runs": "Runs",
    "data": "Data",
}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_right_as_the_first_request_to_a_fresh_server(
    path: str, browser: Browser, tmp_path: Path
) -> None:
    app = App(tmp_path / "runs")
    try:
        pages = [new_page(browser) for _ in range(3)]
        for page in pages:  # all of them before app.py has run
            page.goto(f"{app.url}/{path}", wait_until="commit")
        for page in pages:
            expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(PAGES[path]))
            for title in ("Train", "Mistakes", "Draw", "Runs"):
                expect(page.get_by_role("link", name=title, exact=True).first).to_be_visible()
            expect(page.get_by_text(re.compile("Traceback|Error:"))).to_have_count(0)
            page.close()
    finally:
        app.close()


def test_the_server_stays_small_and_free_of_tensorflow_while_a_run_is_watched(
    tmp_path: Path, page: Page
) -> None:
    app = App(tmp_path / "runs")
    try:
        page.goto(f"{app.url}/?{LONG}")
        press_train(page)
        expect(page.get_by_text(re.compile("epoch ([3-9]|[1-3][0-9]) of 40")).first).to_be_visible()
        server = psutil.Process(app.process.pid)
        loaded = {Path(entry.path).name for entry in server.memory_maps()}
        assert not [name for name in loaded if "tensorflow" in name]
        assert any("numpy" in name or "_multiarray" in name for name in loaded)
        assert server.memory_info().rss < 160 * 2**20
    finally:
        app.close()


def test_a_cluster_out_of_reach_is_a_sentence_and_the_rest_of_the_app_works(
    tmp_path: Path, page: Page
) -> None:
    app = App(tmp_path / "runs", DIGITS_SCHEDULER="tcp://127.0.0.1:9")
    try:
        page.goto(f"{app.url}/?{LONG}")
        press_train(page)
        expect(page.get_by_text(re.compile("no engine to train .*127.0.0.1:9"))).to_be_visible()
        page.goto(f"{app.url}/data?dataset=uci")
        expect(page.get_by_text("1,293")).to_be_visible()
    finally:
        app.close()
