"""How fast it is: ``python -m benchmarks [row …] [--json]``, ours against a baseline.

A row with a baseline alternates ours and the baseline, several rounds, and gives medians, the
ratio and its spread, with processor time beside wall time. MNIST is used where it is at hand.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from typing import Any

from benchmarks.answers import answer
from benchmarks.front import front
from benchmarks.live import click, live, start
from benchmarks.many import many
from benchmarks.measure import report
from benchmarks.mistakes import mistakes
from benchmarks.runs import thousand_runs
from benchmarks.sweeps import promotion, scaling, simulated
from benchmarks.training import evaluate, throughput, time_to_99


def main() -> None:
    """Run the rows that are asked for, all of them by default; the table comes last."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], metavar="row", help=" ".join(ROWS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["DIGITS_RUNS"] = folder
        lines = [line for row in arguments.rows or ROWS for line in ROWS[row]()]
    report(lines, arguments.json)


ROWS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "throughput": throughput,
    "time-to-99": time_to_99,
    "front": front,
    "live": live,
    "click": click,
    "answer": answer,
    "evaluate": evaluate,
    "many": many,
    "runs": thousand_runs,
    "mistakes": mistakes,
    "start": start,
    "sweep-decisions": simulated,
    "sweep-promotion": promotion,
    "sweep-scaling": scaling,
}

if __name__ == "__main__":
    main()
