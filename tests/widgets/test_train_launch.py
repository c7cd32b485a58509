"""What stands beside Train: the name that the next run will have."""

import pytest
from streamlit.testing.v1 import AppTest

from digits.recipes.differences import from_link
from digits.store import runs
from tests.conftest import PATIENCE, ROOT
from tests.damage import complete_run

FIVE = (
    "fast;batch_norm=false;dense=64;epochs=14;batch_size=32;dropout=0.5"  # more than a name holds
)


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing answers, so that the page does not wait for TensorFlow."""
    monkeypatch.setenv("DIGITS_SCHEDULER", "tcp://127.0.0.1:9")


def next_name(link: str, *own: runs.Run) -> str:
    """What a run of the link's recipe will be called; ``own`` are the visitor's, latest first."""
    return title(link, *own).split("**")[1]


def title(link: str, *own: runs.Run, seeds: int = 1) -> str:
    """What stands beside Train; ``seeds`` is how many runs are chosen, 0 for all folds."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.session_state["own-runs"] = [run.id for run in own]
    app.session_state["train-seeds"] = seeds
    app.query_params["recipe"] = link
    app.switch_page("pages/train.py").run()
    assert not app.exception
    return next(text.value for text in app.markdown if text.value.startswith("**Fast"))


def created(link: str) -> runs.Run:
    return runs.create(from_link(link)[0], "Test")


def test_a_setting_that_the_visitor_varies_is_in_the_name_of_each_run() -> None:
    own: list[runs.Run] = []
    for rotation in (5, 10, 15):
        link = f"{FIVE};rotation={rotation}"
        name = next_name(link, *own)
        own.insert(0, created(link))
        assert next_name(link, *own) == name  # as it was before Train was pressed
    assert next_name(f"{FIVE};rotation=20", *own) == (
        "Fast · rotation 20 · 14 epochs · batch 32 · 3 more"
    )
    assert name == "Fast · rotation 15 · 14 epochs · batch 32 · 3 more"


def test_a_deleted_run_of_the_visitor_is_passed_over() -> None:
    first, deleted = created(f"{FIVE};zoom=0.1"), created(f"{FIVE};shear=5")
    deleted.delete()
    assert "zoom 0.2" in next_name(f"{FIVE};zoom=0.2", deleted, first)


def test_without_a_run_before_the_settings_that_are_tuned_most_are_named() -> None:
    assert next_name(FIVE) == "Fast · 14 epochs · batch 32 · dropout 0.5 · 2 more"


def test_the_time_is_told_for_each_of_several_runs() -> None:
    complete_run()
    assert " s here]" in title("fast;dataset=uci")
    for seeds in (5, 0):
        assert " s each]" in title("fast;dataset=uci", seeds=seeds)
