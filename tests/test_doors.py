"""Which addresses the README's own command listens on."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conftest import PATIENCE, ROOT, until

pytestmark = pytest.mark.slow


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[psutil.Process]:
    """What the README says starts the app, but for the port."""
    [command] = [
        line.rpartition("&& ")[2]
        for line in (ROOT / "README.md").read_text().splitlines()
        if line.endswith("streamlit run app.py")
    ]
    _, *words = shlex.split(command)
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", *words],
        cwd=ROOT,
        env={
            **os.environ,
            "DIGITS_RUNS": str(folder),
            "STREAMLIT_SERVER_PORT": "0",
            "STREAMLIT_SERVER_HEADLESS": "true",
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def listening(process: psutil.Process) -> set[str]:
    processes = [process, *process.children(recursive=True)]
    connections = [one for each in processes for one in each.net_connections("tcp")]
    return {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}


@pytest.mark.parametrize(
    ("environment", "address"),
    [({}, "127.0.0.1"), ({"STREAMLIT_SERVER_ADDRESS": "127.0.0.2"}, "127.0.0.2")],
)
def test_the_readme_s_command_listens_where_it_is_told_and_else_on_this_machine_alone(
    tmp_path: Path, environment: dict[str, str], address: str
) -> None:
    with started(tmp_path, **environment) as process:
        until(lambda: listening(process), "the server to listen")
        assert listening(process) == {address}
