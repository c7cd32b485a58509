"""The Data page, with MNIST and without."""

import io
from http.server import ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from digits.data import datasets, mnist_download, mnist_files
from digits.data.mnist_formats import PARTS
from tests.conftest import PATIENCE, App, until
from tests.data.test_mnist_download import source

__all__ = ["source"]  # a fixture

APP = Path(__file__).parents[2] / "app.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder without MNIST, and nowhere to download it from."""
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("DIGITS_MNIST_URL", "http://127.0.0.1:9/mnist.npz")
    mnist_download.stop()  # and forget what went wrong in another test
    return tmp_path


def opened(**link: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    page.query_params.update(link)
    return page.switch_page("pages/data.py").run()


def offer(page: AppTest) -> str:
    """The line that offers MNIST."""
    return page.markdown[0].value.replace("\\", "")


def metrics(page: AppTest) -> list[str]:
    return [metric.value for metric in page.metric]


@pytest.mark.usefixtures("folder")
def test_without_mnist_the_page_shows_ucis_digits_and_offers_to_add_mnist():
    page = opened()
    assert not page.exception
    assert "not on this machine" in offer(page)
    assert page.segmented_control[0].options == ["uci"]
    assert metrics(page) == ["1,293", "144", "360"]
    assert page.button[0].label.startswith("Download MNIST")


@pytest.mark.usefixtures("folder")
def test_a_failed_download_is_explained_and_offered_again():
    def script() -> None:
        from widgets.shared.mnist_offer import offer_mnist

        offer_mnist(lambda: None, data_page=True)

    page = AppTest.from_function(script, default_timeout=PATIENCE).run()
    page.button[0].click().run()
    assert not page.exception
    until(lambda: not mnist_download.progress().running, "the end of the download")
    page.run()
    assert "could not be downloaded" in offer(page)
    assert page.button[0].label == "Try again"


@pytest.mark.usefixtures("folder")
def test_a_link_to_a_set_that_is_not_here_shows_one_that_is():
    page = opened(dataset="mnist")
    assert not page.exception
    assert metrics(page) == ["1,293", "144", "360"]


def test_a_damaged_mnist_is_named_on_the_page(folder: Path):
    (folder / "mnist.npz").write_text("torn")
    page = opened()
    assert not page.exception
    assert str(folder / "mnist.npz") in offer(page)
    assert metrics(page) == ["1,293", "144", "360"]


def test_a_damaged_csv_is_named_on_the_page(folder: Path):
    (folder / "mnist_train_small.csv").write_text("5,5,5\n")
    page = opened(dataset="mnist-small")
    assert not page.exception
    assert "3 values in row 1" in page.error[0].value


@pytest.mark.usefixtures("folder")
def test_each_uploaded_file_gets_a_message():
    page = opened()
    files = [("holiday.npz", b"PK not really", "application/zip"), ("a.csv", b"1,2\n", "text/csv")]
    page.file_uploader[0].set_value(files)
    next(button for button in page.button if button.label == "Add").click().run()
    assert not page.exception
    assert [error.value.split()[0] for error in page.error] == ["holiday.npz", "a.csv"]


@pytest.mark.mnist
def test_uploading_mnist_turns_the_page_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = io.BytesIO()
    np.savez(whole, **{key: mnist_files.read(key) for key in PARTS})
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    page = opened()
    page.file_uploader[0].set_value([("mnist.npz", whole.getvalue(), "application/zip")])
    next(button for button in page.button if button.label == "Add").click().run()
    assert not page.exception
    assert not [button for button in page.button if "MNIST" in button.label]
    assert page.segmented_control[0].value == "mnist"
    assert metrics(page) == ["54,000", "6,000", "10,000"]


@pytest.mark.mnist
def test_with_mnist_the_page_shows_it_without_a_notice():
    page = opened()
    assert not page.exception
    assert not [button for button in page.button if "MNIST" in button.label]
    assert page.segmented_control[0].options == list(datasets.DATASETS)
    assert metrics(page) == ["54,000", "6,000", "10,000"]


@pytest.mark.mnist
def test_the_link_chooses_the_set():
    assert metrics(opened(dataset="mnist-small")) == ["18,000", "2,000", "10,000"]


@pytest.mark.browser
@pytest.mark.mnist
def test_mnist_is_downloaded_with_progress_stopped_and_then_shown_to_who_asked(
    page: Page, source: ThreadingHTTPServer, tmp_path: Path
) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **{key: mnist_files.read(key) for key in PARTS})
    source.content = content.getvalue()  # type: ignore[attr-defined]
    empty = {"DIGITS_DATA": str(tmp_path / "data"), "KERAS_HOME": str(tmp_path / "keras")}
    app = App(tmp_path / "runs", **empty)
    try:
        page.goto(f"{app.url}/data")
        download = page.get_by_role("button", name="Download MNIST (11 MB)")
        download.click()
        expect(page.get_by_text("Downloading MNIST: 1.0 of")).to_be_visible()
        page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
        download.click()
        expect(page.get_by_text("Downloading MNIST: 1.0 of")).to_be_visible()
        source.rest.set()  # type: ignore[attr-defined]
        expect(page.get_by_text("54,000")).to_be_visible()
        expect(page.get_by_text("Download")).to_have_count(0)
    finally:
        app.close()
