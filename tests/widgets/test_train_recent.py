"""The table of the latest runs: what it says of each, by its state."""

import dataclasses

import pytest

from digits.store.status import Status
from tests.damage import complete_run
from widgets.train.recent import _row


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status("queued", 0, 5), "queued"),
        (Status("queued", 2, 5), "queued"),
        (Status("running", 0, 5), "epoch 1 of 5"),
        (Status("running", 5, 5), "epoch 5 of 5"),
        (Status("cancelled", 0, 5), "cancelled"),
        (Status("finished", 5, 5), "90.00%"),
    ],
)
def test_the_row_of_a_run_says_where_it_stands(status: Status, words: str) -> None:
    run = complete_run(finetunes=False)
    run.write_status(status)
    assert _row(run, current=False, shown=True)["stands"] == words


@pytest.mark.parametrize(("seconds", "words"), [(9.5, "9.5 s"), (0.0, "–")])
def test_the_row_of_a_run_has_a_time_where_one_is_known(seconds: float, words: str) -> None:
    run = complete_run(finetunes=False)
    run.write_status(dataclasses.replace(run.status, state="stopped"))
    result = run.result()
    assert result
    run.write_result(result | {"seconds": seconds})
    assert _row(run, current=False, shown=True)["time"] == words
