"""A cluster that somebody else runs, started as docs/deployment.md says."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from digits.engine import Engine
from digits.store import runs
from digits.store.models import ModelRef
from digits.store.status import Status
from tests.conftest import PATIENCE, ROOT, until
from tests.engine.test_client import INTERRUPTED, SHORT, state, whole

pytestmark = pytest.mark.slow


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a scheduler with one worker, by the document's own commands."""
    document = (ROOT / "docs" / "deployment.md").read_text()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    commands = [
        re.search(rf"^PYTHONPATH=\. dask {role}.*$", document, re.MULTILINE)[0]  # type: ignore[index]
        for role in ("scheduler", "worker")
    ]
    processes = []
    for command, more in zip(
        commands, (["--host", "127.0.0.1", "--port", address.split(":")[-1]], []), strict=True
    ):
        words = shlex.split(command.replace("tcp://HOST:8786", address))[1:]
        words[0] = shutil.which("dask", path=str(Path(sys.executable).parent)) or "dask"
        processes.append(
            subprocess.Popen(
                [*words, *more, "--no-dashboard"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": "."},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
    monkeypatch.setenv("DIGITS_SCHEDULER", address)
    yield address
    for process in processes:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)


def connected() -> Engine:
    """The engine, once the scheduler answers."""
    found: list[Engine] = []

    def attempt() -> bool:
        try:
            found.append(Engine())
        except OSError:
            return False
        return True

    until(attempt, "the scheduler to answer")
    return found[0]


@pytest.mark.usefixtures("scheduler")
def test_runs_outlive_the_server_and_the_next_one_finds_them() -> None:
    engine = connected()
    assert engine.predict(ModelRef(), np.zeros((1, 28, 28), np.uint8)).shape == (1, 10)
    run, lost = runs.create(INTERRUPTED, "remote"), runs.create(SHORT, "lost")
    lost.write_status(Status("running", since="2026-01-01T00:00:00"))  # of an older cluster
    engine.submit(run)
    until(lambda: run.status.epoch >= 1, "an epoch")
    engine.close()
    again = Engine()
    assert state(run) == "running"
    assert state(lost) == "interrupted"
    again.submit(lost)
    until(lambda: state(run) == "finished", "the first run to finish")
    until(lambda: state(lost) == "finished", "the lost run to finish")
    whole(run)
    whole(lost)
    again.close()


def test_a_scheduler_that_nobody_runs_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_SCHEDULER", "tcp://127.0.0.1:9")
    with pytest.raises(OSError, match=r"tcp://127\.0\.0\.1:9"):
        Engine()
