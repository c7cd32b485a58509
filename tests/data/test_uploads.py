"""A visitor's own labelled digits: what is read, and what is refused and why."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bombs
from digits.data.uploads import read_labeled_digits


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)


@pytest.fixture
def y() -> np.ndarray:
    return np.arange(20, dtype=np.uint8) % 10


def npz(save: Callable[..., None] = np.savez, **arrays: object) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def images(n: int = 3) -> np.ndarray:
    return np.zeros((n, 28, 28), np.uint8)


def labels(n: int = 3) -> np.ndarray:
    return np.arange(n, dtype=np.uint8) % 10


@pytest.mark.parametrize("names", [("x", "y"), ("x_test", "y_test")])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_is_read_as_it_was_saved(x, y, names, save):
    other = np.zeros(3)
    content = npz(save, **dict(zip(names, (x, y), strict=True)), other=other)
    for ours, theirs in zip(read_labeled_digits("mine.npz", content), (x, y), strict=True):
        assert ours.dtype == np.uint8
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", [">i4", "int64", "uint16"])
def test_whole_numbers_of_any_width_are_the_same_pixels(x, y, dtype):
    found = read_labeled_digits("mine.npz", npz(x=x.astype(dtype), y=y.astype(dtype)))
    np.testing.assert_array_equal(found[0], x)
    np.testing.assert_array_equal(found[1], y)
    assert {array.dtype for array in found} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_fractions_of_full_ink_become_the_pixels_they_were(x, y, dtype):
    found, _ = read_labeled_digits("mine.npz", npz(x=(x / 255).astype(dtype), y=y))
    np.testing.assert_array_equal(found, x)
    assert found.dtype == np.uint8


def test_fractions_go_to_the_nearest_pixel():
    found, _ = read_labeled_digits("mine.npz", npz(x=np.full((1, 28, 28), 0.999), y=labels(1)))
    assert (found == 255).all()


@pytest.mark.parametrize("header", [b"", b"label," + b",".join([b"pixel"] * 784) + b"\n"])
@pytest.mark.parametrize("name", ["mine.csv", "mine.txt", ""])
def test_a_csv_has_the_label_first(x, y, header, name):
    table = np.column_stack([y, x.reshape(20, 784)])
    lines = "\n".join(",".join(map(str, row)) for row in table.tolist())
    found = read_labeled_digits(name, header + lines.encode())
    np.testing.assert_array_equal(found[0], x)
    np.testing.assert_array_equal(found[1], y)


def test_a_hundred_thousand_images_are_taken():
    content = npz(np.savez_compressed, x=images(100_000), y=labels(100_000))
    assert read_labeled_digits("mine.npz", content)[0].shape == (100_000, 28, 28)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("trapped", ["x", "y"])
def test_nothing_is_ever_unpickled(tmp_path: Path, trapped: str):
    sprung = tmp_path / "sprung"
    objects = np.array([Trap(sprung)] * 3, dtype=object)
    content = npz(**{"x": images(), "y": labels(), trapped: objects})
    for bad in (content, pickle.dumps(Trap(sprung))):
        for name in ("mine.npz", "mine.csv"):
            with pytest.raises(ValueError, match="mine"):
                read_labeled_digits(name, bad)
    assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists(), "the trap works"


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_npy", ".npy"), content)
    return file.getvalue()


def lying_header() -> bytes:
    """Images that claim more than any memory holds."""
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28), }\n"
    npy = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    return zipped(x_npy=npy, y_npy=npy)


def flipped_bytes() -> bytes:
    content = bytearray(npz(x=images(), y=labels()))
    content[500] ^= 255
    return bytes(content)


def row(label: object = 7, pixels: int = 784, pixel: object = 0) -> bytes:
    return f"{label},{','.join([str(pixel)] * pixels)}\n".encode()


REFUSED = {
    "nothing at all": ("mine.csv", lambda: b"", "neither"),
    "nothing, as .npz": ("mine.npz", lambda: b"", "not an .npz file"),
    "text called .npz": ("mine.NPZ", lambda: b"a few words\n" * 99, "not an .npz file"),
    "text": ("mine.csv", lambda: b"a few words\n" * 99, "neither"),
    "a picture": ("mine.png", lambda: b"\x89PNG\r\n\x1a\n\0\0" + b"," * 999, "neither"),
    "an archive cut short": ("mine.npz", lambda: npz(x=images(), y=labels())[:-40], "zip file"),
    "damaged bytes": ("mine.npz", flipped_bytes, "CRC"),
    "an empty archive": ("mine.npz", lambda: b"PK\5\6" + bytes(18), "holds nothing"),
    "other names": (
        "mine.npz",
        lambda: npz(images=images(), labels=labels()),
        r"images, labels; .* x and y",
    ),
    "names of several lines": ("mine.npz", lambda: npz(**{"x\ny": labels()}), "it holds x y; "),
    "images without labels": ("mine.npz", lambda: npz(x=images()), r"holds x; .* x and y"),
    "half of each pair": ("mine.npz", lambda: npz(x=images(), y_test=labels()), "needed are x"),
    "no array": ("mine.npz", lambda: zipped(x_npy=b"hello", y_npy=b"hello"), "cannot be used"),
    "a bomb": ("mine.npz", lambda: zipped(x_npy=bytes(2**28), y_npy=b""), r"256\.0 MiB"),
    "a bomb of labels": (
        "mine.npz",
        lambda: npz(np.savez_compressed, x=images(), y=np.zeros(2**25)),
        r"y unpacks to 256\.0 MiB",
    ),
    "another packing": (
        "mine.npz",
        lambda: bombs.BOMBS["bzip2"].make(),
        "packed in another way than NumPy does",
    ),
    "very many members": ("mine.npz", lambda: bombs.members(101), "101 files, more than 100"),
    "a header that lies": ("mine.npz", lying_header, "cannot be used"),
    "objects": ("mine.npz", lambda: npz(x=images(), y=np.array([None] * 3)), "Object arrays"),
    "flat images": (
        "mine.npz",
        lambda: npz(x=np.zeros((3, 784), np.uint8), y=labels()),
        r"shape \(3, 784\)",
    ),
    "large images": (
        "mine.npz",
        lambda: npz(x=np.zeros((3, 32, 32)), y=labels()),
        r"\(images, 28, 28\)",
    ),
    "one image": ("mine.npz", lambda: npz(x=images()[0], y=labels(1)), r"shape \(28, 28\)"),
    "a number": ("mine.npz", lambda: npz(x=5, y=5), r"shape \(\)"),
    "one-hot labels": ("mine.npz", lambda: npz(x=images(10), y=np.eye(10)), "one whole number"),
    "fewer labels": ("mine.npz", lambda: npz(x=images(), y=labels(2)), "3 images but 2 labels"),
    "no images": ("mine.npz", lambda: npz(x=images(0), y=labels(0)), "no images"),
    "too many": (
        "mine.npz",
        lambda: npz(np.savez_compressed, x=images(100_001), y=labels(100_001)),
        "100,001 images; .* 100,000",
    ),
    "label 10": ("mine.npz", lambda: npz(x=images(), y=labels() + 8), "label 10"),
    "label -1": ("mine.npz", lambda: npz(x=images(), y=np.array([0, -1, 3])), "label -1"),
    "labels 5.0": ("mine.npz", lambda: npz(x=images(), y=np.ones(3)), "type float64"),
    "labels '5'": ("mine.npz", lambda: npz(x=images(), y=np.array(list("123"))), "whole numbers"),
    "pixel 256": ("mine.npz", lambda: npz(x=images() + np.int16(256), y=labels()), "256 to 256"),
    "pixel -1": ("mine.npz", lambda: npz(x=images() - np.int16(1), y=labels()), "from -1 to -1"),
    "fractions over 1": ("mine.npz", lambda: npz(x=images() + 1.5, y=labels()), "0 and 1"),
    "standardized": ("mine.npz", lambda: npz(x=images() - 0.4, y=labels()), "-0.4"),
    "not a number": ("mine.npz", lambda: npz(x=images() * np.nan, y=labels()), "nan"),
    "yes and no": ("mine.npz", lambda: npz(x=images() > 0, y=labels()), "type bool"),
    "complex": ("mine.npz", lambda: npz(x=images() * 1j, y=labels()), "type complex128"),
    "dates": ("mine.npz", lambda: npz(x=images().astype("M8[s]"), y=labels()), "type datetime64"),
    "CSV, a pixel short": ("mine.csv", lambda: row() + row(pixels=783), "784 values in row 2"),
    "CSV, one line": ("mine.csv", lambda: b"0," * 9_000, "more than 16,384 characters in row 1"),
    "CSV, too many": ("mine.csv", lambda: row() + b"\n" * 100_001, "more than 100,000 rows"),
    "CSV, label 10": ("mine.csv", lambda: row() + row(10), "label 10 in row 2"),
    "CSV, pixel 256": ("mine.csv", lambda: row() + row(pixel=256), "“256” in row 2"),
    "CSV, fractions": ("mine.csv", lambda: row() + row(pixel=0.5), "“0.5” in row 2"),
    "CSV, semicolons": ("mine.csv", lambda: row().replace(b",", b";") * 9, "commas between"),
    "CSV, UTF-16": ("mine.csv", lambda: row().decode().encode("utf-16"), "neither"),
    "CSV, header only": ("mine.csv", lambda: row("label", pixel="pixel"), "nor a CSV"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_refused_in_a_sentence_that_says_why(kind: str):
    name, content, reason = REFUSED[kind]
    with pytest.raises(ValueError, match=rf"(?s)^{name} .*{reason}.*\.$") as refused:
        read_labeled_digits(f"C:\\digits\\{name}", content())
    assert "\n" not in str(refused.value)


def test_a_locked_archive_is_refused():
    content = bytearray(npz(x=images(), y=labels()))
    for mark, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        start = -1
        while (start := content.find(mark, start + 1)) >= 0:
            content[start + flags] |= 1  # says that it is encrypted
    with pytest.raises(ValueError, match=r"mine\.npz cannot be used .*encrypted"):
        read_labeled_digits("mine.npz", bytes(content))
