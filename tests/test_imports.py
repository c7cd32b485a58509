"""Which room may import which, and that the server never loads what belongs to workers."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, ROOT

HEAVY = ("tensorflow", "keras", "scipy", "sklearn", "optuna")
CORE = {"ink", "data", "evaluation", "multidigit", "recipes", "store", "report", "engine"}

# Room of digits/: the rooms that its modules import, at module level or inside functions.
MAY_IMPORT = {
    "ink": set(),
    "evaluation": set(),
    "data": {"ink"},
    "multidigit": {"evaluation", "ink"},
    "recipes": {"data", "ink"},
    "store": {"recipes", "evaluation", "data", "ink"},
    "report": {"store", "recipes", "evaluation", "data", "ink"},
    "worker": {"store", "recipes", "data", "ink"},
    "engine": {"worker", "store", "recipes", "data", "ink", "multidigit"},
    "__main__": {*CORE, "worker"} - {"report"},
}
CODE = sorted(
    path.relative_to(ROOT)
    for top in ("app.py", "pages", "widgets", "digits")
    for path in ([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))
)


def imports_of(path: Path) -> Iterator[str]:
    """The full name of everything that a file imports, at module level or inside functions."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    return path.parts[1].removesuffix(".py")


def test_the_rooms_of_the_core_are_those_of_the_table() -> None:
    assert {room(path) for path in CODE if path.parts[0] == "digits"} == {"__init__", *MAY_IMPORT}


@pytest.mark.parametrize("path", [path for path in CODE if path.parts[0] == "digits"], ids=str)
def test_a_room_of_the_core_imports_only_what_it_may(path: Path) -> None:
    for name in imports_of(path):
        top, *below = name.split(".")
        assert top not in ("streamlit", "widgets", "pages", "app"), name
        if top == "digits" and below and below[0] != room(path):
            assert below[0] in MAY_IMPORT.get(room(path), set()), name


@pytest.mark.parametrize("path", [path for path in CODE if path.parts[0] != "digits"], ids=str)
def test_pages_and_widgets_import_downward_and_never_their_neighbors(path: Path) -> None:
    for name in imports_of(path):
        top, *below = name.split(".")
        assert top not in HEAVY, name
        assert top != "pages", name
        if top == "digits" and below:
            assert below[0] in CORE, name
        if top == "widgets" and path.parts[0] == "widgets":
            assert below[0] in ("shared", room(path)), name
        if top == "widgets" and path.parts[0] == "app.py":
            assert below[0] == "shared", name


def test_a_page_and_all_that_it_imports_load_nothing_heavy() -> None:
    """Every page's imports and every module of the widgets, in a process of their own."""
    pages = [path for path in CODE if path.parts[0] in ("app.py", "pages")]
    imports = {
        ast.unparse(node)
        for path in pages
        for node in ast.parse((ROOT / path).read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    } | {
        f"import {'.'.join(path.with_suffix('').parts)}" for path in CODE if "widgets" in path.parts
    }
    code = f"""
import sys
from streamlit.testing.v1 import AppTest  # components need the runtime that it stands in for
app = AppTest.from_string({chr(10).join(sorted(imports))!r}).run(timeout={PATIENCE})
assert not app.exception, app.exception
assert "pages" not in sys.modules and "widgets.shared" in sys.modules
print(*{{name.split(".")[0] for name in sys.modules}} & {set(HEAVY)})
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sklearn", "pandas"])
def test_a_worker_starts_without(name: str) -> None:
    """Keras asks for them while it is imported, which takes over a second of the start."""
    code = f"import sys, digits.worker.preload; print('{name}' in sys.modules); import {name}"
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert out.stdout.split() == ["False"]
