"""Damaged runs and drawings on every page: a sentence for each, and the sound run as ever."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from digits.ink import collection
from digits.store import runs
from digits.store.run_folder import Run
from tests.conftest import PATIENCE
from tests.damage import ANY, INSTEAD, complete_run, damage
from tests.store.test_damage import FILES
from tests.widgets.test_runs_list import table_rows, texts

APP = str(Path(__file__).parents[2] / "app.py")
PAGES = ("train", "mistakes", "draw", "drawings", "runs", "data")
VIEWS = {  # of the Mistakes page, where it is not the first
    "robustness.json": "robustness",
    "map_pca.npy": "embeddings",
    "test_probabilities": "forgetting",
    "test_probabilities/0001.npy": "forgetting",
    "val_probabilities/0001.npy": "calibration",
    "epochs.csv": "forgetting",
}
BINARY = [file for file in FILES if not file.endswith("json")]
JSON = [file for file in FILES if file.endswith("json")]
DAMAGE = [  # the readers' own tests damage each file in every way
    *zip(BINARY, itertools.cycle(ANY)),
    *zip(JSON, INSTEAD, strict=False),
]


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing answers, so that no page waits for TensorFlow."""
    monkeypatch.setenv("DIGITS_SCHEDULER", "tcp://127.0.0.1:9")


def opened(page: str, **link: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=PATIENCE)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, (page, link, [one.message for one in app.exception])
    return app


def words(app: AppTest) -> str:
    told = (app.markdown, app.caption, app.error, app.warning, app.info, app.subheader)
    return "\n".join(element.value for elements in told for element in elements)


@pytest.fixture
def damaged() -> Iterator[list[Run]]:
    """A damaged run of every kind, in the list before a sound one."""
    complete_run("Sound", finetunes=False)
    made = [complete_run(f"{file} {kind}") for file, kind in DAMAGE]
    for run, (file, kind) in zip(made, DAMAGE, strict=True):
        damage(run.folder / file, kind)
    for kind in ("folder", "pipe", "loop", "link out", "empty"):
        made.append(complete_run(kind))
        damage(made[-1].folder, kind)
    return made


@pytest.mark.slow
def test_no_page_minds_the_damaged_runs_of_others(damaged: list[Run]) -> None:
    collection.add(3, [np.array([[0.0, 100], [0, 100]])])
    for page in PAGES:
        opened(page)
    assert any("Sound" in label for label in opened("mistakes").selectbox[0].options)
    assert any("Sound" in label for label in opened("draw").selectbox[0].options)
    assert "Sound" in texts(table_rows(opened("runs", find="sound"))[0])
    for order in ("number", "-val_accuracy", "name"):
        told = [texts(row) for row in table_rows(opened("runs", find="damaged", order=order))]
        assert [text for text in told if "is damaged" in text]
    opened("runs", compare=",".join(run.id for run in damaged))


@pytest.mark.slow
def test_the_pages_of_a_damaged_run_name_the_file_and_no_path(damaged: list[Run]) -> None:
    for run, (file, kind) in zip(damaged, DAMAGE, strict=False):
        texts = [words(opened("train", run=run.id))]
        if VIEWS.get(file) != "robustness" or kind != "missing":
            view = {"view": VIEWS[file]} if file in VIEWS else {}
            texts.append(words(opened("mistakes", run=run.id, **view)))
        text = "\n".join(texts)
        assert str(runs.root()) not in text, (file, kind)
        assert file in text or "has no result yet" in text, (file, kind)


@pytest.mark.slow
def test_fine_tuning_on_a_damaged_run_is_refused_in_a_sentence(damaged: list[Run]) -> None:
    script = """
from digits.ink import collection
from digits.store import runs
from widgets.drawings.finetune import finetune_controls
import streamlit as st
finetune_controls(collection.all(), runs.open(st.query_params["run"]))
"""
    for digit in range(10):
        collection.add(digit, [np.array([[0.0, 100 + digit], [0, 100]])])
    for run in damaged:
        app = AppTest.from_string(script, default_timeout=PATIENCE)
        app.query_params["run"] = run.id
        app.run()
        assert not app.exception, (run.name, app.exception)


def test_a_damaged_drawing_is_told_and_can_be_deleted() -> None:
    sound = collection.add(3, [np.array([[0.0, 100], [0, 100]])])
    for kind in INSTEAD:
        path = collection.root() / f"{collection.add(1, [np.array([[0.0, 1], [0, 1]])]).id}.json"
        damage(path, kind)
    odd = collection.root() / "20269999-999999-abcdef.json"
    odd.write_bytes((collection.root() / f"{sound.id}.json").read_bytes())
    drawings, problems = collection.read_all()
    assert [drawing.id for drawing in drawings] == [sound.id]
    assert len(problems) == len(INSTEAD)  # one is missing, one has an impossible date
    assert not [text for text in problems if str(collection.root()) in text or len(text) > 300]
    app = opened("drawings")
    assert f"Delete damaged files ({len(problems)})" in [button.label for button in app.button]
    opened("draw")
    for id in set(collection.ids()) - {sound.id}:
        collection.delete(id)
    assert collection.read_all() == (drawings, [])
