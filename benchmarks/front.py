"""Accuracy against seconds for recipes of one or two epochs: ``python -m benchmarks front``.

``python -m benchmarks.front FILE.png`` also draws it, with what the row prints.
"""

import argparse
import os
import statistics
import tempfile
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks.measure import processor, report
from benchmarks.training import Contestant, take_turns

SEEDS = 3
RECIPES: dict[str, dict[str, Any]] = {  # changes to *Sprint*, or to the preset named
    "Fast": {"preset": "fast"},
    "Fast, 30,000 images": {"preset": "fast", "train_images": 30_000},
    "24, 48, 96": {"preset": "fast", "conv": "24x5p,48x3p,96x3"},
    "16, 48, 96": {"preset": "fast", "conv": "16x5p,48x3p,96x3"},
    "16, 32, 64": {"conv": "16x5p,32x3p,64x3"},
    "12, 32, 64": {"conv": "12x5p,32x3p,64x3"},
    "8, 32, 64": {"conv": "8x5p,32x3p,64x3"},
    "Sprint": {},
    "Sprint, 2 epochs": {"epochs": 2},
    "Sprint, 30,000 images": {"train_images": 30_000},
    "Sprint, no normalization": {"batch_norm": False, "learning_rate": 0.01},
    "8 (7×7), 24, 48": {"conv": "8x7p,24x3p,48x3"},
    "8, 48 (5×5)": {"conv": "8x5p,48x5p"},
    "8, 16, 32": {"conv": "8x5p,16x3p,32x3"},
}
BESIDE = {"8 (7×7), 24, 48", "16, 32, 64"}  # on the front, but labeled on its free side
SIZE, SCALE = {"width": 960, "height": 600}, 1.5  # 1440 × 900 pixels
ACCENT = "#C9571F"


@dataclass(frozen=True)
class Point:
    """One recipe: medians of seconds, means of accuracies over the seeds."""

    name: str
    seconds: float
    val_accuracy: float
    test_accuracy: float
    lowest: float  # test accuracy
    highest: float


def front() -> list[dict[str, Any]]:
    """Each recipe's seconds from the run's start to the tested model, and its accuracies."""
    return [as_line(point) for point in measured()]


def measured() -> list[Point]:
    """All recipes in turn, seed after seed, each in a warm process of its own."""
    contestants = {
        name: Contestant("ours", **{"preset": "sprint", **settings})
        for name, settings in RECIPES.items()
    }
    points = []
    for name, took in take_turns(contestants, SEEDS).items():
        tests = [one["test_accuracy"] for one in took]
        points.append(
            Point(
                name,
                statistics.median(one["whole_seconds"] for one in took),
                statistics.mean(one["val_accuracy"] for one in took),
                statistics.mean(tests),
                min(tests),
                max(tests),
            )
        )
    return points


def as_line(point: Point) -> dict[str, Any]:
    return {
        "what": f"{point.name}, s",
        "ours": f"{point.seconds:.1f}",
        "baseline": "",
        "ratio": f"validation {point.val_accuracy:.2%}, test {point.test_accuracy:.2%} "
        f"({point.lowest:.2%} – {point.highest:.2%})",
    }


def draw(points: list[Point], file: Path) -> None:
    """A chart as PNG: seconds to the right, test accuracy with its range upwards.

    A line joins the front: the recipes than which no faster one is more accurate.
    """
    import plotly.graph_objects as go
    from playwright.sync_api import sync_playwright

    from tests.conftest import CHROMIUM

    chart = go.Figure()
    points = sorted(points, key=lambda point: point.seconds)
    best = accumulate((point.test_accuracy for point in points), max)
    leads = [point.test_accuracy == most for point, most in zip(points, best, strict=True)]
    for on_front, color, place in ((False, "#8A8178", "bottom right"), (True, ACCENT, "top left")):
        drawn = [point for point, led in zip(points, leads, strict=True) if led == on_front]
        chart.add_scatter(
            x=[point.seconds for point in drawn],
            y=[100 * point.test_accuracy for point in drawn],
            text=[f" {point.name} " for point in drawn],
            textposition=["bottom right" if point.name in BESIDE else place for point in drawn],
            textfont={"color": color},
            mode="lines+markers+text" if on_front else "markers+text",
            marker={"size": 9, "color": color},
            line={"width": 1, "color": color},
            cliponaxis=False,
            error_y={
                "array": [100 * (point.highest - point.test_accuracy) for point in drawn],
                "arrayminus": [100 * (point.test_accuracy - point.lowest) for point in drawn],
                "thickness": 1,
                "color": color,
            },
        )
    machine = f"{processor()}, {os.cpu_count()} cores"
    chart.update_layout(
        template="plotly_white",
        font={"family": "sans-serif", "size": 13},
        **SIZE,
        margin={"l": 70, "r": 20, "t": 20, "b": 60},
        showlegend=False,
        xaxis={
            "title": f"Seconds from the run’s start to the tested model ({machine})",
            "range": [0, 1.1 * points[-1].seconds],
        },
        yaxis={"title": "Test accuracy (%), three seeds"},
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, device_scale_factor=SCALE)
        page.set_content(chart.to_html(include_plotlyjs=True))
        page.add_style_tag(content="body { margin: 0 }")
        page.locator(".plot-container").wait_for()
        page.screenshot(path=file)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.front", description=__doc__)
    parser.add_argument("file", type=Path, help="the picture to write")
    file = parser.parse_args().file
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["DIGITS_RUNS"] = folder
        points = measured()
    draw(points, file)
    report([as_line(point) for point in points], as_json=False)
