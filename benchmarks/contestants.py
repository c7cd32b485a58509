"""What training is measured against, each in a process of its own that waits for its turns.

``python -m benchmarks.contestants NAME SETTINGS`` answers each line that it reads with one of
JSON: at least ``seconds`` and ``cpu_seconds``. A first, uncounted turn warms it up.
"""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import measure
from digits.data import datasets, mnist_files
from digits.data.datasets import Split
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Recipe, parse_conv

Turn = Callable[[int], dict[str, float]]  # of the seed
GOAL = 0.99  # test accuracy of the race


def ours(recipe: Recipe) -> Turn:
    """The app's own path, run folder and live publishing included."""
    from digits.worker import preload  # noqa: F401
    from digits.worker.trainer import train
    from tests.conftest import queued

    def turn(seed: int) -> dict[str, float]:
        run = queued(dataclasses.replace(recipe, seed=seed), "benchmark")
        whole = time.perf_counter()
        result = train(run)
        if result is None:
            raise ValueError(run.status.message)
        return {
            "seconds": result["seconds"] + result["publishing_seconds"],
            "cpu_seconds": result["cpu_seconds"],
            "whole_seconds": time.perf_counter() - whole,  # with start and evaluation
            "val_accuracy": result["val_accuracy"],
            "test_accuracy": result["test_accuracy"],
        }

    return turn


def fit(recipe: Recipe) -> Turn:
    """The same network by Keras ``fit`` on NumPy arrays, as every tutorial writes it."""
    from digits.worker import model

    def turn(seed: int) -> dict[str, float]:
        digits = datasets.load(recipe.dataset, Split(seed))
        x_train = digits.x_train[..., None].astype(np.float32) / 255
        network = model.build(recipe)
        network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        options = {"batch_size": recipe.batch_size, "verbose": 0}
        network.fit(x_train[:512], digits.y_train[:512], **options)
        return clock(lambda: network.fit(x_train, digits.y_train, **options))

    return turn


def keras_io(recipe: Recipe) -> Turn:
    """keras.io's "Simple MNIST convnet", epoch by epoch until it reaches the goal on the test set.

    Its clock stands still while the test set is evaluated. Source: keras.io/examples/vision.
    """
    import keras

    def turn(seed: int) -> dict[str, float]:
        keras.utils.set_random_seed(seed)
        digits = datasets.load(recipe.dataset, Split(seed))
        x_train, x_val, x_test = (
            x[..., None].astype(np.float32) / 255
            for x in (digits.x_train, digits.x_val, digits.x_test)
        )
        y_train, y_val, y_test = (
            keras.utils.to_categorical(y, 10) for y in (digits.y_train, digits.y_val, digits.y_test)
        )
        network = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                keras.layers.Conv2D(32, 3, activation="relu"),
                keras.layers.MaxPooling2D(2),
                keras.layers.Conv2D(64, 3, activation="relu"),
                keras.layers.MaxPooling2D(2),
                keras.layers.Flatten(),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        took = {"seconds": 0.0, "cpu_seconds": 0.0, "epochs": 0.0, "test_accuracy": 0.0}
        while took["test_accuracy"] < GOAL and took["epochs"] < 30:
            epoch = clock(
                lambda: network.fit(
                    x_train, y_train, batch_size=128, validation_data=(x_val, y_val), verbose=0
                )
            )
            took["seconds"] += epoch["seconds"]
            took["cpu_seconds"] += epoch["cpu_seconds"]
            took["epochs"] += 1
            took["test_accuracy"] = network.evaluate(x_test, y_test, verbose=0)[1]
        return took

    return turn


def torch(recipe: Recipe) -> Turn:
    """The same network and schedule by PyTorch at its best here, data in memory, a bare loop.

    Channels last, fused Adam, and bfloat16 by autocast where the recipe's precision is not float32.
    """
    import torch
    from torch import nn

    from digits.recipes.layers import layers
    from digits.recipes.schedule import learning_rates
    from digits.worker.hardware import bfloat16_in_hardware

    torch.set_num_threads(os.cpu_count() or 1)
    bfloat16 = recipe.precision != "float32" and bfloat16_in_hardware()

    def network() -> nn.Module:
        rows: list[nn.Module] = []
        channels = 1
        for layer in layers(recipe):
            options, size = layer.options, layer.shape[-1]
            if layer.kind == "Conv2D":
                rows.append(nn.Conv2d(channels, size, options["kernel_size"]))
            elif layer.kind == "Dense":
                rows.append(nn.Linear(channels, size))
            elif layer.kind == "BatchNormalization":
                rows.append(nn.BatchNorm2d(size))
            elif layer.kind == "MaxPooling2D":
                rows.append(nn.MaxPool2d(2))
            elif layer.kind == "Flatten":
                rows.append(nn.Flatten())
            if options.get("activation") == "relu":
                rows.append(nn.ReLU())
            channels = size
        return nn.Sequential(*rows).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def turn(seed: int) -> dict[str, float]:
        whole = time.perf_counter()
        torch.manual_seed(seed)
        digits = datasets.load(recipe.dataset, Split(seed))
        x, x_test = (
            torch.from_numpy(images[:, None].copy()) for images in (digits.x_train, digits.x_test)
        )
        y, y_test = (
            torch.from_numpy(labels.astype(np.int64)) for labels in (digits.y_train, digits.y_test)
        )
        net = network()
        optimizer = torch.optim.Adam(net.parameters(), recipe.learning_rate, fused=True)
        steps = -(-len(x) // recipe.batch_size)
        rates = learning_rates(recipe, steps).tolist()
        criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)

        def answers(images: torch.Tensor) -> torch.Tensor:
            pixels = (images.float() / 255).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                return net(pixels).float()

        def epoch() -> None:
            order = torch.randperm(len(x))
            for step, rate in enumerate(rates):
                chosen = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
                optimizer.param_groups[0]["lr"] = rate
                loss = criterion(answers(x[chosen]), y[chosen])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

        took = clock(epoch)
        net.eval()
        with torch.no_grad():
            right = [
                (answers(x_test[i : i + 500]).argmax(1) == y_test[i : i + 500]).sum().item()
                for i in range(0, len(x_test), 500)
            ]
        return took | {
            "whole_seconds": time.perf_counter() - whole,  # from the data to the tested network
            "test_accuracy": sum(right) / len(x_test),
        }

    return turn


def peak(recipe: Recipe) -> Turn:
    """TensorFlow's best matrix product here: ``flops`` a second, in the recipe's precision."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(os.cpu_count())  # one product on all cores
    import tensorflow as tf

    from digits.worker import hardware

    bfloat16 = hardware.precision_policy(recipe.precision) != "float32"
    size = 2048
    a = tf.cast(tf.random.normal((size, size)), tf.bfloat16 if bfloat16 else tf.float32)
    product = tf.function(lambda: tf.matmul(tf.matmul(a, a), a))

    def turn(seed: int) -> dict[str, float]:
        took = min((clock(lambda: product().numpy()) for _ in range(8)), key=lambda t: t["seconds"])
        return took | {"flops": 2 * 2 * size**3 / took["seconds"]}

    return turn


def evaluate(recipe: Recipe) -> Turn:
    """10,000 test images by our own path; the network need not have learned anything."""
    from digits.worker import model
    from digits.worker.predict import predict

    x_test, _ = datasets.load_test(recipe.dataset)
    network = model.build(recipe)
    return lambda seed: clock(lambda: predict(network, x_test))


def keras_predict(recipe: Recipe) -> Turn:
    """The same images by ``model.predict`` as it comes."""
    from digits.worker import model

    x_test, _ = datasets.load_test(recipe.dataset)
    network = model.build(recipe)
    inputs = x_test[..., None].astype(np.float32) / 255
    return lambda seed: clock(lambda: network.predict(inputs, verbose=0))


def clock(work: Callable[[], Any]) -> dict[str, float]:
    return dict(zip(("seconds", "cpu_seconds"), measure.clock(work), strict=True))


if __name__ == "__main__":
    name, settings = sys.argv[1], json.loads(sys.argv[2])
    if "conv" in settings:
        settings["conv"] = parse_conv(settings["conv"])
    recipe = dataclasses.replace(PRESETS[settings.pop("preset")].recipe, **settings)
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    mnist_files.keep()  # as a worker does: the data are in memory once it is warm
    turn = globals()[name](recipe)
    for line in sys.stdin:
        print(json.dumps(turn(int(line))), file=answer, flush=True)
