"""The layers of a recipe's network, with output shapes and parameters, without TensorFlow."""

import math
from dataclasses import dataclass, field
from typing import Any

from digits.recipes.recipe import Recipe

IMAGE_SHAPE = (28, 28, 1)
NUM_CLASSES = 10
HEADS = {
    "flatten": "Flatten",
    "global-average": "GlobalAveragePooling2D",
    "global-max": "GlobalMaxPooling2D",
}


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
            raise DoesNotFit(
                index,
                f"A {kernel}×{kernel} kernel is larger than the {height}×{width} that block "
                f"{number} receives. Use a smaller kernel, or less pooling before it.",
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
            rows.append(Layer(f"norm{number}", "BatchNormalization", shape, 4 * block.filters))
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
        if layer.kind == "Conv2D" or (layer.kind == "Dense"):
            sizes.append(size)
        elif len(layer.shape) == len(IMAGE_SHAPE):
            sizes[-1] = size  # pooled
    return " → ".join(sizes)


def count_parameters(recipe: Recipe) -> int:
    """The number of parameters, including the statistics of batch normalization."""
    return sum(layer.parameters for layer in layers(recipe))
