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
    n = tf.shape(images)[0]
    seed = tf.stack([tf.constant(recipe.seed, tf.int32), tf.cast(step, tf.int32)])
    u = tf.unstack(tf.random.stateless_uniform([4, n], seed, -1.0, 1.0))
    left, up = u[2] * recipe.shift, u[3] * recipe.shift
    return move(images, u[0] * recipe.rotation, 1 + u[1] * recipe.zoom, left, up)


def move(
    images: tf.Tensor, rotation: tf.Tensor, zoom: tf.Tensor, left: tf.Tensor, up: tf.Tensor
) -> tf.Tensor:
    """Shift images, then turn and enlarge them about their middle, each as it is told.

    ``images`` is (n, 28, 28, 1) float32, and so is what comes back, with 0 where nothing was.
    The others are (n,) float32: ``rotation`` in degrees counterclockwise, ``zoom`` a factor,
    ``left`` and ``up`` in pixels. What is in between pixels is interpolated linearly.
    """
    size = 28
    angle, scale = rotation * math.pi / 180, 1 / zoom
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    middle = (size - 1) / 2
    dx = middle - cos * middle + sin * middle + left
    dy = middle - sin * middle - cos * middle + up
    zero = tf.zeros_like(cos)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([cos, -sin, dx, sin, cos, dy, zero, zero], axis=1),
        output_shape=[size, size],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
