"""The model that the app ships with, and where what is asked about it is kept."""

import shutil
import zlib
from pathlib import Path

from digits.recipes.presets import for_available_data
from digits.store import runs
from digits.store.runs import Run

SHIPPED_MODEL = Path(__file__).with_name("shipped.keras")


def model_run(model: str) -> Run:
    """The run of that id, or, for "shipped", a folder beside the runs with that model in it.

    That folder's name is no run's id, so it is in no list. It tells the model and the best data
    at hand, on which the recipe in it is: where either changes, nothing old is taken for new.
    Raises ``ValueError`` and ``LookupError`` as ``run.open`` does, ``OSError`` when the folder
    cannot be written.
    """
    if model != "shipped":
        return runs.open(model)
    recipe = for_available_data("drawings")
    shipped = Run(
        runs.root() / f"shipped-{recipe.dataset}-{zlib.crc32(SHIPPED_MODEL.read_bytes()):08x}"
    )
    if not shipped.model_path.exists():
        shipped.folder.mkdir(parents=True, exist_ok=True)
        shipped.replace("recipe.json", lambda path: path.write_text(recipe.to_json()))
        shipped.replace("model.keras", lambda path: shutil.copyfile(SHIPPED_MODEL, path))
    return shipped
