"""What it survives: ``python -m benchmarks.faults [part …] [--json]``, each figure with its limit.

Every part starts an app of its own on this machine alone, ends what it started, and is bounded in
time. The exit code is that of a test: 1 when a limit is broken.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from benchmarks.faults.kills import KILLS, TRIALS, VISITORS, kills, rush, sweep
from benchmarks.faults.limits import FOLDERS, RUNS, disk, folders, memory
from benchmarks.faults.uploads import uploads
from benchmarks.many import COUNTS, crowd
from benchmarks.measure import goal, report

PARTS: dict[str, Callable[..., list[dict[str, Any]]]] = {
    "kills": kills,
    "rush": rush,
    "sweep": sweep,
    "memory": memory,
    "uploads": uploads,
    "crowd": crowd,
    "folders": folders,
    "disk": disk,
}
DEFAULTS = {
    "kills": KILLS,
    "rush": VISITORS,
    "sweep": TRIALS,
    "memory": RUNS,
    "crowd": COUNTS[-1],
    "folders": FOLDERS,
}


def main() -> None:
    """Run the parts that are asked for, all of them by default; the table comes last."""
    parser = argparse.ArgumentParser("python -m benchmarks.faults", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[[], *PARTS], metavar="part", help=" ".join(PARTS)
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--count", type=int, help="kills, runs, trials, visitors or folders of that part"
    )
    arguments = parser.parse_args()
    if arguments.count and (len(arguments.parts) != 1 or arguments.parts[0] not in DEFAULTS):
        parser.error(f"--count is for one of these parts alone: {', '.join(DEFAULTS)}")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIGITS_RUNS"] = folder
        for part in arguments.parts or PARTS:
            try:
                lines += PARTS[part](*[arguments.count] if arguments.count else [])
            except AssertionError as error:  # waited in vain
                lines.append(goal(f"{part}: {error}", [1], 0, 0))
    report(lines, arguments.json)
    sys.exit(not all(line.get("met", True) for line in lines))


if __name__ == "__main__":
    main()
