"""Writes the Keras script of a recipe as a Jupyter notebook, a cell for each of its parts."""

import ast
import json
from typing import Any

from digits.recipes.keras_script import Stage, keras_script

# Statements with which a new cell begins.
PARTS = ("weights = ", "model = ", "model.fit(", "print(")


def notebook(*stages: Stage) -> str:
    """The text of an ``.ipynb`` file, format 4.5. Raises ``DoesNotFit`` as ``layers`` does."""
    script = keras_script(*stages)
    statements = ast.parse(script).body[1:]  # after the docstring
    rows = script.splitlines()
    starts = [statements[0].lineno - 1]
    starts += [one.lineno - 1 for one in statements if rows[one.lineno - 1].startswith(PARTS)]
    parts = [rows[start:end] for start, end in zip(starts, [*starts[1:], len(rows)], strict=True)]
    title = ast.get_docstring(ast.parse(script)) or ""
    cells = [_cell("markdown", title)]
    cells += [_cell("code", "\n".join(part).strip()) for part in parts]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": [{"id": f"part-{number}", **cell} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False)


def _cell(kind: str, text: str) -> dict[str, Any]:
    code: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True), **code}
