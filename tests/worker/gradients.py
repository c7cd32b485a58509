"""What a network answers in training, and its gradients, to compare it with another one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def outputs_and_gradients(
    network: "keras.Model", x: "tf.Tensor", toward: "tf.Tensor"
) -> list["tf.Tensor"]:
    """The outputs for ``x``; then the gradients of their product with ``toward``."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(network(x, training=True), tf.float32)
        product = tf.reduce_sum(y * toward)
    return [y, *tape.gradient(product, [x, *network.trainable_variables])]
