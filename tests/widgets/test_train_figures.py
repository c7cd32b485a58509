"""The figures of a run: what differs from the run before is colored, what is the same is not."""

import shutil
from pathlib import Path

import pytest
from streamlit.proto.Metric_pb2 import Metric
from streamlit.testing.v1 import AppTest

from digits.store.run_folder import Run
from tests.conftest import PATIENCE


def _figures(run: Run, before: Run) -> dict[str, Metric]:
    def script(id: str, id_before: str) -> None:
        from digits.store import runs
        from widgets.train.figures import figures

        figures(runs.open(id), runs.open(id_before))

    page = AppTest.from_function(script, args=(run.id, before.id), default_timeout=PATIENCE).run()
    assert not page.exception
    return {metric.label: metric.proto for metric in page.metric}


@pytest.mark.slow
def test_only_a_figure_that_changed_has_an_arrow_and_a_color(trained: Run) -> None:
    other = trained.folder.with_name("20260131-093000-4f2a1c")
    before = Run(Path(shutil.copytree(trained.folder, other)))
    result = before.result()
    assert result is not None
    before.write_result(result | {"val_loss": result["val_loss"] + 0.1})
    shown = _figures(trained, before)
    accuracy, loss = shown["Validation accuracy"], shown["Validation loss"]
    assert accuracy.delta.startswith("+0.00 points vs. run")
    assert accuracy.color == Metric.MetricColor.GRAY
    assert accuracy.direction == Metric.MetricDirection.NONE
    assert loss.delta.startswith("-0.1000 vs. run")
    assert loss.color == Metric.MetricColor.GREEN, "a lower loss is better"
    assert loss.direction == Metric.MetricDirection.DOWN
