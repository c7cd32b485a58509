"""The sets of digits and how they are split; MNIST's files are ``mnist_files``'s business."""

import gzip
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from digits.data import mnist_files
from digits.data.mnist_files import add, download
from digits.data.mnist_formats import TEST_CSV, TRAIN_CSV
from digits.ink import preprocessing

__all__ = [
    "NAMES",
    "Dataset",
    "add",
    "available",
    "default",
    "download",
    "load",
    "load_test",
    "load_val",
    "stratify",
]

NAMES = ("mnist", "mnist-small", "uci")
SMALL = 20_000  # images of mnist-small
HALO = 40  # ink below this around an enlarged digit is bicubic blur
ALWAYS = 1998  # seed of the test splits, the same for all runs so that these can be compared


@dataclass(frozen=True)
class Dataset:
    """Digits split in three: to train on, to choose by, and to report on.

    ``x_*`` are (n, 28, 28) uint8, 0 for paper and 255 for full ink; ``y_*`` are (n,) uint8.
    ``note`` is a sentence on what is special about the set, or empty.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    note: str = ""


def load(name: str, *, seed: int = 0, train_images: int | None = None) -> Dataset:
    """Read a set and split it: 10 % of the training images become the validation images.

    ``seed`` decides which; the test images are always the same. ``train_images`` then takes that
    many of the training images, each digit in proportion. Raises ``FileNotFoundError`` when the
    set is not on this machine, and ``ValueError`` for an unknown name, a damaged file, or more
    training images than there are.
    """
    x, y, note = _training_part(name)
    x_test, y_test = load_test(name)
    rng = np.random.default_rng(seed)
    val, train = _split(y, rng)
    if train_images is not None:
        if not 10 <= train_images <= len(train):
            raise ValueError(
                f"{name} has {len(train):,} images to train on, so the number to use must lie "
                f"between 10 and {len(train):,}; {train_images:,} does not."
            )
        chosen, _ = stratify(y[train], train_images, rng)
        train = train[chosen]
    return Dataset(name, x[train], y[train], x[val], y[val], x_test, y_test, note)


def load_val(name: str, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The validation images (n, 28, 28) and labels (n,), uint8, that ``load`` gives.

    The training images are read but not kept. Raises as ``load`` does.
    """
    x, y, _ = _training_part(name)
    val, _ = _split(y, np.random.default_rng(seed))
    return x[val], y[val]


def load_test(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The test images (n, 28, 28) and labels (n,), uint8, without reading the training images.

    Raises as ``load`` does.
    """
    if name == "uci":
        x, y = _uci()
        test, _ = _hold_out(y, 5)
        return x[test], y[test]
    if path := _small_csv(name):
        if csv := mnist_files.find(TEST_CSV):
            return mnist_files.read_csv(csv[0])
        x, y = mnist_files.read_csv(path)
        test, _ = _hold_out(y, 10)
        return x[test], y[test]
    return mnist_files.read("x_test"), mnist_files.read("y_test")


def available(name: str) -> bool:
    """Whether a set is on this machine, as far as a few milliseconds can tell."""
    try:
        if name == "uci":
            return _uci_file().is_file()
        if _small_csv(name) is None:
            mnist_files.check()
        return True
    except (OSError, ValueError):
        return False


def default() -> str:
    """The best set at hand: MNIST, or else UCI's digits, which come with scikit-learn."""
    return "mnist" if available("mnist") else "uci"


def _training_part(name: str) -> tuple[np.ndarray, np.ndarray, str]:
    """What is not test: images (n, 28, 28) and labels (n,), uint8, and the note."""
    if name == "uci":
        x, y = _uci()
        _, rest = _hold_out(y, 5)
        note = (
            f"UCI's {len(y):,} handwritten digits, 8×8 pixels each, enlarged and centred as "
            "MNIST's are. A network trained on so few and so coarse ones reads drawings less well."
        )
        return x[rest], y[rest], note
    if path := _small_csv(name):
        x, y = mnist_files.read_csv(path)
        note = f"{SMALL:,} of MNIST's training images, from {path.name}."
        if not mnist_files.find(TEST_CSV):
            _, rest = _hold_out(y, 10)
            x, y = x[rest], y[rest]
            note += " A tenth of them serves as test images, for MNIST's own are not there."
        return x, y, note
    x, y = mnist_files.read("x_train"), mnist_files.read("y_train")
    if name == "mnist":
        return x, y, ""
    note = f"The first {SMALL:,} of MNIST's training images, with all of its test images."
    return x[:SMALL], y[:SMALL], note


def _small_csv(name: str) -> Path | None:
    """Colab's CSV, when it must stand in for MNIST; refuses a name that is no set's."""
    if name not in NAMES:
        raise ValueError(f"There is no data set “{name}”; choose one of {', '.join(NAMES)}.")
    if name == "mnist-small" and not available("mnist"):
        return next(iter(mnist_files.find(TRAIN_CSV)), None)
    return None


def _split(y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Indices of a tenth, to validate on, and of the others, to train on."""
    return stratify(y, round(len(y) / 10), rng)


def _hold_out(y: np.ndarray, part: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of every ``part``-th image, to test on, and of the others: the same ones always."""
    return stratify(y, -(-len(y) // part), np.random.default_rng(ALWAYS))


def stratify(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pick ``count`` images at random, each digit in proportion: their indices, and the others'."""
    order = rng.permutation(len(y))
    shuffled = y[order]
    turn = np.empty(len(y))  # where each image stands among those of its digit, 0 to 1
    for digit in range(10):
        same = shuffled == digit
        turn[same] = (np.arange(same.sum()) + 0.5) / max(same.sum(), 1)
    order = order[np.argsort(turn, kind="stable")]
    return np.sort(order[:count]), np.sort(order[count:])


def _uci_file() -> Path:
    # Found, not imported: scikit-learn would cost every process 225 MiB.
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "UCI's digits come with scikit-learn, which is not installed: "
            "pip install -r requirements.txt"
        )
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"


@lru_cache(maxsize=1)
def _uci() -> tuple[np.ndarray, np.ndarray]:
    """All of UCI's digits laid out as MNIST's: (1797, 28, 28) and (1797,), uint8.

    Source: Alpaydin and Kaynak 1998, doi 10.24432/C50P49; 8×8 cells of 0 to 16 in the file.
    """
    with gzip.open(_uci_file(), "rt") as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    cells, y = table[:, :64].reshape(-1, 8, 8), table[:, 64]
    x = np.stack([_enlarge(digit) for digit in cells])
    return x, y


def _enlarge(cells: np.ndarray) -> np.ndarray:
    """One of UCI's digits, (8, 8) of 0 to 16, with MNIST's size, place and crisp strokes."""
    paper = np.pad(cells * np.uint8(15), 1)
    large = np.asarray(Image.fromarray(paper).resize((80, 80), Image.Resampling.BICUBIC))
    ink = (large.astype(np.float32) - HALO) * (255 / (240 - 2 * HALO))
    return preprocessing.normalize(ink.clip(0, 255).astype(np.uint8))
