"""What workers are asked to do; TensorFlow is imported there, never where the asking is done."""

from pathlib import Path

import numpy as np

from digits.recipe import Recipe
from digits.run import Run


def train(folder: str) -> None:
    """Train the run of that folder; it must be the same folder on every machine."""
    from digits.train import train

    train(Run(Path(folder)))


def prepare(recipe: Recipe) -> None:
    """Build what a recipe needs before somebody asks to train it."""
    from digits.prepare import prepare_ahead

    prepare_ahead(recipe)


def predict(path: str, x: np.ndarray) -> np.ndarray:
    """Probabilities (n, 10) of ``x`` (n, 28, 28) by the model at ``path``, "" for the shipped."""
    from digits.predict import SHIPPED, load, probabilities

    return probabilities(load(Path(path) if path else SHIPPED), x)


def augment(recipe: Recipe, n: int) -> np.ndarray:
    """``n`` training images, and what the network would see of them: (2, n, 28, 28) uint8."""
    import tensorflow as tf

    from digits import data
    from digits.augmentation import augment

    images = data.load(recipe.dataset, seed=recipe.seed).x_train[:n]
    pixels = tf.constant(images.astype(np.float32))[..., None]
    seen = augment(pixels, recipe, tf.constant(1)).numpy()[..., 0].round().astype(np.uint8)
    return np.stack([images, seen])
