"""Models in the formats of other tools: written, read again elsewhere, and what they answer."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from digits.data import datasets
from digits.store import exports
from digits.store.exports import FORMATS
from digits.store.run_folder import Run
from digits.worker.export import check, export, write
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
EXACT = ("keras", "h5", "savedmodel", "litert", "onnx")


def test_every_format_answers_as_the_keras_model_does(trained: Run) -> None:
    messages: list[str] = []
    export(trained, messages.append)
    known = exports.read(trained)
    assert known["problems"] == {}
    assert list(known["checks"]) == list(FORMATS)
    assert "Writing ONNX." in messages
    accuracy = trained.result()["test_accuracy"]  # type: ignore[index]
    for name, told in known["checks"].items():
        assert told["bytes"] == exports.path(trained, name).stat().st_size
        assert told["images"] == 360
        assert told["milliseconds"] > 0
        assert told["differing"] <= (0 if name in EXACT else 18)
        assert abs(told["accuracy"] - accuracy) <= told["differing"] / 360 + 1e-9
        assert told["largest_difference"] < (1e-4 if name in EXACT else 0.3)
    sizes = {name: known["checks"][name]["bytes"] for name in FORMATS}
    assert sizes["litert-int8"] < sizes["litert-float16"] < sizes["litert"]
    assert exports.missing(trained) == []


def test_a_file_for_phones_and_browsers_is_checked_without_tensorflow(
    trained: Run, tmp_path: Path
) -> None:
    export(trained, names=["litert-int8", "onnx"])
    np.save(tmp_path / "x.npy", datasets.load_test("uci")[0])
    paths = [str(exports.path(trained, name)) for name in ("litert-int8", "onnx")]
    code = f"""
import sys
from digits.worker.verify import main
main({str(tmp_path / "x.npy")!r}, {str(tmp_path / "p.npy")!r}, *{paths!r})
print(*{{"tensorflow", "keras"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
    assert np.load(tmp_path / "p.npy").shape == (2, 360, 10)


def test_a_network_that_a_format_cannot_express_is_a_sentence(trained: Run) -> None:
    image = keras.Input((28, 28, 1))
    flat = keras.layers.Flatten()(keras.layers.Lambda(tf.math.bessel_i0e)(image))
    network = keras.Model(image, keras.layers.Dense(10, "softmax")(flat))
    with pytest.raises(ValueError, match=r"^LiteRT int8 cannot express this network: ") as error:
        write(trained, network, "litert-int8")
    assert "\n" not in str(error.value)
    assert not exports.path(trained, "litert-int8").exists()


def test_a_torn_file_is_a_sentence_and_the_others_are_checked(trained: Run) -> None:
    exports.path(trained, "h5").unlink()
    export(trained, names=["h5"])
    assert "train the run again" in exports.read(trained)["problems"]["h5"]
    assert "h5" in exports.missing(trained)
    exports.path(trained, "h5").write_bytes(b"torn")
    y = datasets.load_test("uci")
    with pytest.raises(ValueError, match=r"^\.h5 was written, but cannot be read again: "):
        check(trained, ["h5"], *y, trained.test_probabilities())


def test_without_its_packages_a_format_names_the_command_that_adds_them(
    trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digits.worker.export.find_spec", lambda name: None)
    export(trained, names=["onnx"])
    assert exports.COMMAND in exports.read(trained)["problems"]["onnx"]
