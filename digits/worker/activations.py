"""The feature maps of each convolution block for an image."""

import keras
import numpy as np
import tensorflow as tf

from digits.worker.model import to_input

MAX_MAPS = 96  # of a block; a recipe may ask for 8 blocks of 1,024 filters


def activations(
    model: keras.Model, image: np.ndarray, most: int = MAX_MAPS
) -> list[tuple[np.ndarray, int]]:
    """The feature maps after each convolution block, and how many filters the block has.

    ``image`` is (28, 28) uint8. A block ends where the next convolution begins, or the head: after
    its pooling, normalization and activation. Its maps are (at most ``most``, height, width)
    float32, in the order of the filters; of more, those with the highest mean. A network without
    convolutions gives an empty list.
    """
    blocks = []
    for block in _graph(model)(tf.constant(image)):
        maps = block.numpy().transpose(2, 0, 1)
        brightest = np.argsort(-maps.mean(axis=(1, 2)), kind="stable")[:most]
        blocks.append((maps[np.sort(brightest)], len(maps)))
    return blocks


def _graph(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """(28, 28) to a list of (height, width, filters), as a graph that is kept with the model."""
    if not hasattr(model, "activations_graph"):

        def pass_through(image: tf.Tensor) -> list[tf.Tensor]:
            x, blocks = to_input(image[None]), []
            for layer in model.layers:
                x = layer(x)
                if isinstance(layer, keras.layers.Conv2D):
                    blocks.append(x[0])
                elif blocks and len(x.shape) == 4:
                    blocks[-1] = x[0]
            return blocks

        image = tf.TensorSpec((28, 28), tf.uint8)
        model.activations_graph = tf.function(pass_through, [image], autograph=False)
    return model.activations_graph
