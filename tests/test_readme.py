"""The README tells the truth about commands and files, and .ci/run uses its test command."""

import re
import shlex
import subprocess
import sys

from digits.recipes import layers
from digits.recipes.presets import PRESETS
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
[TREE] = [block for _, block in BLOCKS if "app.py " in block]


def test_the_tree_names_every_file_of_the_code_and_nothing_else() -> None:
    folder, named = "", set()
    for line in TREE.splitlines():
        path = line.removeprefix("├── ").removeprefix("└── ").split("  ")[0].split(" ")[0]
        if line.startswith(("├", "└")):
            named.add(folder + path)
        else:
            folder = path if path.endswith("/") else ""
            if not folder:
                named.add(path)
    real = {
        str(path.relative_to(ROOT))
        for pattern in (
            "app.py",
            "pages/*.py",
            "widgets/*.py",
            "widgets/*/*.py",
            "digits/*.py",
            "digits/*.keras",
        )
        for path in ROOT.glob(pattern)
        if path.name != "__init__.py"
    } | {".streamlit/config.toml", ".ci/run"}
    assert named == real


def test_the_two_commands_set_up_all_that_they_need() -> None:
    run, test = (command for command in COMMANDS if "pip install" in command)
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
    assert found == [command for command in COMMANDS if command.endswith("pytest")]


def test_every_command_without_a_browser_is_one_that_the_program_takes() -> None:
    asked = [shlex.split(line, comments=True) for line in COMMANDS if "python -m digits" in line]
    assert asked
    for command in asked:
        name, options = command[3], [word for word in command if word.startswith("--")]
        shown = subprocess.run(
            [sys.executable, "-m", "digits", name, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert all(option in shown for option in options)


def test_the_table_of_presets_names_each_with_its_parameters() -> None:
    for preset in PRESETS.values():
        row = re.search(rf"^\| \*?{re.escape(preset.title)}\*? \|.*$", README, re.MULTILINE)
        assert row, preset.title
        assert f"{layers.count_parameters(preset.recipe):,}" in row[0]
        if preset.reported:
            assert f"{preset.reported:.2%}"[:-1].rstrip("0").rstrip(".") in row[0]
        if preset.reached:
            assert f"{preset.reached:.2%}"[:-1] in row[0]


def test_every_requirement_is_pinned_and_imported() -> None:
    modules = {"pillow": "PIL", "scikit-learn": "sklearn"}
    modules["streamlit-drawable-canvas"] = "streamlit_drawable_canvas"
    code = "".join(
        path.read_text()
        for pattern in ("app.py", "pages/*.py", "widgets/*.py", "widgets/*/*.py", "digits/*.py")
        for path in ROOT.glob(pattern)
    )
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        assert re.fullmatch(r"[0-9.]+", version), line
        module = modules.get(name, name)
        assert re.search(rf"(import|from) {module}\b|find_spec\(\"{module}\"\)", code), name
