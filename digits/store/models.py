"""Names a trained model, wherever it lies: the shipped one, or a run's at any epoch."""

import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

from digits.recipes.presets import for_available_data
from digits.store import files, runs
from digits.store.run_folder import FINAL, MODEL, Run

__all__ = ["FINAL", "SHIPPED_MODEL", "ModelRef", "results_folder"]

SHIPPED_MODEL = Path(__file__).with_name("shipped.keras")  # in the worker's own code, too


@dataclass(frozen=True)
class ModelRef:
    """The shipped model, where ``run`` is ``None``, or that of a run.

    ``epoch`` counts from 1; 0 is the network before the first, ``FINAL`` the finished model.
    """

    run: Run | None = None
    epoch: int = FINAL

    @property
    def path(self) -> Path:
        """The ``.keras`` file of the final model, whether or not it is there."""
        return self.run.model_path if self.run else SHIPPED_MODEL


def results_folder(model: ModelRef) -> Run:
    """Where results about a model's final network are kept: its run, or a folder beside the runs.

    The shipped model's folder is no run and in no list. Its name depends on the model and on its
    recipe, for the best data set available: when either changes, the folder is another one.
    Raises ``OSError`` when the folder cannot be written.
    """
    if model.run:
        return model.run
    recipe = for_available_data("drawings")
    checksum = zlib.crc32(SHIPPED_MODEL.read_bytes() + recipe.to_json().encode())
    folder = Run(runs.root() / f"shipped-{recipe.dataset}-{checksum:08x}")
    if not folder.has_model:
        folder.folder.mkdir(parents=True, exist_ok=True)
        folder.write_recipe(recipe)
        files.replace(folder.folder, MODEL, lambda path: shutil.copyfile(SHIPPED_MODEL, path))
    return folder
