"""What workers are asked to do; TensorFlow is imported there, never where the asking is done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from digits.multidigit.decode import Number
from digits.recipes.recipe import Recipe
from digits.store.runs import Run


def train(folder: str) -> None:
    """Train the run of that folder; it must be the same folder on every machine."""
    from digits.worker.trainer import train

    train(Run(Path(folder)))


def prepare(recipe: Recipe) -> None:
    """Build what a recipe needs before somebody asks to train it."""
    from digits.worker.preload import preload

    preload(recipe)


def predict(path: str, x: np.ndarray) -> np.ndarray:
    """Probabilities (n, 10) of ``x`` (n, 28, 28) by the model at ``path``, "" for the shipped."""
    from digits.worker.predict import probabilities

    return probabilities(_model(path), x)


def read_photo(path: str, content: bytes, name: str) -> tuple[bytes, list[Number]]:
    """A photo as a small JPEG, and the numbers on it; "" for the shipped model."""
    from digits.multidigit.photo import read_photo
    from digits.worker.predict import probabilities

    model = _model(path)
    return read_photo(content, name, lambda x: probabilities(model, x))


def augment(recipe: Recipe, n: int) -> np.ndarray:
    """``n`` training images, and what the network would see of them: (2, n, 28, 28) uint8.

    Where the recipe has written digits among them, half of these are such.
    """
    import tensorflow as tf

    from digits.data import datasets
    from digits.ink.synthetic import generate
    from digits.worker.augmentation import augment

    images = datasets.load(recipe.dataset, seed=recipe.seed).x_train[:n]
    if recipe.synthetic:
        images = np.concatenate([images[: n - n // 2], generate(n // 2, recipe.seed)[0]])
    pixels = tf.constant(images.astype(np.float32))[..., None]
    seen = augment(pixels, recipe, tf.constant(1)).numpy()[..., 0].round().astype(np.uint8)
    return np.stack([images, seen])


def saliency(path: str, weights: str, image: np.ndarray, digits: list[int]) -> np.ndarray:
    """(len(digits), 28, 28) for ``image``; "" for the shipped model or the model's own weights."""
    from digits.worker.saliency import saliency, saliency_after

    if weights:
        return saliency_after(Path(path), Path(weights), image, digits)
    return saliency(_model(path), image, digits)


def activations(path: str, image: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Each convolution block's maps of ``image``; "" for the shipped model."""
    from digits.worker.activations import activations

    return activations(_model(path), image)


def trace(folder: str, epochs: list[int], x: np.ndarray) -> np.ndarray:
    """(epochs, n, 10) of ``x`` (n, 28, 28) by the networks of these epochs of that folder's run."""
    from digits.worker.epoch_predictions import predict_at_epochs

    return predict_at_epochs(Run(Path(folder)), epochs, x)


def neighbours(folder: str, image: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, labels and distances of the ``k`` training digits most like ``image``."""
    from digits.worker.embeddings import nearest_neighbors

    return nearest_neighbors(Run(Path(folder)), image, k)


def pca_map(folder: str) -> np.ndarray:
    """(n, 2): the test images of the run of that folder by their first two components."""
    from digits.worker.embeddings import pca_map

    return pca_map(Run(Path(folder)))


def examples(image: np.ndarray, kind: str) -> np.ndarray:
    """``image`` at every strength of a kind of transformation: (strengths, 28, 28) uint8."""
    from digits.worker.robustness import examples

    return examples(image, kind)


def work(what: str, folder: str) -> None:
    """Make what ``Engine.start`` names for the run of that folder; what it gives is there."""
    from distributed import secede

    from digits.worker import embeddings, epoch_predictions, robustness

    if what == "features":  # it waits for no turn; the threads that answer must not wait for it
        secede()
    run = Run(Path(folder))
    make: dict[str, Callable[[Run, Callable[[str], None]], object]] = {
        "epochs": epoch_predictions.predict_missing_epochs,
        "features": lambda run, _: embeddings.embeddings(run),
        "sturdiness": robustness.robustness,
        "tsne": embeddings.tsne_map,
    }
    try:
        run.write(f"working-{what}.json", "")
        make[what](run, lambda message: run.write(f"working-{what}.json", message))
    except (OSError, ValueError) as error:
        if run.folder.is_dir():
            raise
        raise LookupError(f"There is no run {run.id} any more; it was deleted.") from error
    finally:
        run.clear_job_progress(what)


def _model(path: str) -> Any:
    """The Keras model at ``path``, "" for the shipped one."""
    from digits.store.models import SHIPPED_MODEL
    from digits.worker.predict import load

    return load(Path(path) if path else SHIPPED_MODEL)
