"""Whatever a link says, every page opens: with a sentence, or as if the link did not say it."""

import re
from itertools import cycle

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import PATIENCE, ROOT
from tests.pages.test_mistakes import figures, run_with_epochs

NO_VALUE = ["inf", "", "nan", "-1e400"]
HOSTILE: list[str | list[str]] = [
    "99999999999999999999",
    "-1",
    "1e308",
    "0.5",
    "9" * 5_000,
    "../..",
    "None",
    "٣\u202e\0🖉",
    "**![](http://127.0.0.1:9/a.png)**",
    ["1", "x"],
]
VIEWS = re.findall(r'"([\w-]+)": \("', (ROOT / "pages/mistakes.py").read_text())


def parameters() -> list[str]:
    """Every name that some page takes from the link."""
    code = "\n".join(path.read_text() for path in sorted(ROOT.glob("[pw]*s/**/*.py")))
    bound = re.findall(r'key="([\w-]+)",(?:[^()]|\([^()]*\))*?bind="query-params"', code)
    chosen = re.findall(r'choice\((?:[^()]|\([^()]*\))*?key="(\w+)"', code)
    read = re.findall(r'query_params(?:\.get|\.pop)?[\[(]"(\w+)"', code)
    return sorted({*bound, *chosen, *read, "without"})


def opened(page: str, query: dict[str, str | list[str]]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params.update(query)
    return app.switch_page(f"pages/{page}.py").run()


@pytest.fixture(autouse=True)
def without_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pages show before a worker is asked is enough."""
    monkeypatch.setenv("DIGITS_SCHEDULER", "tcp://127.0.0.1:9")


def test_the_names_are_all_found() -> None:
    names = {"recipe", "digit", "view", "sort", "dataset", "run", "other", "compare"}
    assert names <= set(parameters())


@pytest.mark.slow
@pytest.mark.parametrize("page", ["train", "mistakes", "draw", "drawings", "runs", "data"])
def test_no_value_of_a_parameter_is_an_error_page(page: str) -> None:
    run = run_with_epochs([{(4, 9): 3}, {(4, 9): 2}])
    pages = ("train", "mistakes", "draw", "drawings", "runs", "data")
    first = pages.index(page) % 2
    for start in range(first, len(HOSTILE), 2):  # every parameter has every value on three pages
        query = dict(zip(parameters(), cycle(HOSTILE[start:] + HOSTILE[:start]), strict=False))
        query["view"] = VIEWS[start % len(VIEWS)]
        if page != "train":
            query["run"] = run.id
        assert not opened(page, query).exception, query


@pytest.mark.slow
@pytest.mark.parametrize("page", ["train", "mistakes", "draw", "data"])
@pytest.mark.parametrize("value", NO_VALUE)
def test_what_is_no_value_is_as_if_the_link_did_not_say_it(page: str, value: str) -> None:
    run_with_epochs([{(4, 9): 3}, {(4, 9): 2}])
    app = opened(page, dict.fromkeys(parameters(), value))
    assert not app.exception
    assert not [error.value for error in app.error if "engine" not in error.value]
    assert app.query_params.keys() <= opened(page, {}).query_params.keys()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_link_to_no_run_or_view_shows_another(value: str | list[str]) -> None:
    run = run_with_epochs([{(4, 9): 3}, {(4, 9): 2}])
    app = opened("mistakes", {"run": value, "view": value})
    assert not app.exception
    assert run.id in app.query_params["run"]
    assert figures(app)
