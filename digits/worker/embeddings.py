"""The network's own view of the digits: what its last layer is given, in few components."""

import functools
import threading
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass

import keras
import numpy as np
import tensorflow as tf

from digits.data import datasets
from digits.store.runs import Run
from digits.worker import hardware
from digits.worker.model import without_output
from digits.worker.predict import in_batches, load

COMPONENTS = 64
SAMPLE = 2_000  # training images that the components are fitted on, or fewer very wide ones
WIDE = 2**26  # numbers that these may come to: 256 MiB

_making = threading.Lock()  # the first two visitors' question is answered once


@dataclass(frozen=True)
class Embeddings:
    """The principal components of a run's features, c of them, the widest spread first.

    ``test`` (n_test, c) and ``train`` (n_train, c) are float16, ``share`` (c,) float32 the part
    of the training features' variance that each component holds. ``centre`` (units,) and ``axes``
    (units, c), both float32, take the last layer's input there: ``(features - centre) @ axes``.
    Distances are in units of the features' standard deviation, in all directions together.
    """

    test: np.ndarray
    train: np.ndarray
    share: np.ndarray
    centre: np.ndarray
    axes: np.ndarray


def embeddings(run: Run) -> Embeddings:
    """Those of a run's final model, made at the first question and kept in ``features.npz``.

    Raises ``ValueError`` when the run has no model, and as ``data.load`` does.
    """
    with _making:
        return _kept(run) or _make(run)


def nearest_neighbors(
    run: Run, image: np.ndarray, k: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The training digits that the network finds most like an image, the nearest first.

    ``image`` is (28, 28), uint8 or float32 in [0, 1]. Gives images (k, 28, 28) uint8, labels (k,)
    uint8 and Euclidean distances (k,) float32 in the components of ``features``.
    """
    known = embeddings(run)
    place = (in_batches(_body(load(run.model_path)), image[None]) - known.centre) @ known.axes
    distances = np.linalg.norm(known.train.astype(np.float32) - place, axis=1)
    nearest = np.argsort(distances, kind="stable")[:k]
    x, y = _training_images(run)
    return x[nearest], y[nearest], distances[nearest]


def pca_map(run: Run) -> np.ndarray:
    """The first two components of the test images: (n, 2) float32, kept in ``map_pca.npy``."""
    first = embeddings(run).test[:, :2]
    places = np.pad(first, [(0, 0), (0, 2 - first.shape[1])]).astype(np.float32)
    run.replace("map_pca.npy", lambda path: np.save(path, places))
    return places


def tsne_map(run: Run, tell: Callable[[str], None] = lambda message: None) -> np.ndarray:
    """The test images on a plane, those near that are alike: (n, 2) float32, ``map_tsne.npy``.

    Source: van der Maaten 2014, Accelerating t-SNE using tree-based algorithms.
    """
    from sklearn.manifold import TSNE

    tell("Finding what the network sees in every image.")
    test = embeddings(run).test.astype(np.float32)
    tell(f"Laying out {len(test):,} test images.")
    tsne = TSNE(init="pca", random_state=run.recipe.seed, n_jobs=hardware.CORES)
    places = tsne.fit_transform(test).astype(np.float32)
    run.replace("map_tsne.npy", lambda path: np.save(path, places))
    return places


def _kept(run: Run) -> Embeddings | None:
    """What is in the file; one that cannot be read is as good as none."""
    try:
        with np.load(run.folder / "features.npz") as arrays:
            return Embeddings(**arrays)
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile):
        return None


def _make(run: Run) -> Embeddings:
    model, (x, _) = load(run.model_path), _training_images(run)
    body, units = _body(model), model.layers[-1].kernel.shape[0]
    sample = np.linspace(0, len(x) - 1, min(SAMPLE, len(x), WIDE // units)).astype(int)
    centre, axes, deviation = _principal_axes(in_batches(body, x[sample]))
    axes /= deviation

    def project(images: tf.Tensor) -> tf.Tensor:  # and, in a last column, the squared distance
        inner = body(images) - centre
        square = tf.reduce_sum(inner**2, axis=1, keepdims=True) / deviation**2
        return tf.concat([tf.matmul(inner, axes), square], axis=1)

    train = in_batches(project, x)
    spread = (train[:, :-1] ** 2).sum(axis=0)
    test = in_batches(project, datasets.load_test(run.recipe.dataset)[0])
    made = Embeddings(
        test=test[:, :-1].astype(np.float16),
        train=train[:, :-1].astype(np.float16),
        share=spread / (train[:, -1].sum() or 1),
        centre=centre,
        axes=axes,
    )
    run.replace("features.npz", lambda path: np.savez(path, **asdict(made)))
    return made


def _principal_axes(inner: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean (units,), axes (units, at most 64) and standard deviation of (n, units) features.

    By the eigenvectors of whichever is smaller, the units' covariance or the images'.
    """
    centre = inner.mean(axis=0)
    inner -= centre
    wide = inner.shape[1] > len(inner)
    values, vectors = np.linalg.eigh((inner @ inner.T if wide else inner.T @ inner).astype(float))
    deviation = float(np.sqrt(max(0, values.sum()) / len(inner)))
    told = max(1, min(COMPONENTS, int((values > 1e-6 * values[-1]).sum())))  # dead units: no axis
    values, vectors = values[: -told - 1 : -1], vectors[:, : -told - 1 : -1]
    if wide:
        vectors = vectors / np.sqrt(np.maximum(values, 1e-12))
    axes = vectors.astype(np.float32)
    return centre, inner.T @ axes if wide else axes, deviation or 1.0


def _body(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """(batch, 28, 28) to what the last layer is given, as a graph that is kept with the model."""
    if not hasattr(model, "body"):
        body, image = without_output(model), tf.TensorSpec((None, 28, 28), tf.float32)
        model.body = tf.function(
            lambda x: body(x[..., None], training=False), input_signature=[image]
        )
    return model.body


def _training_images(run: Run) -> tuple[np.ndarray, np.ndarray]:
    return _split(run.recipe.dataset, run.recipe.seed, run.recipe.train_images)


@functools.lru_cache(maxsize=1)  # 42 MB of MNIST
def _split(dataset: str, seed: int, train_images: int | None) -> tuple[np.ndarray, np.ndarray]:
    digits = datasets.load(dataset, seed=seed, train_images=train_images)
    return digits.x_train, digits.y_train
