"""Fused batch normalization: what Keras's own gives, forward, backward and on average."""

import numpy as np
import pytest

from tests.worker.gradients import outputs_and_gradients

pytestmark = pytest.mark.slow

BATCHES = 3


@pytest.mark.parametrize("channels", [8, 16])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_the_fused_layer_trains_and_answers_as_keras_own(channels: int, precision: str) -> None:
    import keras
    import tensorflow as tf

    from digits.worker.normalization import fuse

    def network() -> keras.Model:
        return keras.Sequential(
            [
                keras.Input((4, 4, channels)),
                keras.layers.BatchNormalization(momentum=0.8, dtype=precision),
            ]
        )

    plain, fused = network(), fuse(network())
    random = np.random.default_rng(0)
    tolerance = {"atol": 1e-4 if precision == "float32" else 0.05}
    for _ in range(BATCHES):
        x = tf.constant(random.normal(3, 2, (5, 4, 4, channels)), tf.float32)
        toward = tf.constant(random.normal(size=(5, 4, 4, channels)), tf.float32)
        both = [outputs_and_gradients(each, x, toward) for each in (plain, fused)]
        for expected, found in zip(*both, strict=True):
            np.testing.assert_allclose(found, expected, rtol=0.02, **tolerance)
    for expected, found in zip(plain.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3)
    np.testing.assert_allclose(fused(x), plain(x), rtol=0.02, **tolerance)
    assert type(fused.layers[0]) is keras.layers.BatchNormalization  # its file is read anywhere
