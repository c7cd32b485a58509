"""Finding, checking and adding MNIST's files, whole and damaged."""

import gzip
import io
import pickle
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from digits.data import datasets, mnist_files
from digits.data.mnist_formats import PARTS, TEST_CSV, TRAIN_CSV


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """MNIST as it is on this machine."""
    return {key: mnist_files.read(key) for key in PARTS}


@pytest.fixture(scope="module")
def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """MNIST in one file that is not Keras's own."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture
def folder(arrays_first: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and nothing in Keras's cache."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "data"


@pytest.fixture
def arrays_first(request: pytest.FixtureRequest) -> None:
    """Read the real MNIST before a test hides it."""
    if request.node.get_closest_marker("mnist"):
        request.getfixturevalue("arrays")


def idx(key: str, array: np.ndarray) -> bytes:
    return PARTS[key].header + array.tobytes()


def npz_of(save: Callable[..., None] = np.savez_compressed, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def blank() -> dict[str, np.ndarray]:
    """Arrays of MNIST's shapes without its digits."""
    return {key: np.zeros(part.shape, np.uint8) for key, part in PARTS.items()}


def csv(rows: int) -> bytes:
    """As many rows as asked, each digit in turn."""
    ten = b"".join(
        b"%d" % digit + b",0" * 300 + b",255" + b",7" * 483 + b"\n" for digit in range(10)
    )
    return ten * (rows // 10)


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in PARTS:
            archive.writestr(f"{key}.npy", bytes(64 * 2**20))
    return file.getvalue()


def lying_header() -> bytes:
    """An array that claims far more than any memory holds."""
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000000000,), }\n"
    npy = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for key in PARTS:
            archive.writestr(f"{key}.npy", npy)
    return file.getvalue()


DAMAGED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"this is no archive\n" * 10,
    "truncated": lambda: npz_of(**blank())[:-40],
    "only the start": lambda: npz_of(**blank())[:50],
    "a zip of something else": lambda: npz_of(images=np.zeros(3)),
    "other shapes": lambda: npz_of(**{key: np.zeros((5, 5), np.uint8) for key in PARTS}),
    "other type": lambda: npz_of(**{key: array.astype("i1") for key, array in blank().items()}),
    "objects": lambda: npz_of(
        **{key: np.array([{"a": 1}, None], dtype=object) for key in PARTS}, allow_pickle=True
    ),
    "MNIST's shapes, other digits": lambda: npz_of(**blank()),
    "a bomb": bomb,
    "a header that lies": lying_header,
    "a bare array": lambda: npz_of(lambda file, a: np.save(file, a), a=np.zeros(9)),
    "a pickle": lambda: pickle.dumps(list(range(99))),
    "gzip cut short": lambda: gzip.compress(idx("y_test", blank()["y_test"]))[:-12],
    "labels cut short": lambda: idx("y_test", blank()["y_test"])[:-1],
    "other IDX": lambda: b"\0\0\x08\x01\0\0\0\x05" + bytes(5),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_mnist_npz_is_a_clear_error_and_counts_as_absent(kind: str, folder: Path):
    (folder / "mnist.npz").write_bytes(DAMAGED[kind]())
    for read in (datasets.load, datasets.load_test):
        with pytest.raises(ValueError, match=r"mnist\.npz .*DIGITS_DATA"):
            read("mnist")
    assert not datasets.available("mnist")
    assert datasets.default() == "uci"


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_upload_is_refused_by_name_and_leaves_nothing_behind(kind: str, folder: Path):
    with pytest.raises(ValueError, match=r"^mine\.npz "):
        mnist_files.add("mine.npz", DAMAGED[kind]())
    assert not list(folder.iterdir())


@pytest.mark.mnist
def test_one_changed_pixel_is_noticed_even_after_a_good_look(
    folder: Path, arrays: dict[str, np.ndarray]
):
    path = folder / "mnist.npz"
    path.write_bytes(npz_of(np.savez, **arrays))
    datasets.load_test("mnist")
    changed = arrays["x_test"].copy()
    changed[99, 14, 14] ^= 1
    path.write_bytes(npz_of(np.savez, **{**arrays, "x_test": changed}) + b"\0")
    with pytest.raises(ValueError, match=r"other content in x_test"):
        datasets.load_test("mnist")


@pytest.mark.mnist
def test_what_is_kept_is_not_read_again_until_its_file_changes(
    folder: Path, npz: bytes, arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    file = folder / "mnist.npz"
    file.write_bytes(npz)
    monkeypatch.setattr(mnist_files, "_keeps", True)
    first = mnist_files.read("x_test")
    assert mnist_files.read("x_test") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0  # others have it, too
    file.write_bytes(npz_of(**blank()))
    with pytest.raises(ValueError, match="other content in x_test"):
        mnist_files.read("x_test")
    file.write_bytes(npz)
    assert (mnist_files.read("x_test") == arrays["x_test"]).all()


@pytest.mark.mnist
def test_the_test_images_are_read_without_the_training_images(
    folder: Path, arrays: dict[str, np.ndarray]
):
    tests_only = {key: arrays[key] for key in ("x_test", "y_test")}
    (folder / "mnist.npz").write_bytes(npz_of(np.savez, **tests_only))
    x_test, y_test = datasets.load_test("mnist")
    assert (x_test == arrays["x_test"]).all()
    assert (y_test == arrays["y_test"]).all()
    with pytest.raises(ValueError, match="no x_train in it"):
        datasets.load("mnist")


@pytest.mark.mnist
def test_a_good_file_in_keras_cache_makes_up_for_a_damaged_one(folder: Path, npz: bytes):
    (folder / "mnist.npz").write_bytes(b"torn")
    cache = folder.parent / "keras" / "datasets"
    cache.mkdir(parents=True)
    (cache / "mnist.npz").write_bytes(npz)
    assert datasets.available("mnist")
    assert len(datasets.load("mnist").x_train) == 54_000


@pytest.mark.mnist
def test_idx_files_do_under_both_spellings_plain_and_gzipped(
    folder: Path, arrays: dict[str, np.ndarray]
):
    def write(name: str, key: str) -> None:
        raw = idx(key, arrays[key])
        (folder / name).write_bytes(gzip.compress(raw, 1) if name.endswith("gz") else raw)

    write("train-images-idx3-ubyte", "x_train")
    write("train-labels.idx1-ubyte", "y_train")
    write("t10k-images-idx3-ubyte.gz", "x_test")
    with pytest.raises(FileNotFoundError, match="without t10k-labels-idx1-ubyte"):
        mnist_files.check()
    assert not datasets.available("mnist")
    write("t10k-labels.idx1-ubyte.gz", "y_test")
    assert datasets.available("mnist")
    mnist = datasets.load("mnist")
    assert (mnist.x_test == arrays["x_test"]).all()
    assert len(mnist.x_train) == 54_000


@pytest.mark.mnist
def test_an_uploaded_npz_completes_mnist_whatever_it_is_called(folder: Path, npz: bytes):
    said = mnist_files.add("../../holiday.jpg", io.BytesIO(npz))
    assert "MNIST is complete" in said
    assert [path.name for path in folder.iterdir()] == ["mnist.npz"]
    assert not (folder.parent / "holiday.jpg").exists()
    assert datasets.available("mnist")


@pytest.mark.mnist
def test_uploaded_idx_files_say_which_are_still_missing(
    folder: Path, arrays: dict[str, np.ndarray]
):
    said = [mnist_files.add(key, gzip.compress(idx(key, arrays[key]), 1)) for key in PARTS]
    names = [part.idx for part in PARTS.values()]
    for number, sentence in enumerate(said[:-1], 1):
        stored, missing = sentence.split("still missing")
        assert names[number - 1] in stored
        assert [name for name in names if name in missing] == names[number:]
    assert "complete" in said[-1]
    assert datasets.available("mnist")


def test_colabs_csv_gives_the_small_set_and_holds_out_a_tenth_to_test(folder: Path):
    said = mnist_files.add("x.csv", csv(20_000))
    assert TRAIN_CSV in said
    assert datasets.available("mnist-small")
    assert not datasets.available("mnist")
    small = datasets.load("mnist-small")
    assert [len(y) for y in (small.y_train, small.y_val, small.y_test)] == [16_200, 1_800, 2_000]
    assert set(np.bincount(small.y_test)) == {200}
    assert small.x_train[0].ravel()[299:303].tolist() == [0, 255, 7, 7]
    assert "test" in small.note
    assert (datasets.load_test("mnist-small")[1] == small.y_test).all()

    mnist_files.add("y.csv", csv(10_000))
    assert (folder / TEST_CSV).exists()
    small = datasets.load("mnist-small")
    assert [len(y) for y in (small.y_train, small.y_val, small.y_test)] == [18_000, 2_000, 10_000]


def test_a_csv_with_a_header_and_windows_line_ends_is_read_alike(folder: Path):
    plain = csv(10_000)
    header = b"\xef\xbb\xbflabel," + b",".join(b"p%d" % i for i in range(784)) + b"\r\n"
    (folder / TRAIN_CSV).write_bytes(csv(20_000))
    (folder / TEST_CSV).write_bytes(plain)
    x, y = datasets.load_test("mnist-small")
    (folder / TEST_CSV).write_bytes(header + plain.replace(b"\n", b"\r\n"))
    x_again, y_again = datasets.load_test("mnist-small")
    assert (x == x_again).all()
    assert (y == y_again).all()


def test_a_csv_that_is_there_is_not_replaced_under_the_runs_made_with_it(folder: Path):
    mnist_files.add("a.csv", csv(20_000))
    before = (folder / TRAIN_CSV).read_bytes()
    with pytest.raises(ValueError, match="already there"):
        mnist_files.add("b.csv", csv(20_000).replace(b",7", b",9"))
    assert (folder / TRAIN_CSV).read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda row: row.replace(b"255", b"ink"), "“ink” in row 346"),
        (lambda row: row.replace(b"255", b"256"), "“256” in row 346"),
        (lambda row: row.replace(b"255", b"-1"), "“-1” in row 346"),
        (lambda row: row.replace(b"255", b"0.5"), "“0.5” in row 346"),
        (lambda row: row.replace(b"255", b""), "“” in row 346"),
        (lambda row: row.replace(b",255", b""), "784 values in row 346"),
        (lambda row: row.replace(b"255", b"9" * 5000), "“9+” in row 346"),
        (lambda row: b"10" + row[1:], "label 10 in row 346"),
        (lambda row: b"", "has 19,999 rows"),
    ],
)
def test_a_bad_csv_names_the_row(spoil: Callable[[bytes], bytes], sentence: str, folder: Path):
    rows = csv(20_000).splitlines(keepends=True)
    rows[345] = spoil(rows[345])
    with pytest.raises(ValueError, match=sentence):
        mnist_files.add("digits.csv", b"".join(rows))
    (folder / TRAIN_CSV).write_bytes(b"".join(rows))
    with pytest.raises(ValueError, match=sentence) as error:
        datasets.load("mnist-small")
    assert TRAIN_CSV in str(error.value)


def test_a_csv_that_lacks_a_digit_is_refused(folder: Path):
    with pytest.raises(ValueError, match="digit 3"):
        mnist_files.add("digits.csv", csv(20_000).replace(b"\n3,", b"\n4,"))


def test_new_data_goes_to_keras_cache_where_the_data_folder_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "file").touch()
    monkeypatch.setenv("DIGITS_DATA", str(folder / "file" / "inside"))
    mnist_files.add("digits.csv", csv(20_000))
    assert (folder.parent / "keras" / "datasets" / TRAIN_CSV).exists()
    monkeypatch.setenv("KERAS_HOME", str(folder / "file"))
    with pytest.raises(OSError, match="cannot be stored"):
        mnist_files.add("digits.csv", csv(20_000))


class Source(BaseHTTPRequestHandler):
    """Serves what its server has been given, or only the half of it."""

    def do_GET(self) -> None:
        content: bytes | None = self.server.content  # type: ignore[attr-defined]
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        whole: bool = self.server.whole  # type: ignore[attr-defined]
        self.wfile.write(content if whole else content[: len(content) // 2])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    server.content, server.whole = None, True  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("DIGITS_MNIST_URL", f"http://127.0.0.1:{server.server_port}/mnist.npz")
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.mnist
def test_a_download_is_stored_and_reports_its_progress(
    source: ThreadingHTTPServer, folder: Path, npz: bytes
):
    source.content = npz  # type: ignore[attr-defined]
    seen: list[tuple[int, int]] = []
    path = mnist_files.download(lambda done, total: seen.append((done, total)))
    assert path == folder / "mnist.npz"
    assert datasets.available("mnist")
    assert [path.name for path in folder.iterdir()] == ["mnist.npz"]
    done = [done for done, _ in seen]
    assert done == sorted(done)
    assert seen[-1] == (len(npz), len(npz))


def test_a_failed_download_leaves_nothing_and_names_the_other_ways(
    source: ThreadingHTTPServer, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    ways = r".*DIGITS_DATA.*upload"
    with pytest.raises(OSError, match="404" + ways):
        mnist_files.download()
    source.content = b"<html>Please sign in to the Wi-Fi</html>"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="neither" + ways):
        mnist_files.download()
    source.content = npz_of(**blank())  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="other content" + ways):
        mnist_files.download()
    source.whole = False  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="broke off" + ways):
        mnist_files.download()
    for nowhere in ("http://127.0.0.1:9/mnist.npz", "http://no-such-host.invalid/mnist.npz"):
        monkeypatch.setenv("DIGITS_MNIST_URL", nowhere)
        with pytest.raises(OSError, match="could not be downloaded" + ways):
            mnist_files.download()
    monkeypatch.setenv("DIGITS_MNIST_URL", "no address")
    with pytest.raises(ValueError, match="could not be downloaded" + ways):
        mnist_files.download()
    assert not list(folder.iterdir())


def test_a_packed_line_without_end_is_refused_and_leaves_nothing(folder: Path):
    with pytest.raises(ValueError, match=r"line\.csv\.gz has more than 16,384 characters in row 1"):
        mnist_files.add("line.csv.gz", gzip.compress(b"0," * 2**24))
    assert not list(folder.iterdir())
