"""The live view: how often it looks at the run, and that it stops when the run has ended."""

import dataclasses
import json
import os

import pytest
from streamlit.testing.v1 import AppTest

from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.status import Owner, Status
from tests.conftest import PATIENCE
from widgets.train import live as live_view


@pytest.fixture
def going(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that this process trains, as far as anybody can tell; nobody watches yet."""
    monkeypatch.setattr(live_view, "_looked", {})
    run = runs.create(Recipe(dataset="uci", epochs=3), "Going")
    run.write_status(Status("running", epochs=3, step=40, steps=120, owner=Owner.of(os.getpid())))
    return run


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
        if element.proto.component_name.endswith("digits_ticker")
    ]


def test_a_run_that_goes_on_is_looked_at_again_and_one_that_ended_is_not(going: Run) -> None:
    page = watched(going)
    assert not page.exception
    assert seconds(page) == [live_view.INTERVAL]
    going.write_status(dataclasses.replace(going.status, state="failed", message="It broke."))
    page.run()
    assert "It broke." in page.error[0].value
    assert seconds(page) == []


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


def test_the_first_step_is_awaited_more_eagerly(going: Run) -> None:
    going.write_status(dataclasses.replace(going.status, step=0))
    assert seconds(watched(going)) == [live_view.FIRST_STEP_INTERVAL]


def test_the_more_watch_the_less_often_each_looks(
    going: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_view, "CROWD", 2)
    crowd = [watched(going) for _ in range(4)]
    assert seconds(crowd[0]) == [live_view.INTERVAL]
    assert seconds(crowd[0].run()) == seconds(crowd[-1]) == [2 * live_view.INTERVAL]


def test_a_damaged_file_is_told_and_looked_at_again(going: Run) -> None:
    (going.folder / "epochs.csv").write_text("epoch,loss\n1,2\n")
    page = watched(going)
    assert "epochs.csv" in page.error[0].value
    assert seconds(page) == [live_view.INTERVAL]
