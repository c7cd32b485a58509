"""The sets of digits and their splits."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from digits.data import datasets
from digits.data import uci as uci_files
from digits.data.datasets import DATASETS, FOLDS, Split
from digits.ink.preprocessing import DIGIT_SIDE, crop


@pytest.fixture
def no_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGITS_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))


def images(*arrays: np.ndarray) -> Counter[bytes]:
    return Counter(image.tobytes() for x in arrays for image in x)


@pytest.fixture(scope="module")
def uci() -> datasets.Dataset:
    return datasets.load("uci")


def test_uci_digits_are_those_of_scikit_learn():
    theirs = load_digits()
    x, y = uci_files.read()
    assert (y == theirs.target).all()
    likeness = []
    for ours, digit in zip(x, theirs.images, strict=True):
        cells = crop(np.uint8(digit * 15 * (digit > 2)))
        shrunk = Image.fromarray(crop(ours)).resize(cells.shape[::-1], Image.Resampling.BOX)
        likeness.append(np.corrcoef(np.asarray(shrunk).ravel(), cells.ravel())[0, 1])
    assert np.median(likeness) > 0.9
    assert min(likeness) > 0.5


def test_uci_digits_are_laid_out_as_mnist_lays_out_its(uci: datasets.Dataset):
    rows = np.arange(28)
    for image in uci.x_train:
        assert max(crop(image).shape) == DIGIT_SIDE
        weights = image / image.sum()
        assert abs(weights.sum(axis=1) @ rows - 14) <= 0.51
        assert abs(weights.sum(axis=0) @ rows - 14) <= 0.51
    assert 0.10 < uci.x_train.mean() / 255 < 0.16  # MNIST has 0.13


def test_reading_digits_imports_neither_scikit_learn_nor_tensorflow():
    code = (
        "import sys; from digits.data import datasets; datasets.load('uci');"
        "print(*{'sklearn', 'scipy', 'pandas', 'tensorflow'} & sys.modules.keys())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == []


def test_splits_share_no_image_and_leave_none_out(uci: datasets.Dataset):
    x, _ = uci_files.read()
    assert images(uci.x_train, uci.x_val, uci.x_test) == images(x)
    assert len(uci.x_train) + len(uci.x_val) + len(uci.x_test) == len(x) == 1797
    assert len(uci.x_test) == pytest.approx(0.2 * 1797, abs=1)
    assert len(uci.x_val) == pytest.approx(0.1 * (1797 - len(uci.x_test)), abs=1)


def test_every_split_has_each_digit_in_proportion(uci: datasets.Dataset):
    _, y = uci_files.read()
    for part in (uci.y_train, uci.y_val, uci.y_test):
        expected = np.bincount(y) * len(part) / len(y)
        assert np.abs(np.bincount(part, minlength=10) - expected).max() < 2


def test_the_seed_moves_the_validation_images_and_never_the_test_images(uci: datasets.Dataset):
    again, other = datasets.load("uci"), datasets.load("uci", Split(1))
    assert (again.x_val == uci.x_val).all()
    assert images(other.x_val) != images(uci.x_val)
    assert (other.x_test == uci.x_test).all()
    assert (datasets.load_test("uci")[0] == uci.x_test).all()
    assert (datasets.load_test("uci")[1] == uci.y_test).all()


def test_every_image_that_is_not_for_testing_is_for_validation_in_one_fold(uci: datasets.Dataset):
    folds = [datasets.load("uci", Split(fold=fold)) for fold in range(1, FOLDS + 1)]
    everything = images(uci.x_train, uci.x_val)
    assert images(*(fold.x_val for fold in folds)) == everything
    for fold in folds:
        assert images(fold.x_train, fold.x_val) == everything
        assert (fold.x_test == uci.x_test).all()
        assert np.ptp(np.bincount(fold.y_val, minlength=10)) <= 3
    alone, _ = datasets.load_val("uci", Split(fold=3))
    assert (alone == folds[2].x_val).all()


@pytest.mark.parametrize(
    "name",
    ["uci", *(pytest.param(name, marks=pytest.mark.mnist) for name in ("mnist", "mnist-small"))],
)
def test_the_validation_images_alone_are_those_of_the_whole_set(name: str):
    for seed in (0, 5):
        everything = datasets.load(name, Split(seed), train_images=500)
        x, y = datasets.load_val(name, Split(seed))
        assert (x == everything.x_val).all()
        assert (y == everything.y_val).all()
        assert x.base is None, "a view would keep the training images"


def test_train_images_takes_a_balanced_part_of_the_training_images(uci: datasets.Dataset):
    few = datasets.load("uci", train_images=200)
    assert len(few.x_train) == len(few.y_train) == 200
    assert images(few.x_train) <= images(uci.x_train)
    assert (few.x_val == uci.x_val).all()
    assert np.ptp(np.bincount(few.y_train)) <= 2
    assert sorted(datasets.load("uci", train_images=10).y_train) == list(range(10))
    everything = datasets.load("uci", train_images=len(uci.x_train))
    assert images(everything.x_train) == images(uci.x_train)


def test_images_keep_their_labels(uci: datasets.Dataset):
    x, y = uci_files.read()
    label = {image.tobytes(): digit for image, digit in zip(x, y, strict=True)}
    few = datasets.load("uci", Split(3), train_images=100)
    for some_x, some_y in (
        (few.x_train, few.y_train),
        (few.x_val, few.y_val),
        (few.x_test, few.y_test),
    ):
        assert [label[image.tobytes()] for image in some_x] == some_y.tolist()


@pytest.mark.parametrize(
    "name",
    ["uci", *(pytest.param(name, marks=pytest.mark.mnist) for name in ("mnist", "mnist-small"))],
)
def test_the_table_tells_how_many_images_there_are_to_train_on(name: str):
    assert len(datasets.load(name).x_train) == DATASETS[name].train_images


@pytest.mark.mnist
def test_sets_of_the_same_test_images_share_them_and_others_do_not():
    x = {name: datasets.load_test(name)[0].tobytes() for name in DATASETS}
    for a in DATASETS:
        for b in DATASETS:
            same = DATASETS[a].test_images == DATASETS[b].test_images
            assert (x[a] == x[b]) == same, (a, b)


def test_every_data_set_says_what_it_is_and_who_made_it():
    for info in DATASETS.values():
        assert info.title
        assert info.description.endswith(".")
        assert ", " in info.creators, "creators, licence"


@pytest.mark.parametrize("count", [0, 9, -1, 1294, 10**9])
def test_train_images_out_of_range_says_what_the_range_is(count: int):
    with pytest.raises(ValueError, match="between 10 and 1,293"):
        datasets.load("uci", train_images=count)


@pytest.mark.parametrize("name", ["", "MNIST", "../uci", "fashion"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str):
    for read in (datasets.load, datasets.load_test, datasets.load_val):
        with pytest.raises(ValueError, match="mnist, mnist-small, uci"):
            read(name)
    assert not datasets.available(name)


@pytest.mark.usefixtures("no_mnist")
def test_without_mnist_ucis_digits_stand_in_and_the_error_says_how_to_add_it():
    here = [name for name in ("mnist", "mnist-small", "uci") if datasets.available(name)]
    assert here == ["uci"]
    assert datasets.default() == "uci"
    for name in ("mnist", "mnist-small"):
        for read in (datasets.load, datasets.load_test, datasets.load_val):
            with pytest.raises(FileNotFoundError, match=r"not on this machine.*DIGITS_DATA"):
                read(name)


@pytest.mark.mnist
def test_mnist_keeps_its_own_test_images_and_a_tenth_for_validation():
    mnist = datasets.load("mnist")
    assert datasets.default() == "mnist"
    assert mnist.x_train.shape == (54_000, 28, 28)
    assert mnist.x_val.shape == (6_000, 28, 28)
    assert mnist.x_test.shape == (10_000, 28, 28)
    assert not (images(mnist.x_train) & images(mnist.x_val))
    assert mnist.y_test[:5].tolist() == [7, 2, 1, 0, 4]
    share = np.bincount(mnist.y_val) / np.bincount(mnist.y_train)
    assert np.allclose(share, 1 / 9, atol=0.001)


@pytest.mark.mnist
def test_small_mnist_is_the_first_20_000_with_the_same_test_images():
    mnist, small = datasets.load("mnist"), datasets.load("mnist-small")
    assert len(small.x_train) == 18_000
    assert len(small.x_val) == 2_000
    together = images(small.x_train, small.x_val)
    assert together <= images(mnist.x_train, mnist.x_val)
    assert (small.x_test == mnist.x_test).all()
    assert "20,000" in small.note
