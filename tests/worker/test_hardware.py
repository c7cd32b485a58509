"""TensorFlow computes by oneDNN on every x86 processor, unless somebody says otherwise."""

import os
import platform
import subprocess
import sys

import pytest

SWITCH = "TF_ENABLE_ONEDNN_OPTS"
ASKED = """
import digits.worker
from tensorflow.python.util import _pywrap_util_port
print(_pywrap_util_port.IsMklEnabled())
"""
ON_X86 = platform.machine() in ("x86_64", "AMD64")


@pytest.mark.parametrize(("chosen", "used"), [({}, ON_X86), ({SWITCH: "0"}, False)])
def test_workers_compute_by_onednn(chosen: dict[str, str], used: bool) -> None:
    without = {name: value for name, value in os.environ.items() if name != SWITCH}
    asked = subprocess.run(
        [sys.executable, "-c", ASKED], env=without | chosen, capture_output=True, text=True
    )
    assert asked.stdout.split() == [str(used)], asked.stderr
