"""The charts of a run: their axes have room for earlier runs, whose numbers can be read."""

import json
from typing import Any

import numpy as np
import pytest

from widgets.train import charts
from widgets.train.charts import LEAST_HEIGHT, NUMBER_HEIGHT


def earlier(number: int, loss: float) -> list[dict[str, Any]]:
    """The traces of an earlier run whose loss fell to ``loss``."""
    x = np.array([0.0, 1.0, 2.0])
    training = {"x": x, "y": np.array([2.0, 1.0, loss]), "text": str(number)}
    return [training, {"x": x[1:], "y": np.array([1.0, loss]), "text": ""}]


def drawn(loss: list[float], behind: list[dict[str, Any]]) -> dict[str, Any]:
    """The layout of the chart of a run with these losses, before earlier runs."""
    y = np.array(loss)
    ends = {"epoch": np.array([]), "val_loss": np.array([])}
    figure, _ = charts._draw("1 Run", "red", (np.arange(len(y)), y, ends), 2, "loss", behind, None)
    layout: dict[str, Any] = json.loads(figure)["layout"]
    return layout


def test_the_axis_keeps_room_for_a_better_run_before_while_the_curve_grows() -> None:
    behind = earlier(7, 0.01)
    begun, nothing = drawn([2.3, 2.2], behind), drawn([], behind)
    assert begun["yaxis"]["range"][0] <= np.log10(0.01)
    assert begun["yaxis"]["range"][1] >= np.log10(2.3)
    assert nothing["yaxis"]["range"] == nothing["meta"] == begun["meta"]
    assert drawn([2.3, 2.2], [])["meta"] is None


@pytest.mark.parametrize("losses", [(0.1, 0.1), (0.1, 0.101, 0.099), (0.1, 1.0)])
def test_the_numbers_of_runs_that_ended_alike_do_not_cover_one_another(
    losses: tuple[float, ...],
) -> None:
    behind = [trace for number, loss in enumerate(losses) for trace in earlier(number, loss)]
    layout = drawn([2.0, 0.5], behind)
    low, high = layout["yaxis"]["range"]
    pixels = sorted((one["y"] - low) / (high - low) * LEAST_HEIGHT for one in layout["annotations"])
    assert len(pixels) == len(losses)
    assert min(np.diff(pixels)) >= NUMBER_HEIGHT - 0.01


def test_the_number_of_a_longer_run_stands_where_its_curve_leaves_the_frame() -> None:
    x = np.linspace(0.0, 20.0, 201)
    training = {"x": x, "y": 2.0 * np.exp(-x / 4), "text": "7"}
    validation = {"x": x[10::10], "y": 2.0 * np.exp(-x[10::10] / 4), "text": ""}
    layout = drawn([2.3, 2.2], [training, validation])
    [label] = layout["annotations"]
    assert label["text"] == "7"
    assert label["x"] == 2 < layout["xaxis"]["range"][1]
    assert label["y"] == pytest.approx(np.log10(2.0 * np.exp(-0.5)), abs=0.01)
