"""The data sets, one table entry each, and how they are split; other modules read their files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.data import mnist_files, uci
from digits.data.mnist_formats import TEST_CSV, TRAIN_CSV

Digits = tuple[np.ndarray, np.ndarray]  # images (n, 28, 28) and labels (n,), uint8

SMALL = 20_000  # images of mnist-small
FOLDS = 10  # of the training images, any one of which can be for validation
SPLIT_SEED = 1998  # of test splits and folds, the same for all runs so that these can be compared


@dataclass(frozen=True)
class DatasetInfo:
    """All that the app knows of a data set before it reads it.

    ``creators`` names them with the licence. ``train_images`` is the size of the training split.
    Sets of the same ``test_images`` share these, so that runs on them can be compared. The
    readers raise ``FileNotFoundError`` when the set is not on this machine and ``ValueError`` for
    a damaged file; ``check`` raises the same within milliseconds, as far as it can tell.
    """

    title: str
    description: str
    creators: str
    train_images: int
    test_images: str
    read_train: Callable[[], Digits]  # all that is not test
    read_test: Callable[[], Digits]
    check: Callable[[], None]
    download: Callable[[Callable[[int, int], None]], Path] | None = None
    note: Callable[[], str] = str  # what is special about the set on this machine

    @property
    def val_images(self) -> int:
        """The size of the validation split, which is a tenth of all that is not test."""
        return round(self.train_images / 9)


@dataclass(frozen=True)
class Split:
    """Which tenth of the training images is for validation: drawn by ``seed``, or a fixed ``fold``.

    The folds, 1 to ``FOLDS``, have no image in common; 0 leaves it to the seed.
    """

    seed: int = 0
    fold: int = 0

    def __str__(self) -> str:
        return f"fold {self.fold}" if self.fold else f"seed {self.seed}"


FIRST = Split()


@dataclass(frozen=True)
class Dataset:
    """Digits split in three: to train on, to choose by, and to report on.

    ``x_*`` are (n, 28, 28) uint8, 0 for paper and 255 for full ink; ``y_*`` are (n,) uint8.
    ``note`` is a sentence or two on the set as it is on this machine.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    note: str = ""


def load(name: str, split: Split = FIRST, *, train_images: int | None = None) -> Dataset:
    """Read a set and split it: 10 % of the training images become the validation images.

    ``split`` decides which; the test images are always the same. ``train_images`` then takes that
    many of the training images, each digit in proportion. Raises ``FileNotFoundError`` when the
    set is not on this machine, and ``ValueError`` for an unknown name, a damaged file, or more
    training images than there are.
    """
    info = _info(name)
    x, y = info.read_train()
    x_test, y_test = info.read_test()
    rng = np.random.default_rng(split.seed)
    val, train = _validation(y, split.fold, rng)
    if train_images is not None:
        if not 10 <= train_images <= len(train):
            raise ValueError(
                f"{name} has {len(train):,} images to train on, so the number to use must lie "
                f"between 10 and {len(train):,}; {train_images:,} does not."
            )
        part, _ = stratify(y[train], train_images, rng)
        train = train[part]
    note = f"{info.description} {info.note()}".strip()
    return Dataset(name, x[train], y[train], x[val], y[val], x_test, y_test, note)


def load_val(name: str, split: Split = FIRST) -> Digits:
    """The validation images (n, 28, 28) and labels (n,), uint8, that ``load`` gives.

    The training images are read but not kept. Raises as ``load`` does.
    """
    x, y = _info(name).read_train()
    val, _ = _validation(y, split.fold, np.random.default_rng(split.seed))
    return x[val], y[val]


def load_folds(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All images that are not for testing, (n, 28, 28), with labels and folds, (n,): uint8 all.

    They are in the set's own order. Raises as ``load`` does.
    """
    x, y = _info(name).read_train()
    return x, y, _folds(y)


def load_test(name: str) -> Digits:
    """The test images (n, 28, 28) and labels (n,), uint8, without reading the training images.

    Raises as ``load`` does.
    """
    return _info(name).read_test()


def available(name: str) -> bool:
    """Whether a set is on this machine, as far as a few milliseconds can tell."""
    try:
        _info(name).check()
        return True
    except (OSError, ValueError):
        return False


def available_names() -> list[str]:
    """The names of the sets on this machine, in the table's order."""
    return [name for name in DATASETS if available(name)]


def default() -> str:
    """The best set at hand: MNIST, or else UCI's digits, which come with scikit-learn."""
    return "mnist" if available("mnist") else "uci"


def stratify(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pick ``count`` images at random, each digit in proportion: their indices, and the others'."""
    order = _mixed(y, rng)
    return np.sort(order[:count]), np.sort(order[count:])


def _mixed(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices in random order, so that each stretch of them has each digit in proportion."""
    order = rng.permutation(len(y))
    shuffled = y[order]
    rank = np.empty(len(y))  # where each image stands among those of its digit, 0 to 1
    for digit in range(10):
        same = shuffled == digit
        rank[same] = (np.arange(same.sum()) + 0.5) / max(same.sum(), 1)
    return order[np.argsort(rank, kind="stable")]


def _info(name: str) -> DatasetInfo:
    if name not in DATASETS:
        raise ValueError(f"There is no data set “{name}”; choose one of {', '.join(DATASETS)}.")
    return DATASETS[name]


def _validation(
    y: np.ndarray, fold: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of a tenth, to validate on, and of the others, to train on."""
    if not fold:
        return stratify(y, round(len(y) / FOLDS), rng)
    chosen = _folds(y) == fold
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def _folds(y: np.ndarray) -> np.ndarray:
    """The fold of each image, from 1: (n,) uint8."""
    folds = np.empty(len(y), np.uint8)
    folds[_mixed(y, np.random.default_rng(SPLIT_SEED))] = np.arange(len(y)) * FOLDS // len(y) + 1
    return folds


def _held_out(x: np.ndarray, y: np.ndarray, part: int) -> tuple[Digits, Digits]:
    """Every ``part``-th image, to test on, and the others: the same ones always.

    For a set that its makers did not split.
    """
    test, rest = stratify(y, -(-len(y) // part), np.random.default_rng(SPLIT_SEED))
    return (x[test], y[test]), (x[rest], y[rest])


def _mnist_train() -> Digits:
    return mnist_files.read("x_train"), mnist_files.read("y_train")


def _mnist_test() -> Digits:
    return mnist_files.read("x_test"), mnist_files.read("y_test")


def _small_csv() -> Path | None:
    """Colab's CSV, where it must stand in for MNIST."""
    return None if available("mnist") else next(iter(mnist_files.find(TRAIN_CSV)), None)


def _small_train() -> Digits:
    if csv := _small_csv():
        x, y = mnist_files.read_csv(csv)
        return (x, y) if mnist_files.find(TEST_CSV) else _held_out(x, y, 10)[1]
    x, y = _mnist_train()
    return x[:SMALL], y[:SMALL]


def _small_test() -> Digits:
    csv = _small_csv()
    if csv is None:
        return _mnist_test()
    if test_csv := mnist_files.find(TEST_CSV):
        return mnist_files.read_csv(test_csv[0])
    return _held_out(*mnist_files.read_csv(csv), 10)[0]


def _small_check() -> None:
    if _small_csv() is None:
        mnist_files.check()


def _small_note() -> str:
    csv = _small_csv()
    if csv is None:
        return "These are the first ones; the test images are all of MNIST's."
    if mnist_files.find(TEST_CSV):
        return f"They come from {csv.name}."
    return f"They come from {csv.name}; a tenth of them serves as test images, MNIST's are missing."


def _uci_train() -> Digits:
    return _held_out(*uci.read(), 5)[1]


def _uci_test() -> Digits:
    return _held_out(*uci.read(), 5)[0]


DATASETS = {
    "mnist": DatasetInfo(
        title="MNIST",
        description="Digits of American census employees and high-school students.",
        creators="Y. LeCun, C. Cortes and C. Burges 1998, CC BY-SA 3.0",
        train_images=54_000,
        test_images="mnist",
        read_train=_mnist_train,
        read_test=_mnist_test,
        check=mnist_files.check,
        download=mnist_files.download,
    ),
    "mnist-small": DatasetInfo(
        title=f"MNIST, {SMALL:,} images",
        description=f"{SMALL:,} of MNIST's training images, for quick experiments.",
        creators="Y. LeCun, C. Cortes and C. Burges 1998, CC BY-SA 3.0",
        train_images=18_000,
        test_images="mnist",
        read_train=_small_train,
        read_test=_small_test,
        check=_small_check,
        download=mnist_files.download,
        note=_small_note,
    ),
    "uci": DatasetInfo(
        title="UCI optical recognition of handwritten digits",
        description="1,797 digits of 8×8 pixels each, enlarged and centered as MNIST's are. A "
        "model trained on so few and such coarse digits recognizes drawings less reliably.",
        creators="E. Alpaydin and C. Kaynak 1998, CC BY 4.0",
        train_images=1_293,
        test_images="uci",
        read_train=_uci_train,
        read_test=_uci_test,
        check=uci.check,
    ),
}
