"""What the rows share: clocks, taking turns, and a line of the table."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 3
Measured = tuple[float, float]  # seconds on the wall, seconds of the processor


def processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if "model name" in line]
    return names[0].split(":")[1].strip() if names else "unknown processor"


def alternate(
    ours: Callable[[], Measured], baseline: Callable[[], Measured], rounds: int = ROUNDS
) -> list[tuple[Measured, Measured]]:
    """One uncounted round to warm up, then ours and the baseline in turn."""
    ours(), baseline()
    pairs = []
    for number in range(rounds):
        pairs.append((ours(), baseline()))
        print(f"\r{number + 1} of {rounds} rounds", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return pairs


def clock(work: Callable[[], object]) -> Measured:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def line(what: str, ours: list[float], baseline: list[float]) -> dict[str, Any]:
    """Medians, and the median and spread of the ratios of each round."""
    ratios = [a / b for a, b in zip(ours, baseline, strict=True)]
    return {
        "what": what,
        "ours": f"{statistics.median(ours):.1f}",
        "baseline": f"{statistics.median(baseline):.1f}",
        "ratio": f"{statistics.median(ratios):.2f} × ({min(ratios):.2f} – {max(ratios):.2f})",
    }


def goal(what: str, ours: list[float], most: float, digits: int = 2) -> dict[str, Any]:
    """Median and spread of ours beside the most that it should be."""
    middle = statistics.median(ours)
    return {
        "what": what,
        "ours": f"{middle:.{digits}f}",
        "baseline": f"≤ {most:g}",
        "ratio": f"{min(ours):.{digits}f} – {max(ours):.{digits}f}",
        "met": middle <= most,
    }


def figure(what: str, ours: list[float], digits: int = 2) -> dict[str, Any]:
    """Median and spread of what has neither a baseline nor a goal."""
    return {
        "what": what,
        "ours": f"{statistics.median(ours):.{digits}f}",
        "baseline": "",
        "ratio": f"{min(ours):.{digits}f} – {max(ours):.{digits}f}",
    }


def report(lines: list[dict[str, Any]], as_json: bool) -> None:
    """Print the table, or one line of JSON."""
    if as_json:
        print(json.dumps({"processor": processor(), "rows": lines}))
        return
    print(f"\n{processor()}, {os.cpu_count()} cores\n")
    print(f"{'':<56} {'ours':>10} {'baseline':>10}  ratio, or spread beside a goal")
    for row in lines:
        missed = "" if row.get("met", True) else "  missed"
        print(f"{row['what']:<56} {row['ours']:>10} {row['baseline']:>10}  {row['ratio']}{missed}")
