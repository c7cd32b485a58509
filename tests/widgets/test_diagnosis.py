"""The card "What happened": its sentence, the comparison, and chips that set the controls."""

import dataclasses
import json
from typing import Literal

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from digits.data import datasets
from digits.recipes.recipe import Recipe
from digits.store.run_folder import Run
from digits.store.status import Status
from tests.conftest import PATIENCE
from tests.damage import complete_run


@pytest.fixture
def before() -> Run:
    return complete_run("Before", finetunes=False)


@pytest.fixture
def run() -> Run:
    """Its learning rate was a hundred times too high, and its answers are all but wrong."""
    run = complete_run("Too hot", finetunes=False)
    run.write_recipe(dataclasses.replace(run.recipe, learning_rate=0.2))
    run.truncate_metrics(0, 0)
    run.append_steps([(step, 80 if step == 2 else 2.31, 0.1) for step in range(1, 61)])
    run.append_epochs([(epoch, 2.31, 0.1, 2.31, 0.1, 0.2, 1.0, 1.0) for epoch in (1, 2)])
    run.write_status(Status("finished", 2, 2, 60, 60))
    wrong = np.roll(np.eye(10, dtype=np.float16), 1, axis=1)
    y = {"val": datasets.load_val("uci")[1], "test": datasets.load_test("uci")[1]}
    run.write_val_probabilities(wrong[y["val"]], 2)
    run.write_test_probabilities(wrong[y["test"]], 2)
    run.write_test_probabilities(wrong[y["test"]].astype(np.float32))
    return run


def shown(run: Run, before: Run | None) -> AppTest:
    def script(id: str, before_id: str) -> None:
        import json

        import streamlit as st

        from digits.store import runs
        from widgets.train.diagnosis import what_happened

        def apply(changes: dict) -> None:
            st.session_state["applied"] = json.dumps(changes)

        what_happened(runs.open(id), runs.open(before_id) if before_id else None, apply)

    ids = run.id, before.id if before else ""
    page = AppTest.from_function(script, args=ids, default_timeout=PATIENCE).run()
    assert not page.exception
    return page


def test_a_run_that_went_wrong_is_told_with_figures_and_what_to_try(run: Run, before: Run) -> None:
    page = shown(run, before)
    [sentence] = [element.value for element in page.markdown]
    assert "**Diverged.** The loss jumped to 80 in step 2 and stays at 2.31" in sentence
    [comparison] = [element.value for element in page.caption if "Compared" in element.value]
    assert f"Compared with run {before.number}, learning rate 0.002 → 0.2: " in comparison
    assert "validation accuracy 100.0 points lower (95% interval" in comparison
    labels = [button.label for button in page.button]
    assert labels == ["lr 0.002 again", "learning rate 0.001", "learning rate 0.05"]
    page.button[0].click().run()
    assert json.loads(page.session_state["applied"]) == {"learning_rate": 0.002}
    page.button[1].click().run()
    assert json.loads(page.session_state["applied"]) == {"learning_rate": 0.001}


def test_the_card_keeps_its_rows_before_anything_can_be_said(run: Run) -> None:
    run.write_status(Status("running", 0, 2, 10, 60))
    run.truncate_metrics(0, 10)
    page = shown(run, None)
    [history] = [element.value for element in page.caption]
    assert "lr 0.2 → 0.001 after epoch 0.1" in history
    assert "The weights of epoch 3 were removed" in history
    assert len(page.get("space")) == 1  # of the chips
    for file in ("learning_rate_changes.json", "thinned.json"):
        (run.folder / file).unlink()
    page = shown(run, None)
    assert "Nothing stands out yet" in page.markdown[0].value
    assert not page.caption
    assert len(page.get("space")) == 2
    assert not page.button


def test_a_damaged_run_before_is_one_sentence(run: Run, before: Run) -> None:
    (before.folder / "result.json").write_text("{")
    page = shown(run, before)
    assert any("result.json" in element.value for element in page.caption)


def test_fine_tuning_has_a_card_of_its_own(before: Run) -> None:
    page = shown(complete_run("Tuned"), before)
    assert not page.markdown
    assert isinstance(before.recipe, Recipe)


@pytest.mark.parametrize("state", ["stopped", "cancelled", "failed"])
def test_a_run_without_a_whole_epoch_is_not_judged(run: Run, state: Literal["stopped"]) -> None:
    run.truncate_metrics(0, 5)
    run.write_status(Status(state, 0, 2, 5, 60))
    [sentence] = [element.value for element in shown(run, None).markdown]
    assert "Too little was trained for a diagnosis" in sentence


def test_nothing_stands_out_in_a_run_that_paused_after_an_epoch(run: Run) -> None:
    run.truncate_metrics(1, 0)
    run.append_steps([(step, 0.3, 0.9) for step in range(1, 31)])
    run.write_status(Status("paused", 1, 2, 30, 60))
    [sentence] = [element.value for element in shown(run, None).markdown]
    assert "Nothing stands out in what was trained" in sentence
