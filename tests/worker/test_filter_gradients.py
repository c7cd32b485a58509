"""Filter gradients as matrix products: what oneDNN's own give, and where they are used."""

import numpy as np
import pytest

from tests.worker.gradients import outputs_and_gradients

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kernel", "side"), [(3, 5), (3, 6), (5, 7), (1, 4)])
def test_a_network_with_small_maps_has_the_same_gradients(kernel: int, side: int) -> None:
    import keras
    import tensorflow as tf

    from digits.worker.filter_gradients import speed_up

    def network() -> keras.Model:
        layer = keras.layers.Conv2D(
            6, kernel, activation="relu", kernel_initializer=initial, dtype="mixed_bfloat16"
        )
        return keras.Sequential([keras.Input((side, side, 4)), layer])

    initial = keras.initializers.GlorotUniform(0)
    plain, quick = network(), speed_up(network())
    assert "convolution_op" in vars(quick.layers[0])
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(7, side, side, 4)), tf.float32)
    toward = tf.constant(random.normal(size=plain(x).shape), tf.float32)
    both = [outputs_and_gradients(each, x, toward) for each in (plain, quick)]
    for expected, products in zip(*both, strict=True):
        np.testing.assert_allclose(products, expected, rtol=0.02, atol=0.1)


def test_large_maps_the_image_itself_and_float32_stay_with_keras() -> None:
    from digits.recipes.recipe import Conv, Recipe
    from digits.worker import model
    from digits.worker.filter_gradients import speed_up

    blocks = (Conv(8, 3), Conv(8, 3, pool=False), Conv(8, 3), Conv(8, 3))
    single = (Conv(8, 27, pool=False),)
    for conv, precision, expected in (
        (blocks, "mixed_bfloat16", ["conv4"]),
        (blocks, "float32", []),
        (single, "mixed_bfloat16", []),
    ):
        network = speed_up(model.build(Recipe(conv=conv, dense=()), precision))
        assert [each.name for each in network.layers if "convolution_op" in vars(each)] == expected
