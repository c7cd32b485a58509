"""What a run needs before its first step, also prepared while a visitor still sets it up.

Workers of a cluster of your own load this module with ``dask worker … --preload
digits.worker.preload``.
"""

import digits.worker.start  # noqa: F401  # isort: skip

import os
import threading
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits.data import datasets, mnist_files
from digits.data.datasets import Dataset
from digits.ink import synthetic
from digits.ink.preprocessing import IMAGE_SIDE
from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.store import finetuning
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from digits.worker import hardware, model
from digits.worker.filter_gradients import speed_up
from digits.worker.normalization import fuse
from digits.worker.predict import load, predict
from digits.worker.train_step import Graph, TrainSteps, build_graph, train_steps

NICENESS = 5  # of all threads, so that a training run leaves the processor to the pages
SHIPPED_AFTER = 5  # seconds after a worker's start, so that a run that waits for it goes first
MAX_PRELOADED = 2  # recipes, each with a copy of its images; and as many networks of ended runs
MAX_RUNS = 20  # of a network, each of which leaves 0.4 MB of kernels, until they are dropped
NOT_IN_GRAPH = ("learning_rate", "schedule", "restarts", "epochs", "patience", "validation")


@dataclass
class Network:
    """A compiled model, the graph that trains it, and its optimizer's state before the first step.

    The graph takes most of a run's start to build, so it also serves the runs after it.
    """

    model: keras.Model
    graph: Graph
    optimizer_start: list[np.ndarray]
    runs: int = 0  # that it has served
    final: keras.Model | None = None  # the same in float32, once a run has ended


@dataclass(frozen=True)
class Prepared:
    """The data, the untrained network, and the function that trains it on these data."""

    data: Dataset
    network: Network
    train_steps: TrainSteps


_preloaded: dict[Recipe, Prepared] = {}
_ended: dict[tuple[Recipe, int], Network] = {}  # by what their graph depends on


def dask_setup(worker: object) -> None:
    """What a worker does at its start, beside loading TensorFlow; dask calls this by its name."""
    os.nice(NICENESS)
    mnist_files.keep()
    shipped = threading.Timer(SHIPPED_AFTER, _load_shipped)
    shipped.daemon = True
    shipped.start()


def _load_shipped() -> None:
    """Spare the first question to the shipped model a third of a second."""
    predict(load(ModelRef()), np.zeros((1, IMAGE_SIDE, IMAGE_SIDE), np.uint8))


def prepare(recipe: Recipe, run: Run | None = None) -> Prepared:
    """Read the data, build the model and its graph: a second's work, most of it the graph.

    ``run`` is the one in whose folder a fine-tuning's drawings and its teachers lie. Raises as
    ``datasets.load`` does, and ``ValueError`` when the folder lacks what it needs.
    """
    data = datasets.load(recipe.dataset, recipe.split, train_images=recipe.train_images)
    if recipe.synthetic:
        x, y = synthetic.generate(recipe.synthetic, recipe.seed)
        data = replace(
            data,
            x_train=np.concatenate([data.x_train, x]),
            y_train=np.concatenate([data.y_train, y]),
        )
    if recipe.finetune and run:
        data = finetuning.mix_with_replay(data, recipe.finetune, finetuning.load_data(run))
    n = len(data.x_train)
    untrained = model.build(recipe, hardware.precision_policy(recipe.precision))
    if network := _taken_over(_of_graph(recipe, n)):
        _renew(network, recipe, untrained.get_weights())
    else:
        network = _built(untrained, recipe, n, run)
    advance = train_steps(network.graph, data.x_train, data.y_train)
    advance(np.arange(n), 0, 0, 0, np.empty(0))  # no step yet: TensorFlow optimizes the graph now
    return Prepared(data, network, advance)


def _taken_over(graph: tuple[Recipe, int]) -> Network | None:
    """A network with this graph: of an ended run, or of what was prepared for another click."""
    if graph in _ended:
        return _ended.pop(graph)
    for recipe, prepared in _preloaded.items():
        if _of_graph(recipe, len(prepared.data.x_train)) == graph:
            return _preloaded.pop(recipe).network
    return None


def _built(untrained: keras.Model, recipe: Recipe, n: int, run: Run | None) -> Network:
    built = model.compile(fuse(speed_up(untrained)), recipe)
    built.optimizer.build(built.trainable_variables)
    start = [variable.numpy() for variable in built.optimizer.variables]
    return Network(built, build_graph(built, recipe, n, run), start)


def _renew(network: Network, recipe: Recipe, weights: list[np.ndarray]) -> None:
    """Make the network of another run as untrained as if it had been built for this recipe."""
    network.model.set_weights(weights)
    optimizer = network.model.optimizer
    for variable, value in zip(optimizer.variables, network.optimizer_start, strict=True):
        variable.assign(value)
    optimizer.learning_rate = recipe.learning_rate


def _of_graph(recipe: Recipe, n: int) -> tuple[Recipe, int]:
    """What a graph and its model depend on: equal for recipes that can share them.

    The learning rate of each step is an input. The seed is in the graph where it draws at random.
    """
    draws = recipe.augments or recipe.dropout or recipe.conv_dropout
    shared = {name: HYPERPARAMETERS[name].default for name in NOT_IN_GRAPH}
    return replace(recipe, **shared, seed=recipe.seed if draws else 0), n


def give_back(recipe: Recipe, prepared: Prepared) -> None:
    """Keep the network of a run that has ended, or paused, for the next that is like it."""
    network = prepared.network
    network.runs += 1
    _ended[_of_graph(recipe, len(prepared.data.x_train))] = network
    if _forget_oldest(_ended) or network.runs % MAX_RUNS == 0:
        drop_kernels()


def drop_kernels() -> None:
    """Drop the kernels that TensorFlow keeps of every graph for ever, also of those in use.

    A graph that is used again is optimized anew, which takes up to half a second.
    """
    tf.random.set_seed(0)


def preload(recipe: Recipe) -> None:
    """Prepare a recipe that may be trained next; the latest two are kept."""
    _preloaded[recipe] = take(recipe)
    _forget_oldest(_preloaded)


def _forget_oldest(kept: dict[Any, Any]) -> bool:
    """Whether there was one more than are kept."""
    forgotten = list(kept)[:-MAX_PRELOADED]
    for oldest in forgotten:
        del kept[oldest]
    return bool(forgotten)


def take(recipe: Recipe, run: Run | None = None) -> Prepared:
    """What was preloaded, or else prepared now; training changes it, so it is given away once."""
    return _preloaded.pop(recipe) if recipe in _preloaded else prepare(recipe, run)
