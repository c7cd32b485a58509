"""The list of runs and the page of a run, without a browser: what they tell and offer."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from digits.store.run_folder import Run
from digits.store.status import Status
from tests.damage import complete_run

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def run() -> Run:
    return complete_run("A run", finetunes=False)


def opened(page: str, **link: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def row(app: AppTest) -> str:
    """State and figures of the only run in the list."""
    [line] = [element.value for element in app.markdown if "A run" in element.value]
    return line.splitlines()[-1].partition(": ")[2]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status("interrupted", message="Removed from the queue."), "Removed from the queue."),
        (Status("interrupted", 1, 2, message="Interrupted after epoch 1."), "after epoch 1 of 2"),
        (Status("failed", 1, 2, message="The loss became infinite."), "The loss became infinite."),
        (Status("failed", 1, 2, message="The loss became infinite."), "after epoch 1 of 2"),
    ],
)
def test_the_list_tells_why_a_run_ended_and_offers_to_resume_it(
    run: Run, status: Status, words: str
) -> None:
    (run.folder / "result.json").unlink()
    run.write_status(status)
    app = opened("runs")
    assert words in row(app)
    assert row(app).count("nterrupted") <= 1
    assert "Resume" in [button.label for button in app.button]


@pytest.mark.parametrize("file", ["status.json", "about.json"])
def test_a_run_with_a_damaged_file_offers_nothing_but_deletion(run: Run, file: str) -> None:
    (run.folder / file).write_text("{")
    app = opened("runs")
    assert f"{file} of run {run.id} is damaged" in app.error[0].value
    assert [button.label for button in app.button] == ["Delete"]


def test_gaps_in_the_curves_are_told_on_the_page_of_the_run(run: Run) -> None:
    assert not opened("train", run=run.id).warning
    (run.folder / "epochs.csv").unlink()
    assert "epochs.csv" in opened("train", run=run.id).warning[0].value
