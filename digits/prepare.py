"""What a run needs before its first step, also made ahead, while a visitor still sets it up."""

from dataclasses import dataclass, replace

import keras
import numpy as np

from digits import allographs, data, hardware, model, teaching
from digits.data import Dataset
from digits.loop import Advance, steps_in_graph
from digits.predict import load
from digits.recipe import Recipe
from digits.run import Run
from digits.schedule import learning_rates

AHEAD = 2  # recipes kept; each holds a copy of its images


@dataclass(frozen=True)
class Prepared:
    """The data, the untrained model, and the loop that trains this model on these data."""

    data: Dataset
    model: keras.Model
    advance: Advance


_ahead: dict[Recipe, Prepared] = {}


def prepare(recipe: Recipe, job: Run | None = None) -> Prepared:
    """Read the data, build the model and its graph: a second's work, most of it the graph.

    ``job`` is the run in whose folder lie the drawings and the network of the recipe's lesson.
    Raises as ``data.load`` does, and ``ValueError`` when the folder lacks what a lesson needs.
    """
    sets = data.load(recipe.dataset, seed=recipe.seed, train_images=recipe.train_images)
    if recipe.written:
        x, y = allographs.written(recipe.written, recipe.seed)
        sets = replace(
            sets,
            x_train=np.concatenate([sets.x_train, x]),
            y_train=np.concatenate([sets.y_train, y]),
        )
    if recipe.lesson and job:
        sets = teaching.mix(sets, recipe.lesson, teaching.material(job))
    n = len(sets.x_train)
    network = model.compile(model.build(recipe, hardware.precision(recipe.precision)), recipe)
    if recipe.lesson and job:
        network.set_weights(load(teaching.start_path(job)).get_weights())
    network.optimizer.build(network.trainable_variables)
    rates = learning_rates(recipe, -(-n // recipe.batch_size) * recipe.epochs)
    advance = steps_in_graph(network, recipe, sets.x_train, sets.y_train, rates)
    advance(np.arange(n), 0, 0, 0)  # no step yet: builds the graph
    return Prepared(sets, network, advance)


def prepare_ahead(recipe: Recipe) -> None:
    """Prepare a recipe that may be trained next; of all such ones the latest two are kept."""
    _ahead[recipe] = take(recipe)
    for forgotten in list(_ahead)[:-AHEAD]:
        del _ahead[forgotten]


def take(recipe: Recipe, job: Run | None = None) -> Prepared:
    """What was prepared ahead, if it was; training changes it, so it is given away once."""
    return _ahead.pop(recipe) if recipe in _ahead else prepare(recipe, job)
