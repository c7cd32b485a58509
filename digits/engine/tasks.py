"""Tasks that run on workers, and the background jobs among them.

Import TensorFlow inside functions only: the server imports this module.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from digits.multidigit.decode import Number
from digits.recipes.halving import Trial
from digits.recipes.recipe import Recipe
from digits.recipes.space import Space, Values
from digits.recipes.suggest import Sampler
from digits.store.models import ModelRef
from digits.store.run_folder import Run


@dataclass(frozen=True)
class BackgroundJob:
    """Long work on a finished run, done once and kept in the run's folder.

    ``function`` takes a run and a function that reports progress in a sentence. With ``train_slot``
    the job queues with the runs that train, of which each worker does one at a time.
    """

    function: str  # module:name, imported on the worker alone
    train_slot: bool = True


BACKGROUND_JOBS = {
    "epochs": BackgroundJob("digits.worker.predict:predict_missing_epochs"),
    "embeddings": BackgroundJob("digits.worker.embeddings:compute_embeddings", train_slot=False),
    "export": BackgroundJob("digits.worker.export:export"),
    "robustness": BackgroundJob("digits.worker.robustness:robustness"),
    "tsne": BackgroundJob("digits.worker.embeddings:tsne_map"),
}


def train(run: Run) -> None:
    """Train a run; its folder must have the same path on every machine."""
    from digits.worker.trainer import train

    train(run)
    gc.collect()  # the model, its graph and its data, which hold each other


def preload(recipe: Recipe) -> None:
    """Prepare a recipe before somebody asks to train it."""
    from digits.worker.preload import preload

    preload(recipe)


def predict(model: ModelRef, x: np.ndarray) -> np.ndarray:
    """Probabilities (n, 10) of ``x`` (n, 28, 28)."""
    from digits.worker.predict import load, predict

    return predict(load(model), x)


def predict_at_epochs(run: Run, epochs: list[int], x: np.ndarray) -> np.ndarray:
    """Probabilities (epochs, n, 10) of ``x`` (n, 28, 28) after these epochs."""
    from digits.worker.predict import predict_at_epochs

    return predict_at_epochs(run, epochs, x)


def recognize_photo(model: ModelRef, content: bytes, name: str) -> tuple[bytes, list[Number]]:
    """A photo as a small JPEG, and the numbers on it."""
    from digits.multidigit import photo
    from digits.worker.predict import load, predict

    network = load(model)
    return photo.recognize_photo(content, name, lambda x: predict(network, x))


def augment(recipe: Recipe, n: int) -> np.ndarray:
    """``n`` training images before and after augmentation: (2, n, 28, 28) uint8.

    Where the recipe mixes in synthetic digits, half of the images are such.
    """
    import tensorflow as tf

    from digits.data import datasets
    from digits.ink import synthetic
    from digits.worker.augmentation import augment

    images = datasets.load(recipe.dataset, recipe.split).x_train[:n]
    if recipe.synthetic:
        generated, _ = synthetic.generate(n // 2, recipe.seed)
        images = np.concatenate([images[: n - n // 2], generated])
    pixels = tf.constant(images.astype(np.float32))[..., None]
    augmented = augment(pixels, recipe, tf.constant(1)).numpy()[..., 0]
    return np.stack([images, augmented.round().astype(np.uint8)])


def saliency(model: ModelRef, image: np.ndarray, digits: list[int]) -> np.ndarray:
    """What each pixel adds to the logits of digits: (len(digits), 28, 28)."""
    from digits.worker.saliency import saliency

    return saliency(model, image, digits)


def activations(model: ModelRef, image: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Each convolution block's feature maps, and how many filters it has."""
    from digits.worker.activations import activations
    from digits.worker.predict import load

    return activations(load(model), image)


def nearest_neighbors(
    run: Run, image: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, labels and distances of the ``k`` training images most similar to ``image``."""
    from digits.worker.embeddings import nearest_neighbors

    return nearest_neighbors(run, image, k)


def pca_map(run: Run) -> np.ndarray:
    """The test images' first two principal components: (n, 2)."""
    from digits.worker.embeddings import pca_map

    return pca_map(run)


def robustness_examples(image: np.ndarray, kind: str) -> np.ndarray:
    """``image`` at every strength of a transform: (strengths, 28, 28) uint8."""
    from digits.worker.robustness import examples

    return examples(image, kind)


def suggest(
    space: Space, base: Recipe, sampler: Sampler, seed: int, trials: list[Trial]
) -> Values | None:
    """The values of a sweep's next trial."""
    from digits.recipes.suggest import suggest

    return suggest(space, base, sampler, seed, trials)


def importance(space: Space, trials: list[Trial]) -> dict[str, float]:
    """How much each hyperparameter decided which trials were best."""
    from digits.recipes.suggest import importance

    return importance(space, trials)


def background_job(run: Run, name: str) -> None:
    """Do one of ``BACKGROUND_JOBS`` for a run; its progress is in the run's folder meanwhile."""
    from distributed import secede

    job = BACKGROUND_JOBS[name]
    if not job.train_slot:  # the threads that answer visitors must not wait for it
        secede()
    module, _, function = job.function.partition(":")
    work: Callable[[Run, Callable[[str], None]], object]
    work = getattr(import_module(module), function)
    try:
        run.write_job_progress(name, "")
        work(run, lambda message: run.write_job_progress(name, message))
    except (OSError, ValueError) as error:
        if run.folder.is_dir():
            raise
        raise LookupError(f"Run {run.id} was deleted.") from error
    finally:
        run.clear_job_progress(name)
