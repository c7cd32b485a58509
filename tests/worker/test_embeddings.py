"""The network's view of the digits against scikit-learn's, on networks that never learned."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from digits.data import datasets
from digits.recipes.recipe import Conv, Recipe
from digits.store import runs
from digits.store.models import ModelRef
from digits.store.runs import Run
from digits.worker import model
from digits.worker.embeddings import embeddings, nearest_neighbors, pca_map, tsne_map
from digits.worker.predict import load

pytestmark = pytest.mark.slow

NARROW = Recipe(dataset="uci", conv=(Conv(8),), dense=(100, 20), activation="tanh")
WIDE = Recipe(dataset="uci", conv=(Conv(16),), dense=())  # 2,704 units for 1,293 images


@pytest.fixture
def started() -> Callable[[Recipe], Run]:
    def start(recipe: Recipe) -> Run:
        run = runs.create(recipe, "Fresh")
        run.write_model(model.build(recipe).save)
        return run

    return start


def by_keras(run: Run, x: np.ndarray) -> np.ndarray:
    network = load(ModelRef(run))
    body = keras.Sequential(network.layers[:-1])
    return body.predict(x[..., None] / np.float32(255), verbose=0)


@pytest.mark.parametrize(("recipe", "components"), [(NARROW, 20), (WIDE, 64)])
def test_the_components_are_those_of_scikit_learn(
    started: Callable[[Recipe], Run], recipe: Recipe, components: int
) -> None:
    run, digits = started(recipe), datasets.load("uci")
    found = embeddings(run)
    assert found.train.shape == (len(digits.x_train), components)
    assert found.test.shape == (len(digits.x_test), components)
    assert found.train.dtype == found.test.dtype == np.float16
    inner = by_keras(run, digits.x_train)
    pca = PCA(components, svd_solver="full").fit(inner)
    assert found.share == pytest.approx(pca.explained_variance_ratio_, rel=1e-2, abs=1e-5)
    expected = pca.transform(by_keras(run, digits.x_test)) / np.sqrt(inner.var(axis=0).sum())
    for mine, theirs in list(zip(found.test.T, expected.T, strict=True))[:8]:
        theirs = theirs * np.sign(theirs @ mine)
        assert mine == pytest.approx(theirs, abs=5e-3)


def test_neighbours_are_the_nearest_in_the_whole_space_where_that_is_narrow(
    started: Callable[[Recipe], Run],
) -> None:
    run, digits = started(NARROW), datasets.load("uci")
    inner = by_keras(run, digits.x_train)
    exact = NearestNeighbors(n_neighbors=5).fit(inner)
    for image in digits.x_test[:5]:
        [expected], [indices] = exact.kneighbors(by_keras(run, image[None]))
        images, labels, distances = nearest_neighbors(run, image, k=5)
        unit = np.sqrt(inner.var(axis=0).sum())
        assert distances == pytest.approx(expected / unit, abs=2e-3)
        assert (images[0] == digits.x_train[indices[0]]).all()
        assert labels[0] == digits.y_train[indices[0]]
        assert (np.diff(distances) >= 0).all()


def test_the_nearest_to_a_training_image_is_that_image(trained: Run) -> None:
    image = datasets.load("uci").x_train[5]
    images, labels, distances = nearest_neighbors(trained, image, k=3)
    assert images.shape == (3, 28, 28)
    assert labels.shape == (3,)
    assert (images[0] == image).all()
    assert distances[0] == pytest.approx(0, abs=2e-3)


def test_only_images_that_the_run_was_trained_on_are_neighbours(
    started: Callable[[Recipe], Run],
) -> None:
    run = started(dataclasses.replace(NARROW, train_images=50, seed=3))
    images, _, _ = nearest_neighbors(run, datasets.load_test("uci")[0][0], k=60)
    assert len(images) == 50


def test_what_was_found_is_kept_and_what_is_damaged_is_found_again(trained: Run) -> None:
    first = embeddings(trained)
    written = trained.file_stamps("embeddings.npz")
    embeddings(trained)
    assert trained.file_stamps("embeddings.npz") == written
    (trained.folder / "embeddings.npz").write_bytes(b"PK torn")
    assert (embeddings(trained).train == first.train).all()


@pytest.mark.parametrize("units", [1, 5])
def test_a_network_in_which_all_units_are_dead_still_has_a_map(
    started: Callable[[Recipe], Run], units: int
) -> None:
    run = started(dataclasses.replace(NARROW, dense=(units,), activation="relu"))
    network = load(ModelRef(run))
    network.set_weights([np.zeros_like(weight) for weight in network.get_weights()])
    assert pca_map(run).shape == (len(datasets.load_test("uci")[1]), 2)
    assert np.isfinite(pca_map(run)).all()
    assert (embeddings(run).share == 0).all()


def test_maps_keep_neighbours_together_and_stay_in_the_folder(trained: Run) -> None:
    assert trained.embedding_map("pca") is None
    first_two = pca_map(trained)
    assert (trained.embedding_map("pca") == first_two).all()
    assert (first_two == embeddings(trained).test[:, :2]).all()
    places = tsne_map(trained)
    assert (trained.embedding_map("tsne") == places).all()
    assert places.dtype == np.float32
    test = embeddings(trained).test
    assert trustworthiness(test, places) > trustworthiness(test, first_two)
    assert trustworthiness(test, places) > 0.9


def test_a_run_without_a_model_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="has no model"):
        embeddings(runs.create(NARROW, "None"))
