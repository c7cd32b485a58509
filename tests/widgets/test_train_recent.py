"""The table of the latest runs: what it says of each, by its state."""

import dataclasses

import pytest

from tests.damage import complete_run
from widgets.train.recent import _row


@pytest.mark.parametrize(("seconds", "words"), [(9.5, "9.5 s"), (0.0, "–")])
def test_the_row_of_a_run_has_a_time_where_one_is_known(seconds: float, words: str) -> None:
    run = complete_run(finetunes=False)
    run.write_status(dataclasses.replace(run.status, state="stopped"))
    result = run.result()
    assert result
    run.write_result(result | {"seconds": seconds})
    assert _row(run, current=False, shown=True)["time"] == words
