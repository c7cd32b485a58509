"""The live view: how often it looks at the run, and that it stops when the run has ended."""

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.status import Owner, Status
from tests.conftest import PATIENCE, until
from tests.damage import complete_run
from widgets.shared import feed as feeds
from widgets.train import run_feed


@pytest.fixture
def going(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run that this process trains, as far as anybody can tell; nobody watches yet."""
    monkeypatch.setattr(run_feed, "_looked", {})
    monkeypatch.setattr(feeds, "FOLDER", tmp_path / "live")
    feeds._make_folder.cache_clear()
    run = runs.create(Recipe(dataset="uci", epochs=3), "Going")
    run.write_status(Status("running", epochs=3, step=40, steps=120, owner=Owner.of(os.getpid())))
    yield run
    monkeypatch.setattr(feeds, "KEPT", 0.0)
    until(lambda: not feeds._feeds, "the feeds to end")


def watched(run: Run) -> AppTest:
    """The live view alone, as a visitor of its own sees it."""

    def script(id: str) -> None:
        from digits.store import runs
        from widgets.train.live import live

        live(runs.open(id))

    return AppTest.from_function(script, args=(run.id,), default_timeout=PATIENCE).run()


def seconds(page: AppTest) -> list[float]:
    """Until the view looks again; none when it does not."""
    return [
        json.loads(element.proto.json)["seconds"]
        for element in page.get("bidi_component")
        if element.proto.component_name.endswith("digits_feed_ticker")
    ]


def test_a_run_that_goes_on_is_looked_at_again_and_one_that_ended_is_not(going: Run) -> None:
    page = watched(going)
    assert not page.exception
    assert seconds(page) == [run_feed.LOOK_INTERVAL]
    going.write_status(dataclasses.replace(going.status, state="failed", message="It broke."))
    page.run()
    assert "It broke." in page.error[0].value
    assert seconds(page) == []


def test_a_run_that_lost_its_process_is_watched_for_the_engine_may_take_it_up(going: Run) -> None:
    sound = going.status
    going.write_status(dataclasses.replace(sound, state="interrupted", message="Interrupted."))
    page = watched(going)
    assert "Interrupted." in page.warning[0].value
    assert seconds(page) == [run_feed.LOOK_INTERVAL]
    going.write_status(sound)
    assert not page.run().warning


@pytest.mark.parametrize("own", [True, False])
def test_the_whole_page_runs_once_more_when_the_visitors_own_run_has_ended(
    going: Run, own: bool
) -> None:
    def script(id: str, own: bool) -> None:
        import streamlit as st

        from digits.store import runs
        from widgets.train.live import live

        st.session_state["times"] = st.session_state.get("times", 0) + 1
        st.session_state["own-runs"] = [id] * own
        live(runs.open(id))

    page = AppTest.from_function(script, args=(going.id, own), default_timeout=PATIENCE).run()
    assert page.session_state["times"] == 1
    going.write_status(dataclasses.replace(going.status, state="failed"))
    assert page.run().session_state["times"] == 2 + own
    assert page.run().session_state["times"] == 3 + own


def told(run: Run) -> dict[str, Any]:
    """What the feed of the run has, as a browser reads it."""
    content: dict[str, Any] = json.loads(file_of(run).read_bytes())
    return content


def file_of(run: Run) -> Path:
    return feeds.FOLDER / f"{run.id}-{os.getpid()}.json"


def test_the_feed_has_the_progress_the_curves_and_the_digits(going: Run) -> None:
    going.append_steps([[step, 2.0, 0.5] for step in range(1, 41)])
    digits = np.arange(10, dtype=np.uint8)
    going.write_validation_sample(
        np.zeros((10, 28, 28), np.uint8), digits, np.eye(10, dtype=np.float16)
    )
    watched(going)
    content = told(going)
    assert content["progress"]["share"] == 40 / 120
    assert "epoch 1 of 3" in content["progress"]["words"]
    training, validation = content["loss"]["traces"]
    assert training["x"][-1] == 1.0  # 40 of 120 steps are an epoch of three
    assert set(training["y"]) == {2.0}
    assert validation["x"] == []
    assert "2.000" in content["loss"]["alt"]
    assert content["sample"]["captions"] == [f"{digit} ✓" for digit in range(10)]


def test_the_feed_asks_for_a_look_when_there_is_more_to_show_than_it_has(going: Run) -> None:
    def looks() -> int:
        return run_feed.look(going, going.status)

    before = looks()
    going.write_status(dataclasses.replace(going.status, step=41))
    going.append_steps([[1, 2.0, 0.5]])
    assert looks() == before
    for change in ({"epoch": 1}, {"message": "Preparing …"}, {"state": "paused"}):
        going.write_status(dataclasses.replace(going.status, **change))
        assert looks() > before
        before = looks()
    going.rename("Other")
    assert looks() > before


def test_the_first_step_is_awaited_more_eagerly(going: Run) -> None:
    watched(going)
    assert told(going)["seconds"] == run_feed.INTERVAL
    going.write_status(dataclasses.replace(going.status, step=0))
    until(lambda: told(going)["seconds"] == run_feed.FIRST_STEP_INTERVAL, "the other pace")


def test_a_feed_follows_what_is_written_and_goes_when_nobody_asks(
    going: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(going)
    going.write_status(dataclasses.replace(going.status, step=80))
    until(lambda: told(going)["progress"]["share"] == 80 / 120, "the feed to follow")
    monkeypatch.setattr(feeds, "KEPT", 0.0)
    until(lambda: not file_of(going).exists(), "the feed to go")


def test_the_more_watch_the_less_often_each_looks(
    going: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_feed, "CROWD", 2)
    crowd = [watched(going) for _ in range(4)]
    assert seconds(crowd[0]) == [run_feed.LOOK_INTERVAL]
    assert seconds(crowd[0].run()) == seconds(crowd[-1]) == [2 * run_feed.LOOK_INTERVAL]


def test_a_damaged_file_is_told_and_looked_at_again(going: Run) -> None:
    (going.folder / "epochs.csv").write_text("epoch,loss\n1,2\n")
    page = watched(going)
    assert "epochs.csv" in page.error[0].value
    assert seconds(page) == [run_feed.LOOK_INTERVAL]


@pytest.mark.parametrize(("seconds", "words"), [(2.5, " in 2.5 s."), (0.0, ".")])
def test_a_run_stopped_in_its_first_epoch_has_a_time_where_one_is_known(
    seconds: float, words: str
) -> None:
    run = complete_run(finetunes=False)
    result = run.result()
    assert result
    run.write_result(result | {"epochs": 0, "seconds": seconds, "images_per_second": None})
    run.write_status(Status("stopped", 0, 2, 1, 6))
    [told] = [text.value for text in watched(run).markdown if "stopped" in text.value]
    assert told.endswith(f"stopped in its first epoch{words}")
