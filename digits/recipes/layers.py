"""The layers of a recipe's network, with output shapes and parameters, without TensorFlow."""

import math
from dataclasses import dataclass, field
from typing import Any

from digits.data.datasets import DATASETS
from digits.recipes.recipe import Recipe

IMAGE_SHAPE = (28, 28, 1)
NUM_CLASSES = 10
HEADS = {
    "flatten": "Flatten",
    "global-average": "GlobalAveragePooling2D",
    "global-max": "GlobalMaxPooling2D",
}
MOMENTUM = 0.99  # of batch normalization's moving averages: Keras's default


@dataclass(frozen=True)
class Layer:
    """One row of the layer table; ``kind`` and ``options`` are Keras's own names."""

    name: str
    kind: str
    shape: tuple[int, ...]  # of the output, without the batch
    parameters: int = 0
    options: dict[str, Any] = field(default_factory=dict)


class DoesNotFit(ValueError):
    """A kernel or a pooling is larger than what is left of the image; ``block`` counts from 0."""

    def __init__(self, block: int, sentence: str) -> None:
        super().__init__(sentence)
        self.block = block


def layers(recipe: Recipe) -> list[Layer]:
    """Every layer from the first convolution to the softmax, in order.

    Convolutions are unpadded ("valid"), as in the projects that the presets come from. Batch
    normalization and the activation after it come behind the pooling, where a quarter is left.
    Raises ``DoesNotFit`` when a kernel or a pooling is larger than what is left of the image.
    """
    rows: list[Layer] = []
    height, width, channels = IMAGE_SHAPE
    for index, block in enumerate(recipe.conv):
        number, kernel = index + 1, block.kernel_size
        if kernel > height:
            article = "An" if kernel in (8, 11, 18) else "A"
            raise DoesNotFit(
                index,
                f"{article} {kernel}×{kernel} kernel is larger than the {height}×{width} that "
                f"block {number} receives. Use a smaller kernel, or less pooling before it.",
            )
        height, width = height - kernel + 1, width - kernel + 1
        shape = (height, width, block.filters)
        activation = {"activation": recipe.activation}
        options: dict[str, Any] = {"filters": block.filters, "kernel_size": kernel}
        weights = (kernel * kernel * channels + 1) * block.filters
        if not recipe.batch_norm:
            options |= activation
        rows.append(Layer(f"conv{number}", "Conv2D", shape, weights, options))
        if block.pool:
            if height < 2:
                raise DoesNotFit(
                    index,
                    f"Nothing is left to pool in block {number}: its convolution leaves "
                    f"{height}×{width}. Switch its pooling off, or use a smaller kernel.",
                )
            height, width = height // 2, width // 2
            shape = (height, width, block.filters)
            rows.append(Layer(f"pool{number}", "MaxPooling2D", shape, options={"pool_size": 2}))
        if recipe.batch_norm:
            parameters, options = 4 * block.filters, _moving_averages(recipe)
            rows.append(
                Layer(f"norm{number}", "BatchNormalization", shape, parameters, options=options)
            )
            name = f"{recipe.activation}{number}"
            rows.append(Layer(name, "Activation", shape, options=activation))
        channels = block.filters
    if recipe.conv and recipe.conv_dropout:
        rate = {"rate": recipe.conv_dropout}
        rows.append(Layer("conv_dropout", "Dropout", (height, width, channels), options=rate))
    kind = HEADS[recipe.head]
    units = height * width * channels if kind == "Flatten" else channels
    rows.append(Layer(recipe.head.replace("-", "_"), kind, (units,)))
    for number, dense in enumerate(recipe.dense, 1):
        options = {"units": dense, "activation": recipe.activation}
        rows.append(Layer(f"dense{number}", "Dense", (dense,), (units + 1) * dense, options))
        units = dense
    if recipe.dropout:
        rows.append(Layer("dropout", "Dropout", (units,), options={"rate": recipe.dropout}))
    output = {"units": NUM_CLASSES, "activation": "softmax"}
    rows.append(Layer("output", "Dense", (NUM_CLASSES,), (units + 1) * NUM_CLASSES, output))
    return rows


def operations(recipe: Recipe) -> int:
    """Multiplications to classify one image, about."""
    return sum(layer.parameters * math.prod(layer.shape[:-1]) for layer in layers(recipe))


def feature_maps(recipe: Recipe) -> str:
    """How an image becomes ten probabilities, in one line: 28×28 → 12×12×32 → 10."""
    sizes: list[str] = ["×".join(map(str, IMAGE_SHAPE[:2]))]
    for layer in layers(recipe):
        size = "×".join(map(str, layer.shape))
        if layer.kind in ("Conv2D", "Dense"):
            sizes.append(size)
        elif len(layer.shape) == len(IMAGE_SHAPE):
            sizes[-1] = size  # pooled
    return " → ".join(sizes)


def _moving_averages(recipe: Recipe) -> dict[str, Any]:
    """The momentum of batch normalization where an epoch is too short for Keras's default.

    The moving averages, by which the network normalizes once it is trained, forget the values they
    started with by this factor in each step. An epoch of 21 steps leaves four fifths of these at
    0.99, and validation stays at chance for epochs, however well the network learns; 0.84 leaves
    a fortieth. From 396 steps on it is 0.99. Fine-tuning and forks start from averages that fit.
    """
    if recipe.finetune or recipe.fork:
        return {}
    images = (recipe.train_images or DATASETS[recipe.dataset].train_images) + recipe.synthetic
    steps = -(-images // recipe.batch_size)
    momentum = round(steps / (steps + 4), 3)
    return {"momentum": momentum} if momentum < MOMENTUM else {}


def count_parameters(recipe: Recipe) -> int:
    """The number of parameters, including the statistics of batch normalization."""
    return sum(layer.parameters for layer in layers(recipe))
