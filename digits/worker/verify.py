"""Reads exported models as other programs do, times them, and keeps what they answer.

Run as ``python -m digits.worker.verify IMAGES OUT FILE …``, so that nothing of the process that
wrote the files is left. TensorFlow is imported only for the formats that cannot do without.
"""

import json
import os
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

Model = Callable[[np.ndarray], np.ndarray]  # (n, 28, 28, 1) float32 in [0, 1] to (n, 10) float32

BATCH = 500
TIMED = 100  # single images, after as many to warm up


def main(images: str, out: str, *paths: str) -> None:
    """Write an array (files, n, 10) of probabilities, and print the milliseconds of each file.

    ``images`` is a file of (n, 28, 28) uint8.
    """
    x = np.load(images).astype(np.float32)[..., None] / 255
    probabilities, milliseconds = [], []
    for path in map(Path, paths):
        model = READERS[path.suffix](path)
        probabilities.append(np.concatenate([model(batch) for batch in _batches(x)]))
        milliseconds.append(latency(model, x))
    np.save(out, np.stack(probabilities))
    print(json.dumps(milliseconds))


def latency(model: Model, x: np.ndarray) -> float:
    """The median time of one image, in milliseconds."""
    seconds = []
    for number in range(2 * TIMED):
        image = x[number % len(x)][None]
        start = time.perf_counter()
        model(image)
        seconds.append(time.perf_counter() - start)
    return round(1000 * float(np.median(seconds[TIMED:])), 4)


def _batches(x: np.ndarray) -> list[np.ndarray]:
    return [x[start : start + BATCH] for start in range(0, len(x), BATCH)]


def _onnx(path: Path) -> Model:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0]


def _litert(path: Path) -> Model:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    image, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def predict(x: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != x.shape:
            interpreter.resize_tensor_input(image["index"], x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image["index"], x)
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    return predict


def _keras(path: Path) -> Model:
    import keras
    import tensorflow as tf

    model = keras.models.load_model(path, compile=False)
    image = tf.TensorSpec((None, 28, 28, 1), tf.float32)
    graph = tf.function(lambda x: model(x, training=False), [image], autograph=False)
    return lambda x: graph(tf.constant(x)).numpy()


def _saved_model(path: Path) -> Model:
    import tensorflow as tf

    with TemporaryDirectory() as folder:
        zipfile.ZipFile(path).extractall(folder)
        model = tf.saved_model.load(folder)
    return lambda x: model.serve(tf.constant(x)).numpy()


READERS: dict[str, Callable[[Path], Model]] = {
    ".keras": _keras,
    ".h5": _keras,
    ".zip": _saved_model,
    ".tflite": _litert,
    ".onnx": _onnx,
}

if __name__ == "__main__":
    os.environ |= {"TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    main(*sys.argv[1:])
