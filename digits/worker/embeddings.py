"""Embeddings of the digits: the input of a network's last layer, in few components."""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from digits.data import datasets
from digits.data.datasets import Split
from digits.store import files
from digits.store.files import Form
from digits.store.models import ModelRef
from digits.store.run_folder import EMBEDDINGS, Run
from digits.worker import hardware
from digits.worker.model import to_input, without_output
from digits.worker.predict import in_batches, load

COMPONENTS = 64
SAMPLE = 2_000  # training images that the components are fitted on, or fewer very wide ones
MAX_VALUES = 2**26  # of these together: 256 MiB

FORMS = {
    "test": Form("f", (None, None)),
    "train": Form("f", (None, None)),
    "share": Form("f", (None,)),
    "mean": Form("f", (None,)),
    "axes": Form("f", (None, None)),
}

_lock = threading.Lock()  # of two visitors who ask at once, the second finds the file


@dataclass(frozen=True)
class Embeddings:
    """The principal components of a run's embeddings, c of them, the largest variance first.

    ``test`` (n_test, c) and ``train`` (n_train, c) are float16, ``share`` (c,) float32 the part
    of the training images' variance that each component holds. ``mean`` (units,) and ``axes``
    (units, c), both float32, project the last layer's input: ``(input - mean) @ axes``.
    Distances are in units of the standard deviation in all directions together.
    """

    test: np.ndarray
    train: np.ndarray
    share: np.ndarray
    mean: np.ndarray
    axes: np.ndarray


def embeddings(run: Run) -> Embeddings:
    """Those of a run's final model, computed once and kept in the run's folder.

    Raises ``ValueError`` when the run has no model, and as ``datasets.load`` does.
    """
    with _lock:
        try:
            return files.read_arrays(run.folder, EMBEDDINGS, Embeddings, FORMS)
        except ValueError:  # missing, or damaged, which is as good as missing
            return _compute(run)


def compute_embeddings(run: Run, report: Callable[[str], None]) -> None:
    """The background job: afterwards ``nearest_neighbors`` and ``pca_map`` answer at once."""
    report("Computing the embeddings of all images.")
    embeddings(run)


def nearest_neighbors(
    run: Run, image: np.ndarray, k: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The training images most similar to an image in the embedding space, nearest first.

    ``image`` is (28, 28) uint8. Returns images (k, 28, 28) uint8, labels (k,) uint8 and Euclidean
    distances (k,) float32.
    """
    space = embeddings(run)
    place = (in_batches(_graph(load(ModelRef(run))), image[None]) - space.mean) @ space.axes
    distances = np.linalg.norm(space.train.astype(np.float32) - place, axis=1)
    nearest = np.argsort(distances, kind="stable")[:k]
    x, y = _training_images(run)
    if len(x) != len(distances):
        raise ValueError(f"{EMBEDDINGS} of run {run.id} is of other images; delete the file.")
    return x[nearest], y[nearest], distances[nearest]


def pca_map(run: Run) -> np.ndarray:
    """The first two components of the test images, (n, 2) float32, also kept in the run."""
    first = embeddings(run).test[:, :2]
    places = np.pad(first, [(0, 0), (0, 2 - first.shape[1])]).astype(np.float32)
    run.write_embedding_map(places, "pca")
    return places


def tsne_map(run: Run, report: Callable[[str], None] = lambda message: None) -> np.ndarray:
    """The test images by t-SNE, (n, 2) float32, also kept in the run.

    Source: van der Maaten 2014, Accelerating t-SNE using tree-based algorithms.
    """
    from sklearn.manifold import TSNE  # takes a second, which few need

    report("Computing the embeddings of all images.")
    test = embeddings(run).test.astype(np.float32)
    report(f"Running t-SNE on {len(test):,} test images.")
    tsne = TSNE(init="pca", random_state=run.recipe.seed, n_jobs=hardware.CORES)
    places = tsne.fit_transform(test).astype(np.float32)
    run.write_embedding_map(places, "tsne")
    return places


def _compute(run: Run) -> Embeddings:
    model, (x, _) = load(ModelRef(run)), _training_images(run)
    body, units = _graph(model), model.layers[-1].kernel.shape[0]
    sample = np.linspace(0, len(x) - 1, min(SAMPLE, len(x), MAX_VALUES // units)).astype(int)
    mean, axes, deviation = _principal_axes(in_batches(body, x[sample]))
    axes /= deviation

    def project(images: tf.Tensor) -> tf.Tensor:  # and, in a last column, the squared distance
        inner = body(images) - mean
        square = tf.reduce_sum(inner**2, axis=1, keepdims=True) / deviation**2
        return tf.concat([tf.matmul(inner, axes), square], axis=1)

    train = in_batches(project, x)
    spread = (train[:, :-1] ** 2).sum(axis=0)
    test = in_batches(project, datasets.load_test(run.recipe.dataset)[0])
    result = Embeddings(
        test=test[:, :-1].astype(np.float16),
        train=train[:, :-1].astype(np.float16),
        share=spread / (train[:, -1].sum() or 1),
        mean=mean,
        axes=axes,
    )
    files.write_arrays(run.folder, EMBEDDINGS, result)
    return result


def _principal_axes(inner: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean (units,), axes (units, at most 64) and standard deviation of (n, units) features.

    By the eigenvectors of whichever is smaller, the units' covariance or the images'.
    """
    mean = inner.mean(axis=0)
    inner -= mean
    wide = inner.shape[1] > len(inner)
    values, vectors = np.linalg.eigh((inner @ inner.T if wide else inner.T @ inner).astype(float))
    deviation = float(np.sqrt(max(0, values.sum()) / len(inner)))
    count = max(1, min(COMPONENTS, int((values > 1e-6 * values[-1]).sum())))  # dead units: no axis
    values, vectors = values[: -count - 1 : -1], vectors[:, : -count - 1 : -1]
    if wide:
        vectors = vectors / np.sqrt(np.maximum(values, 1e-12))
    axes = vectors.astype(np.float32)
    return mean, inner.T @ axes if wide else axes, deviation or 1.0


def _graph(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """(batch, 28, 28) to the last layer's input, as a graph that is kept with the model."""
    if not hasattr(model, "embedding_graph"):
        body, image = without_output(model), tf.TensorSpec((None, 28, 28), tf.uint8)
        model.embedding_graph = tf.function(
            lambda x: body(to_input(x), training=False), [image], autograph=False
        )
    return model.embedding_graph


def _training_images(run: Run) -> tuple[np.ndarray, np.ndarray]:
    return _read(run.recipe.dataset, run.recipe.split, run.recipe.train_images)


@functools.lru_cache(maxsize=1)  # 42 MB of MNIST
def _read(dataset: str, split: Split, train_images: int | None) -> tuple[np.ndarray, np.ndarray]:
    digits = datasets.load(dataset, split, train_images=train_images)
    return digits.x_train, digits.y_train
