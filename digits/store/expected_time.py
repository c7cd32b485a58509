"""How long a run will take on this machine, judged by the runs that it has finished."""

from digits.data.datasets import DATASETS
from digits.recipes.layers import operations
from digits.recipes.recipe import Recipe
from digits.store import runs

LATEST = 20  # runs that are asked


def expected_seconds(recipe: Recipe) -> float | None:
    """Seconds of training, about; ``None`` before any run has finished here.

    By the speed of the latest run of the same network and batches, else by that of the latest run
    of all, in proportion to the multiplications of an image.
    """
    images = recipe.epochs * (
        (recipe.train_images or DATASETS[recipe.dataset].train_images) + recipe.synthetic
    )
    nearest = None
    for run in runs.done()[:LATEST]:
        try:
            other, result = run.recipe, run.result()
        except ValueError:
            continue
        if not result or not result["images_per_second"]:
            continue
        speed = result["images_per_second"]
        if _network(other) == _network(recipe):
            return images / speed
        if nearest is None:
            nearest = images / speed * operations(recipe) / operations(other)
    return nearest


def _network(recipe: Recipe) -> tuple[object, ...]:
    """What decides the speed of a step."""
    extra = recipe.batch_norm, recipe.augments, recipe.distillation and len(recipe.teachers) + 1
    return recipe.conv, recipe.dense, recipe.batch_size, extra
