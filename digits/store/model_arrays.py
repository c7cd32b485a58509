"""A final model as plain arrays, with which a browser can compute; read without TensorFlow."""

import io
import json
import math
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from digits.store.models import ModelRef

MAX_PARAMETERS = 400_000  # 1.6 MB for every visitor's browser
MAX_MULTIPLICATIONS = 20_000_000  # for one image

GROUPS = {  # how Keras names, in the file of weights, the layers that have some
    "Conv2D": "conv2d",
    "Dense": "dense",
    "BatchNormalization": "batch_normalization",
}
WITHOUT_WEIGHTS = {
    "MaxPooling2D",
    "Activation",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
}
IGNORED = {"InputLayer", "Dropout"}  # they change nothing once the model is trained
ACTIVATIONS = {"linear", "relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softmax"}


@dataclass(frozen=True)
class ModelArrays:
    """The layers of a model in order, with their weights; ``name`` depends on all of it.

    Four bytes of ``content``, little-endian, say how long the header is. The header is JSON: the
    name, and for each layer its ``kind``, which is Keras's name of the class, its ``options`` and
    the size of each of its arrays. The arrays follow, float32, little-endian. Batch normalization
    has two arrays, a scale and an offset for each channel.
    """

    name: str
    content: bytes


def model_arrays(model: ModelRef) -> ModelArrays:
    """The arrays of a final model.

    Raises ``ValueError`` when there is no such model, when it is too large, or when the browser
    does not know one of its layers.
    """
    try:
        with zipfile.ZipFile(model.path) as archive:
            config = json.loads(archive.read("config.json"))
            weights = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights) as file:
            return _export(config["config"]["layers"], file)
    except FileNotFoundError as error:
        raise ValueError("This run has no model: it has not finished, or was deleted.") from error
    except (OSError, KeyError, TypeError, zipfile.BadZipFile, json.JSONDecodeError) as error:
        raise ValueError("The model file is damaged.") from error


def _export(layers: list[dict[str, Any]], file: h5py.File) -> ModelArrays:
    header, arrays, numbers, multiplications = [], [], Counter[str](), 0
    for layer in layers:
        kind, config = layer["class_name"], layer["config"]
        if kind in IGNORED:
            continue
        if kind in GROUPS:
            number = numbers[kind]
            numbers[kind] += 1
            group = file[f"layers/{GROUPS[kind]}{f'_{number}' * bool(number)}/vars"]
            variables = [np.asarray(group[name], np.float64) for name in sorted(group, key=int)]
        elif kind in WITHOUT_WEIGHTS:
            variables = []
        else:
            raise ValueError(f"The browser does not know the layer {kind}.")
        options = _options(kind, config)
        if kind == "BatchNormalization":
            gamma, beta, mean, variance = variables
            scale = gamma / np.sqrt(variance + config["epsilon"])
            variables = [scale, beta - mean * scale]
        elif kind == "Conv2D":
            _, height, width, _ = layer["build_config"]["input_shape"]
            places = (height - options["kernel_size"] + 1) * (width - options["kernel_size"] + 1)
            multiplications += places * variables[0].size
        elif kind == "Dense":
            multiplications += variables[0].size
        sizes = [variable.size for variable in variables]
        header.append({"kind": kind, "options": options, "weights": sizes})
        arrays += variables
    parameters = sum(array.size for array in arrays)
    if parameters > MAX_PARAMETERS or multiplications > MAX_MULTIPLICATIONS:
        raise ValueError("The model is too large to follow the pen.")
    weights = b"".join(array.astype("<f4").tobytes() for array in arrays)
    name = f"{zlib.crc32(weights, zlib.crc32(json.dumps(header).encode())):08x}"
    text = json.dumps({"name": name, "layers": header}).encode()
    text = text.ljust(4 * math.ceil(len(text) / 4))  # the arrays begin at a multiple of four
    return ModelArrays(name, len(text).to_bytes(4, "little") + text + weights)


def _options(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """What the browser needs to know of a layer; raises ``ValueError`` for what it cannot do."""
    options: dict[str, Any] = {}
    plain = config.get("padding", "valid") == "valid"
    if kind in ("Conv2D", "Dense", "Activation"):
        options["activation"] = config["activation"]
        plain &= config["activation"] in ACTIVATIONS
    for name in ("kernel_size", "pool_size"):
        if name in config:
            options[name] = config[name][0]
            plain &= config[name] == 2 * config[name][:1]
    if kind == "Conv2D":
        plain &= config["strides"] == config["dilation_rate"] == [1, 1] and config["groups"] == 1
    if kind == "MaxPooling2D":
        plain &= config["strides"] == config["pool_size"]
    if not plain:
        raise ValueError(f"The browser does not know the layer {config['name']} as it is set up.")
    return options
