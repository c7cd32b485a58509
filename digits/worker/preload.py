"""What a run needs before its first step, also made ahead, while a visitor still sets it up."""

from dataclasses import dataclass, replace

import keras
import numpy as np

from digits.data import datasets
from digits.data.datasets import Dataset
from digits.ink import synthetic
from digits.ink.preprocessing import IMAGE_SIDE
from digits.recipes.recipe import Recipe
from digits.recipes.schedule import learning_rates
from digits.store import finetuning
from digits.store.models import SHIPPED_MODEL
from digits.store.runs import Run
from digits.worker import hardware, model
from digits.worker.predict import load, probabilities
from digits.worker.train_step import TrainSteps, build_train_steps

MAX_PRELOADED = 2  # recipes kept; each holds a copy of its images


@dataclass(frozen=True)
class Prepared:
    """The data, the untrained model, and the loop that trains this model on these data."""

    data: Dataset
    model: keras.Model
    advance: TrainSteps


_preloaded: dict[Recipe, Prepared] = {}


def prepare(recipe: Recipe, job: Run | None = None) -> Prepared:
    """Read the data, build the model and its graph: a second's work, most of it the graph.

    ``job`` is the run in whose folder lie the drawings and the network of the recipe's lesson.
    Raises as ``data.load`` does, and ``ValueError`` when the folder lacks what a lesson needs.
    """
    sets = datasets.load(recipe.dataset, seed=recipe.seed, train_images=recipe.train_images)
    if recipe.synthetic:
        x, y = synthetic.generate(recipe.synthetic, recipe.seed)
        sets = replace(
            sets,
            x_train=np.concatenate([sets.x_train, x]),
            y_train=np.concatenate([sets.y_train, y]),
        )
    if recipe.finetune and job:
        sets = finetuning.mix_with_replay(sets, recipe.finetune, finetuning.load_data(job))
    n = len(sets.x_train)
    network = model.compile(
        model.build(recipe, hardware.precision_policy(recipe.precision)), recipe
    )
    if recipe.finetune and job:
        network.set_weights(load(finetuning.base_model_path(job)).get_weights())
    network.optimizer.build(network.trainable_variables)
    rates = learning_rates(recipe, -(-n // recipe.batch_size) * recipe.epochs)
    advance = build_train_steps(network, recipe, sets.x_train, sets.y_train, rates)
    advance(np.arange(n), 0, 0, 0)  # no step yet: builds the graph
    return Prepared(sets, network, advance)


def preload(recipe: Recipe) -> None:
    """Prepare a recipe that may be trained next; of all such ones the latest two are kept."""
    _preloaded[recipe] = take(recipe)
    for forgotten in list(_preloaded)[:-MAX_PRELOADED]:
        del _preloaded[forgotten]


def take(recipe: Recipe, job: Run | None = None) -> Prepared:
    """What was prepared ahead, if it was; training changes it, so it is given away once."""
    return _preloaded.pop(recipe) if recipe in _preloaded else prepare(recipe, job)


def dask_setup(worker: object) -> None:
    """Load TensorFlow and the shipped model when a worker starts; dask calls this by its name."""
    probabilities(load(SHIPPED_MODEL), np.zeros((1, IMAGE_SIDE, IMAGE_SIDE), np.uint8))
