"""The gradient of a convolution's filters as matrix products, where its maps are small."""

from collections.abc import Callable

import keras
import tensorflow as tf

SMALL = 4  # height of maps up to which oneDNN's own gradient takes two to three times as long


def speed_up(network: keras.Model) -> keras.Model:
    """Let convolutions with small maps train by matrix products, one for each place of the kernel.

    They stay Keras's own layers, and their results are the same but for rounding. In float32, where
    it would gain half as much, and on a GPU, where it was not tried, nothing changes.
    """
    if tf.config.list_physical_devices("GPU"):
        return network
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.compute_dtype == "bfloat16":
            _, height, _, channels = layer.input.shape
            if channels > 1 and height - layer.kernel_size[0] < SMALL:
                layer.convolution_op = _convolve
    return network


def _convolve(inputs: tf.Tensor, kernel: keras.Variable) -> tf.Tensor:
    """The unpadded convolution of (batch, height, width, channels) with a kernel."""
    return _with_products(inputs, tf.convert_to_tensor(kernel))


@tf.custom_gradient
def _with_products(inputs: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    outputs = tf.nn.conv2d(inputs, kernel, strides=1, padding="VALID")

    def gradients(error: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        _, height, width, filters = outputs.shape
        rows, columns, channels, _ = kernel.shape
        of_inputs = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(inputs),
            filter=kernel,
            out_backprop=error,
            strides=[1, 1, 1, 1],
            padding="VALID",
        )
        errors = tf.reshape(error, (-1, filters))
        products = []
        for row in range(rows):
            for column in range(columns):
                seen = inputs[:, row : row + height, column : column + width]
                pixels = tf.reshape(seen, (-1, channels))
                products.append(tf.matmul(pixels, errors, transpose_a=True))
        return of_inputs, tf.reshape(tf.stack(products), kernel.shape)

    return outputs, gradients
