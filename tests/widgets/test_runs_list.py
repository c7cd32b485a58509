"""The table of runs and what it offers, without a browser."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from digits.recipes.recipe import Conv, Recipe
from digits.store import forks, runs
from digits.store.run_folder import Run
from digits.store.status import Owner, Status
from tests.conftest import PATIENCE
from tests.damage import RESULT, complete_run
from widgets.runs.compare import differing
from widgets.runs.listing import COLUMNS, ordered
from widgets.runs.selection import LINKED

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def run() -> Run:
    return complete_run("A run", finetunes=False)


def opened(page: str, **link: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=PATIENCE)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def table_rows(app: AppTest, columns: int = len(COLUMNS)) -> list[dict[str, Any]]:
    """The rows of the table with so many columns."""
    tables = [
        json.loads(json.loads(element.proto.json)["content"])
        for element in app.get("bidi_component")
        if element.proto.component_name.endswith("digits_table")
    ]
    return next(table["rows"] for table in tables if len(table["columns"]) == columns)


def texts(row: dict[str, Any]) -> str:
    """All that a row says."""
    cells = [f"{cell['text']} {cell['more']} {cell['title']}" for cell in row["cells"]]
    return " ".join([*cells, row["note"]])


def enabled(app: AppTest) -> set[str]:
    """The buttons and the actions that a visitor can choose."""
    buttons = {button.label for button in app.button if not button.disabled}
    [menu] = app.menu_button
    return buttons if menu.disabled else buttons | {option.split()[-1] for option in menu.options}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status("cancelled", message="Cancelled while it was queued."), "Cancelled"),
        (Status("interrupted", 1, 2, message="Interrupted after epoch 1."), "after epoch 1 of 2"),
        (Status("failed", 1, 2, message="The loss became infinite."), "The loss became infinite."),
        (Status("failed", 1, 2, message="The loss became infinite."), "after epoch 1 of 2"),
    ],
)
def test_the_table_tells_why_a_run_ended_and_offers_to_resume_it(
    run: Run, status: Status, words: str
) -> None:
    (run.folder / "result.json").unlink()
    run.write_status(status)
    app = opened("runs", compare=run.id)
    [row] = table_rows(app)
    assert words in texts(row)
    assert texts(row).count("nterrupted") <= 1
    assert {"Open", "Resume", "Rename", "Delete"} <= enabled(app)
    assert not {"Mistakes", "Stop"} & enabled(app)


@pytest.mark.parametrize("file", ["status.json", "recipe.json", "about.json", "result.json"])
def test_a_run_with_a_damaged_file_is_a_sentence_among_sound_ones(run: Run, file: str) -> None:
    sound = complete_run("Sound", finetunes=False)
    (run.folder / file).write_text("{")
    app = opened("runs", compare=f"{run.id},{sound.id}")
    rows = {row["id"]: texts(row) for row in table_rows(app)}
    assert f"{file} of run {run.id} is damaged" in rows[run.id]
    assert "90.00%" in rows[sound.id]
    assert "Delete" in enabled(app)


def test_without_a_tick_nothing_can_be_done_and_with_two_only_what_suits_both(run: Run) -> None:
    actions = {"Open", "Mistakes", "Resume", "Stop", "Rename", "Delete", "Untick"}
    assert not actions & enabled(opened("runs"))
    other = complete_run("Other", finetunes=False)
    app = opened("runs", compare=f"{run.id},{other.id}")
    assert actions & enabled(app) == {"Delete", "Untick"}


@pytest.mark.parametrize("count", [21, LINKED + 1])
def test_all_runs_found_are_ticked_over_all_pages_deleted_and_brought_back(count: int) -> None:
    for number in range(count):
        runs.create(Recipe(), f"Needle {number}").write_status(Status("failed"))
    queued = runs.create(Recipe(), "Needle queued")
    hay = runs.create(Recipe(), "Hay")
    app = opened("runs", find="needle")
    queued.write_status(Status("queued", owner=Owner.of(os.getpid())))
    assert app.checkbox(key="runs-all").label == f"Tick all {count + 1} found"
    app.checkbox(key="runs-all").check().run()
    assert app.checkbox(key="runs-all").label == f"All {count + 1} found are ticked"
    few = count < LINKED
    assert ("compare" in app.query_params) == few
    assert any("runs are ticked" in one.value for one in app.markdown) != few
    app.menu_button(key="runs-actions").set_value("Delete").run()
    assert "1 queued or running run stays." in app.markdown[-1].value
    app.menu_button(key="runs-actions").set_value("Delete")  # else the dialog is not there
    next(one for one in app.button if f"Delete {count} runs" in one.label).click().run()
    assert not app.exception
    assert set(runs.all()) == {queued, hay}
    app.button(key="runs-undo").click().run()
    assert len(runs.all()) == count + 2
    assert app.checkbox(key="runs-all").value
    app.checkbox(key="runs-all").uncheck().run()
    assert "runs-many-ticked" not in app.session_state
    assert "compare" not in app.query_params


def test_runs_are_sorted_by_any_column_and_those_without_a_value_come_last() -> None:
    made = []
    for accuracy, seconds in ((0.95, 9.0), (0.97, 5.0), (0.96, 7.0)):
        made.append(runs.create(Recipe(), f"Run {accuracy}"))
        made[-1].write_result(RESULT | {"val_accuracy": accuracy, "seconds": seconds})
        made[-1].write_status(Status("finished"))
    low, high, middle = made
    bare = runs.create(Recipe(), "A bare one")
    everything = [bare, *made]
    assert ordered(everything, "-val_accuracy") == [high, middle, low, bare]
    assert ordered(everything, "val_accuracy") == [low, middle, high, bare]
    assert ordered(everything, "seconds") == [high, middle, low, bare]
    assert ordered(everything, "name") == [bare, low, middle, high]
    for number, run in enumerate(everything, 7):
        run.write_about(run.name, "", number)
    assert ordered(everything, "-number") == everything[::-1]


def test_only_settings_that_differ_are_compared() -> None:
    recipes = [Recipe(), Recipe(learning_rate=0.01, conv=(Conv(8, pool=False),), train_images=500)]
    told = [[cell.text for cell in row.cells] for row in differing([[one] for one in recipes])]
    assert told == [
        ["Training images", "All", "500"],
        ["Convolution blocks", "32 3×3 pool – 64 3×3 pool", "8 3×3"],
        ["Learning rate (peak)", "0.001", "0.01"],
    ]
    assert [cell.text for cell in differing([[Recipe()], [Recipe()]])[0].cells] == ["None", "", ""]


def test_forks_are_told_beside_what_differs_and_linked_from_their_parent(run: Run) -> None:
    fork = forks.fork(run, 1, run.recipe, "Fork")
    app = opened("runs", compare=f"{run.id},{fork.id}")
    told = [[cell["text"] for cell in row["cells"]] for row in table_rows(app, columns=3)]
    assert told[0] == ["Forked from", "–", "1 A run after epoch 1"]
    for page, link in (("runs", {"compare": run.id}), ("train", {"run": run.id})):
        links = opened(page, **link).get("page_link")
        assert [f"run={fork.id}"] == [
            one.proto.query_string for one in links if "Fork" in one.label
        ]


def test_a_learning_rate_that_was_changed_under_way_is_no_part_of_the_recipe_loaded(
    run: Run,
) -> None:
    app = opened("runs", compare=run.id)
    app.button(key="runs-open").click().run()
    assert app.select_slider(key="learning_rate").value == run.recipe.learning_rate
    assert "not the later learning rate (0.002 to 0.001 at step 2)" in app.toast[0].value
    assert not app.run().toast


def test_gaps_in_the_curves_are_told_on_the_page_of_the_run(run: Run) -> None:
    assert not opened("train", run=run.id).warning
    (run.folder / "epochs.csv").unlink()
    assert "epochs.csv" in opened("train", run=run.id).warning[0].value
