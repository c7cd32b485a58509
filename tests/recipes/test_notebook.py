"""The notebook of a recipe holds its script, part by part."""

import ast
import json

import pytest

from digits.recipes.keras_script import Stage, keras_script
from digits.recipes.notebook import notebook
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Recipe
from digits.recipes.schedule import RateChange


@pytest.mark.parametrize("name", PRESETS)
def test_the_cells_together_are_the_script(name: str) -> None:
    stage = Stage(PRESETS[name].recipe, (RateChange(40, 0.003),))
    content = json.loads(notebook(stage))
    title, *code = content["cells"]
    together = "\n".join("".join(cell["source"]) for cell in code)
    script = ast.parse(keras_script(stage))
    assert ast.dump(ast.parse(together)) == ast.dump(ast.Module(script.body[1:], []))
    assert "".join(title["source"]) == ast.get_docstring(script)
    assert len(code) == 4
    assert all(ast.parse("".join(cell["source"])) for cell in code)


def test_it_is_a_notebook_that_has_not_run_yet() -> None:
    content = json.loads(notebook(Stage(Recipe())))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in content["cells"]}) == len(content["cells"])
    for cell in content["cells"][1:]:
        assert (cell["cell_type"], cell["outputs"], cell["execution_count"]) == ("code", [], None)
