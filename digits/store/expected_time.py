"""How long a run will take on this machine, judged by the runs that it has finished."""

from digits.data.datasets import DATASETS
from digits.recipes.layers import operations
from digits.recipes.presets import SHIPPED
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.teachers import teachers

LATEST = 20  # runs that are asked
TRAINING = 3  # times the multiplications of classifying: once forward, and twice as many backward


def expected_seconds(recipe: Recipe) -> float | None:
    """Seconds of training, about; ``None`` before any run has finished here.

    By the speed of the latest run of the same network and batches, else by that of the latest run
    of all, in proportion to the multiplications of an image. ``None`` also where a teacher is gone.
    """
    try:
        teaching = _teaching(recipe)
    except ValueError:
        return None
    images = recipe.epochs * (
        (recipe.train_images or DATASETS[recipe.dataset].train_images) + recipe.synthetic
    )
    nearest = None
    for run in runs.done()[:LATEST]:
        try:
            other, result = run.recipe, run.result()
            teaching_other = _teaching(other, run)
        except ValueError:
            continue
        if not result or not result["images_per_second"]:
            continue
        speed = result["images_per_second"]
        if (_network(other), teaching_other) == (_network(recipe), teaching):
            return images / speed
        if nearest is None:
            work = TRAINING * operations(recipe) + teaching
            nearest = images / speed * work / (TRAINING * operations(other) + teaching_other)
    return nearest


def _network(recipe: Recipe) -> tuple[object, ...]:
    """What decides the speed of a step, beside the teachers."""
    return recipe.conv, recipe.dense, recipe.batch_size, recipe.batch_norm, recipe.augments


def _teaching(recipe: Recipe, run: Run | None = None) -> int:
    """Multiplications of the recipe's teachers, which ``run`` has kept, for one image."""
    if not recipe.distillation:
        return 0
    chosen = [teacher.recipe for teacher in teachers(recipe, runs.root(), run)]
    return sum(map(operations, chosen or [SHIPPED]))
