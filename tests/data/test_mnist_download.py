"""The download of MNIST in the background: followed, stopped, failed, and begun again."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from digits.data import mnist_download
from digits.data.mnist_download import Progress
from tests.conftest import until

HALF = 2**20


class Halting(BaseHTTPRequestHandler):
    """Sends half of what its server has, and the rest when it is told to."""

    def do_GET(self) -> None:
        content: bytes = self.server.content  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:HALF])
        self.server.rest.wait(60)  # type: ignore[attr-defined]
        self.wfile.write(content[HALF:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """Where MNIST is downloaded from, with ``content`` and the event ``rest``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Halting)
    server.content = bytes(2 * HALF)  # type: ignore[attr-defined]
    server.rest = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("DIGITS_MNIST_URL", f"http://127.0.0.1:{server.server_port}/mnist.npz")
    yield server
    server.rest.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_a_download_is_followed_stopped_begun_again_and_its_failure_told(
    source: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    half = Progress(True, HALF, 2 * HALF)
    mnist_download.start()
    until(lambda: mnist_download.progress() == half, "the first half")
    mnist_download.start()  # by another visitor
    assert len(list((tmp_path / "data").iterdir())) == 1
    mnist_download.stop()
    assert mnist_download.progress() == Progress()

    mnist_download.start()
    until(lambda: mnist_download.progress() == half, "the first half again")
    source.rest.set()  # type: ignore[attr-defined]
    until(lambda: not mnist_download.progress().running, "the end")
    assert "sent is not MNIST's" in mnist_download.progress().problem  # it was zeros
    until(lambda: not list((tmp_path / "data").iterdir()), "nothing left behind")
    assert mnist_download.progress().problem  # not forgotten by the one stopped
    mnist_download.stop()
    assert mnist_download.progress() == Progress()
