"""Documents tell the truth: commands, trees, tables and links of the README and of docs/."""

import ast
import functools
import re
import shlex
import subprocess
import sys
import tomllib

import pytest
from PIL import Image

from benchmarks.__main__ import ROWS
from benchmarks.faults.__main__ import PARTS
from digits.recipes import layers
from digits.recipes.presets import PRESETS
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text()
    for pattern in ("*.md", "docs/*.md")
    for path in sorted(ROOT.glob(pattern))
}
CODE = [
    path
    for pattern in ("app.py", "pages/*.py", "widgets/**/*.py", "digits/**/*.py")
    for path in sorted(ROOT.glob(pattern))
]
PAGES = re.findall(r'st\.Page\("pages/(\w+)\.py", title="(\w+)"', (ROOT / "app.py").read_text())
EXTENDING = DOCUMENTS["docs/extending.md"]  # has a preset of its own
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language in a document."""
    return [
        block
        for word, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
        if word == language
    ]


def commands(text: str) -> list[str]:
    return [line for block in blocks(text, "sh") for line in block.splitlines() if line.strip()]


COMMANDS = [
    (name, shlex.split(line, comments=True))
    for name, text in DOCUMENTS.items()
    for line in commands(text)
]


def of_module(module: str) -> list[list[str]]:
    """What every ``python -m module …`` in a document says after the module."""
    return [
        words[words.index(module) + 1 :]
        for _, words in COMMANDS
        if module in words and words[words.index(module) - 1] == "-m"
    ]


def paths_of(tree: str) -> list[str]:
    """The paths that a drawn tree names, from the root of the repository."""
    above: list[str] = []
    paths = []
    for line in filter(None, tree.splitlines()):
        marks, name = re.match(r"([│├└─ ]*)(\S+)", line).groups()  # type: ignore[union-attr]
        above[len(marks) // 4 :] = [name]
        paths.append("".join(above))
    return paths


def test_the_tree_names_every_file_of_the_code_and_nothing_else() -> None:
    [tree] = [
        block for block in blocks(DOCUMENTS["docs/architecture.md"], "") if "app.py " in block
    ]
    named = [path for path in paths_of(tree) if not path.endswith("/")]
    assert len(named) == len(set(named))
    files = {str(path.relative_to(ROOT)) for path in CODE if path.name != "__init__.py"}
    for kind in ("keras", "npz"):
        files |= {str(path.relative_to(ROOT)) for path in ROOT.glob(f"digits/**/*.{kind}")}
    files |= {str(path.relative_to(ROOT)) for path in ROOT.glob("static/*.mjs")}
    files |= {
        str(path.relative_to(ROOT))
        for top in ("benchmarks", "docs")
        for path in ROOT.glob(f"{top}/**/*.py")
        if path.name != "__init__.py"
    }
    assert set(named) == files | {".streamlit/config.toml", ".ci/run"}


def test_the_folders_of_the_readme_are_those_of_the_repository() -> None:
    [tree] = blocks(README, "")
    assert len(tree.splitlines()) <= 16
    rooms = {f"digits/{path.parent.name}/" for path in ROOT.glob("digits/*/__init__.py")}
    tops = {f"{name}/" for name in ("pages", "widgets", "digits", "tests", "benchmarks", "docs")}
    assert set(paths_of(tree)) == {"app.py"} | tops | rooms


def test_the_readme_can_be_read_in_one_sitting() -> None:
    assert len(README.splitlines()) <= 150


def test_the_two_commands_set_up_all_that_they_need() -> None:
    run, test = (command for command in commands(README) if "pip install" in command)
    for command in (run, test):
        first, second, _ = command.split(" && ")
        assert first == "python3 -m venv .venv"
        requirements = shlex.split(second)[-1]
        assert (ROOT / requirements).is_file()
    assert run.endswith("streamlit run app.py")
    assert test.endswith("python -m pytest")


def test_ci_finds_the_readme_test_command() -> None:
    pattern = re.search(r"grep -m 1 '(.*)' README.md", (ROOT / ".ci/run").read_text())
    assert pattern
    found = [line for line in README.splitlines() if re.search(pattern[1], line)]
    assert found == [command for command in commands(README) if command.endswith("pytest")]


def test_the_hosted_workflow_runs_the_one_script_and_nothing_else() -> None:
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    assert re.findall(r"run: *(.*)", workflow) == [".ci/run"]


@functools.cache
def help_of(command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "digits", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_every_command_without_a_browser_is_one_that_the_program_takes() -> None:
    asked = of_module("digits")
    assert {words[0] for words in asked} == {
        "export",
        "ensemble",
        "train",
        "sweep",
        "recognize",
        "score-drawings",
        "score-numbers",
    }
    for command, *words in asked:
        shown = help_of(command)
        assert all(word in shown for word in words if word.startswith("--")), words
        if "--without" in words:
            [choices] = set(re.findall(r"--without \{([\w,]+)\}", shown))
            assert set(words[words.index("--without") + 1 :]) <= set(choices.split(","))
        if command == "train":
            assert words[0] in PRESETS or f'"{words[0]}": Preset(' in EXTENDING


def test_every_row_of_the_benchmark_that_is_named_is_one() -> None:
    asked = of_module("benchmarks")
    assert asked
    assert {word for words in asked for word in words} <= {*ROWS, "--json"}
    performance = DOCUMENTS["docs/performance.md"]
    assert all(f"`{row}`" in performance for row in ROWS)


def test_every_part_of_the_campaign_is_promised_something() -> None:
    asked = of_module("benchmarks.faults")
    assert asked
    named = {word for words in asked for word in words if not re.match(r"--|\d", word)}
    assert named <= set(PARTS)
    reliability = DOCUMENTS["docs/reliability.md"]
    assert all(f"`{part}`" in reliability for part in PARTS)


def test_every_other_command_names_files_and_markers_that_are_here() -> None:
    markers = {line.split(":")[0] for line in SETTINGS["tool"]["pytest"]["ini_options"]["markers"]}
    for name, words in COMMANDS:
        for word in words:
            if re.match(r"(tests|docs|benchmarks|digits|widgets|pages)/", word):
                assert (ROOT / word.split("::")[0]).exists(), f"{name}: {word}"
            if word.startswith("requirements"):
                assert (ROOT / word).is_file(), f"{name}: {word}"
    for words in of_module("pytest"):
        if "-m" in words:
            expression = words[words.index("-m") + 1]
            assert set(re.findall(r"\w+", expression)) - {"not", "and", "or"} <= markers


def test_the_table_of_presets_names_each_with_its_parameters() -> None:
    for preset in PRESETS.values():
        row = re.search(rf"^\| \*?{re.escape(preset.title)}\*? \|.*$", README, re.MULTILINE)
        assert row, preset.title
        assert f"{layers.count_parameters(preset.recipe):,}" in row[0]
        assert f"| {preset.recipe.epochs} |" in row[0]
        if preset.reported:
            assert f"{preset.reported:.2%}"[:-1].rstrip("0").rstrip(".") in row[0]
        if preset.reached:
            assert f"{preset.reached:.2%}"[:-1] in row[0]


def test_the_table_of_environment_variables_names_those_that_the_code_reads() -> None:
    read = {
        name
        for path in CODE
        for name in re.findall(r'environ(?:\.get\(|\[)"(DIGITS_\w+)"', path.read_text())
    }
    mentioned = {name for path in CODE for name in re.findall(r"DIGITS_[A-Z_]+", path.read_text())}
    assert mentioned == read
    assert re.findall(r"^\| `(DIGITS_\w+)` \|", README, re.MULTILINE) == sorted(
        read, key=README.index
    )
    assert set(re.findall(r"^\| `(DIGITS_\w+)` \|", README, re.MULTILINE)) == read
    for name, text in DOCUMENTS.items():
        assert set(re.findall(r"DIGITS_[A-Z_]+", text)) <= read, name


def test_the_user_guide_shows_every_page_and_names_every_view() -> None:
    guide = DOCUMENTS["docs/user-guide.md"]
    assert len(PAGES) == len(list(ROOT.glob("pages/*.py")))
    for file, title in PAGES:
        assert f"\n## {title}\n" in guide
        assert f"]({file}.png)" in guide
        assert f"\n| {title} |" in README
    for path in CODE:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VIEWS":
                assert isinstance(node.value, ast.Dict)
                for key, view in zip(node.value.keys, node.value.values, strict=True):
                    name = view.elts[0] if isinstance(view, ast.Tuple) else key
                    assert f"*{ast.literal_eval(name)}*" in guide  # type: ignore[arg-type]


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_between_documents_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", DOCUMENTS[name]):
        if re.match(r"https?://", target):
            continue
        path, _, fragment = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        if fragment:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert fragment in map(anchor, headings), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_a_document_names_is_here(name: str) -> None:
    for path in re.findall(
        r"`((?:digits|widgets|pages|tests|benchmarks|docs)/[\w./-]+)`", DOCUMENTS[name]
    ):
        assert (ROOT / path).exists(), path


def test_every_picture_is_shown_and_small() -> None:
    shown = {
        ((ROOT / name).parent / target).resolve()
        for name, text in DOCUMENTS.items()
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    }
    pictures = {path for ending in ("png", "gif") for path in ROOT.glob(f"docs/*.{ending}")}
    assert shown == pictures
    for path in pictures:
        moving = path.suffix == ".gif"
        assert path.stat().st_size < (3_000_000 if moving else 250_000), path.name
        with Image.open(path) as picture:
            assert (getattr(picture, "n_frames", 1) > 1) == moving
            assert moving or picture.size == (1440, 900)


def test_every_requirement_is_pinned_and_imported() -> None:
    modules = {"pillow": "PIL", "scikit-learn": "sklearn"}
    modules["streamlit-drawable-canvas"] = "streamlit_drawable_canvas"
    code = "".join(path.read_text() for path in CODE)
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        assert re.fullmatch(r"[0-9.]+", version), line
        module = modules.get(name, name)
        assert re.search(rf"(import|from) {module}\b|find_spec\(\"{module}\"\)", code), name
    for file in ("requirements-dev.txt", "requirements-benchmark.txt"):
        for line in (ROOT / file).read_text().splitlines():
            included = re.fullmatch(r"-r (\S+)", line)
            assert (
                (ROOT / included[1]).is_file()
                if included
                else re.fullmatch(r"[\w-]+==[0-9.]+", line)
            ), line
