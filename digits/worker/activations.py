"""What each convolution block of a network makes of an image."""

import keras
import numpy as np
import tensorflow as tf

from digits.ink.preprocessing import to_float

MAX_MAPS = 96  # maps of a block; a recipe may ask for 8 blocks of 1,024 filters


def activations(
    model: keras.Model, image: np.ndarray, most: int = MAX_MAPS
) -> list[tuple[np.ndarray, int]]:
    """The maps after each convolution block, and how many filters the block has.

    ``image`` is (28, 28), uint8 or float32 in [0, 1]. A block ends where the next convolution
    begins, or the head: after its pooling, normalisation and activation. Its maps are
    (at most ``most``, height, width) float32, in the order of the filters; where there are more,
    they are the brightest, those of the highest mean. No block, no maps: an empty list.
    """
    x = to_float(image)
    found = []
    for block in _blocks(model)(tf.constant(x)):
        maps = block.numpy().transpose(2, 0, 1)
        brightest = np.argsort(-maps.mean(axis=(1, 2)), kind="stable")[:most]
        found.append((maps[np.sort(brightest)], len(maps)))
    return found


def _blocks(model: keras.Model) -> tf.types.experimental.GenericFunction:
    """(28, 28) to a list of (height, width, filters), as a graph that is kept with the model."""
    if not hasattr(model, "blocks"):

        def pass_through(image: tf.Tensor) -> list[tf.Tensor]:
            x, ends = image[None, ..., None], []
            for layer in model.layers:
                x = layer(x)
                if isinstance(layer, keras.layers.Conv2D):
                    ends.append(x[0])
                elif ends and len(x.shape) == 4:
                    ends[-1] = x[0]
            return ends

        image = tf.TensorSpec((28, 28), tf.float32)
        model.blocks = tf.function(pass_through, input_signature=[image])
    return model.blocks
