"""Trains the tiny network that tells whole digits from parts, on whole numbers.

The right splits of each number are to be likelier than all others, as in the global training of
LeCun et al. 1998, section VI. Beside that, each candidate counts by itself, so that the network's
output stays the log-odds that it is a whole digit.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks.candidates import Labeled
from digits.multidigit import whole_digit
from digits.multidigit.decode import MAX_PIECES
from digits.multidigit.whole_digit import WholeDigit

FILTERS, HIDDEN, DROPOUT = 32, 96, 0.3
EPOCHS, BATCH, LEARNING_RATE = 12, 16, 0.003  # numbers in a batch
EACH = 4.0  # weight of the candidates' own loss beside that of the splits
NEVER = -1e9  # log-odds of what is no candidate


def train(numbers: Sequence[Labeled]) -> WholeDigit:
    """A network trained on the candidates of these numbers."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    network = build()
    steps = len(numbers) // BATCH
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, EPOCHS * steps)
    step = _step(network, keras.optimizers.Adam(rate))
    for _ in range(EPOCHS):
        order = random.permutation(len(numbers))[: steps * BATCH]
        for picks in order.reshape(steps, BATCH):
            step(*_batch([numbers[pick] for pick in picks]))
    kernel, kernel_bias, *dense, output, output_bias = network.get_weights()
    return WholeDigit(kernel[:, :, 0], kernel_bias, *dense, output[:, 0], output_bias)


def build() -> keras.Model:
    """The network from ``whole_digit.features``, (n, 202), to log-odds, (n, 1)."""
    seen = keras.Input((whole_digit.FEATURES,))
    image = layers.Reshape((14, 14, 1))(seen[:, : whole_digit.PIXELS])
    maps = layers.MaxPooling2D()(layers.Conv2D(FILTERS, 5, activation="relu")(image))
    flat = layers.Concatenate()([layers.Flatten()(maps), seen[:, whole_digit.PIXELS :]])
    hidden = layers.Dense(HIDDEN, "relu")(layers.Dropout(DROPOUT)(flat))
    return keras.Model(seen, layers.Dense(1)(layers.Dropout(DROPOUT)(hidden)))


def _batch(numbers: Sequence[Labeled]) -> tuple[np.ndarray, ...]:
    """Features, places in the table of ``log_sum``, labels and weights of all candidates, ends."""
    rows = np.repeat(np.arange(len(numbers)), [len(number.x) for number in numbers])
    first, end = np.concatenate([number.spans for number in numbers]).T
    return (
        np.concatenate([number.x for number in numbers]),
        np.column_stack([rows, end - 1, MAX_PIECES - (end - first)]).astype(np.int32),
        np.concatenate([number.digit for number in numbers]),
        # Each number weighs the same, whether it has ten candidates or hundreds.
        np.concatenate([number.clear / number.clear.sum() for number in numbers]).astype("float32"),
        np.array([number.spans.max() for number in numbers], np.int32),
    )


def _step(network: keras.Model, optimizer: keras.optimizers.Optimizer) -> Callable[..., None]:
    """A function that takes what ``_batch`` makes and changes the network's weights once."""
    variables = network.trainable_variables
    optimizer.build(variables)
    shapes = [
        tf.TensorSpec((None, whole_digit.FEATURES)),
        tf.TensorSpec((None, 3), tf.int32),
        tf.TensorSpec((None,), tf.bool),
        tf.TensorSpec((None,)),
        tf.TensorSpec((BATCH,), tf.int32),
    ]

    @tf.function(input_signature=shapes)
    def step(x, places, digit, weight, ends):
        with tf.GradientTape() as tape:
            scores = network(x, training=True)[:, 0]
            right = log_sum(tf.where(digit, scores, NEVER), places, ends)
            split = tf.reduce_mean(log_sum(scores, places, ends) - right)
            each = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(digit, tf.float32), scores)
            loss = split + EACH * tf.reduce_sum(weight * each) / BATCH
        optimizer.apply(tape.gradient(loss, variables), variables)

    return step


def log_sum(scores: tf.Tensor, places: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """Logarithm of the summed odds of all splits of each number: (numbers,).

    ``scores`` are the log-odds of candidates, (n,); ``places``, (n, 3), say of which number each
    is, the last of its pieces, and ``MAX_PIECES`` less how many it has; ``ends`` how many pieces
    each number has.
    """
    n = tf.shape(ends)[0]
    shape = n, tf.reduce_max(ends), MAX_PIECES
    table = tf.tensor_scatter_nd_update(tf.fill(shape, NEVER), places, scores)
    start = tf.one_hot(tf.fill((n,), MAX_PIECES - 1), MAX_PIECES, 0.0, NEVER)

    def extend(before: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """The sums up to each of the last ``MAX_PIECES`` pieces, one piece further."""
        total = tf.reduce_logsumexp(before + candidates, axis=1, keepdims=True)
        return tf.concat([before[:, 1:], total], axis=1)

    up_to_each = tf.scan(extend, tf.transpose(table, (1, 0, 2)), start)[..., -1]
    return tf.gather(tf.transpose(up_to_each), ends - 1, batch_dims=1)
