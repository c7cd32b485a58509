"""What is known of exported models is read with care."""

import pytest

from digits.store import exports
from digits.store.exports import FORMATS, Check, Exports
from digits.store.run_folder import Run
from tests.damage import ANY, VALUES, complete_run, damage, json_with

CHECK = Check(
    bytes=1, milliseconds=0.1, accuracy=0.9, differing=0, largest_difference=0.0, images=360
)


@pytest.fixture
def run() -> Run:
    return complete_run("Exported", finetunes=False)


def test_a_format_is_missing_until_it_is_checked_and_its_file_is_there(run: Run) -> None:
    assert exports.read(run) == Exports(checks={}, problems={})
    assert exports.missing(run) == list(FORMATS)
    exports.write(run, Exports(checks={"onnx": CHECK}, problems={}))
    assert "onnx" in exports.missing(run)
    exports.path(run, "onnx").parent.mkdir()
    exports.path(run, "onnx").touch()
    assert "onnx" not in exports.missing(run)


@pytest.mark.parametrize("kind", [kind for kind in ANY if kind != "missing"])
def test_a_damaged_file_is_told_by_its_name(run: Run, kind: str) -> None:
    exports.write(run, Exports(checks={}, problems={}))
    damage(run.folder / exports.EXPORTS, kind)
    with pytest.raises(ValueError, match=r"exports\.json of run"):
        exports.read(run)


@pytest.mark.parametrize("value", [value for value in VALUES if value != "0.5"])
def test_a_value_that_cannot_be_is_refused(run: Run, value: str) -> None:
    text = json_with(CHECK, "accuracy", value)
    (run.folder / exports.EXPORTS).write_text(f'{{"checks": {{"onnx": {text}}}, "problems": {{}}}}')
    with pytest.raises(ValueError, match=r"exports\.json of run"):
        exports.read(run)
