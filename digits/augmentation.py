"""Shifts, turns and zooms training images at random, within the graph."""

import math

import tensorflow as tf

from digits.recipe import Recipe


def augment(images: tf.Tensor, recipe: Recipe, step: tf.Tensor) -> tf.Tensor:
    """Move each image as far as the recipe allows, another way at every step.

    ``images`` is (n, 28, 28, 1) float32, and so is what comes back. The same seed and ``step``
    give the same pictures.
    """
    if not (recipe.shift or recipe.rotation or recipe.zoom):
        return images
    n, size = tf.shape(images)[0], 28
    seed = tf.stack([tf.constant(recipe.seed, tf.int32), tf.cast(step, tf.int32)])
    u = tf.unstack(tf.random.stateless_uniform([4, n], seed, -1.0, 1.0))
    angle = u[0] * recipe.rotation * math.pi / 180
    scale = 1 / (1 + u[1] * recipe.zoom)
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    middle = (size - 1) / 2
    dx = middle - cos * middle + sin * middle + u[2] * recipe.shift
    dy = middle - sin * middle - cos * middle + u[3] * recipe.shift
    zero = tf.zeros_like(cos)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([cos, -sin, dx, sin, cos, dy, zero, zero], axis=1),
        output_shape=[size, size],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
