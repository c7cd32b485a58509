"""What a run needs before its first step, also prepared while a visitor still sets it up.

Workers of a cluster of your own load this module with ``dask worker … --preload
digits.worker.preload``.
"""

import os
from dataclasses import dataclass, replace

import keras
import numpy as np

from digits.data import datasets
from digits.data.datasets import Dataset
from digits.ink import synthetic
from digits.ink.preprocessing import IMAGE_SIDE
from digits.recipes.recipe import Recipe
from digits.store import finetuning
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker import hardware, model
from digits.worker.predict import load, predict
from digits.worker.train_step import TrainSteps, build_train_steps

NICENESS = 5  # of all threads, so that a training run leaves the processor to the pages
MAX_PRELOADED = 2  # recipes; each holds a copy of its images


@dataclass(frozen=True)
class Prepared:
    """The data, the untrained model, and the function that trains this model on these data."""

    data: Dataset
    model: keras.Model
    train_steps: TrainSteps


_preloaded: dict[Recipe, Prepared] = {}


def dask_setup(worker: object) -> None:
    """Load TensorFlow and the shipped model at a worker's start; dask calls this by its name."""
    os.nice(NICENESS)
    predict(load(ModelRef()), np.zeros((1, IMAGE_SIDE, IMAGE_SIDE), np.uint8))


def prepare(recipe: Recipe, run: Run | None = None) -> Prepared:
    """Read the data, build the model and its graph: a second's work, most of it the graph.

    ``run`` is the one in whose folder a fine-tuning's drawings lie. Raises as ``datasets.load``
    does, and ``ValueError`` when the folder lacks what fine-tuning needs.
    """
    data = datasets.load(recipe.dataset, seed=recipe.seed, train_images=recipe.train_images)
    if recipe.synthetic:
        x, y = synthetic.generate(recipe.synthetic, recipe.seed)
        data = replace(
            data,
            x_train=np.concatenate([data.x_train, x]),
            y_train=np.concatenate([data.y_train, y]),
        )
    if recipe.finetune and run:
        data = finetuning.mix_with_replay(data, recipe.finetune, finetuning.load_data(run))
    policy = hardware.precision_policy(recipe.precision)
    network = model.compile(model.build(recipe, policy), recipe)
    network.optimizer.build(network.trainable_variables)
    n = len(data.x_train)
    train_steps = build_train_steps(network, recipe, data.x_train, data.y_train)
    train_steps(np.arange(n), 0, 0, 0, np.empty(0))  # no step yet: builds the graph
    return Prepared(data, network, train_steps)


def preload(recipe: Recipe) -> None:
    """Prepare a recipe that may be trained next; the latest two are kept."""
    _preloaded[recipe] = take(recipe)
    for oldest in list(_preloaded)[:-MAX_PRELOADED]:
        del _preloaded[oldest]


def take(recipe: Recipe, run: Run | None = None) -> Prepared:
    """What was preloaded, or else prepared now; training changes it, so it is given away once."""
    return _preloaded.pop(recipe) if recipe in _preloaded else prepare(recipe, run)
