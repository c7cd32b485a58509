"""Shifts, turns, zooms and bends training images at random, within the graph."""

import math

import tensorflow as tf

from digits.recipe import Recipe

SIZE = 28
GRID = 5  # points along each side that an elastic bend moves at random


def augment(images: tf.Tensor, recipe: Recipe, step: tf.Tensor) -> tf.Tensor:
    """Change each image as far as the recipe allows, another way at every step.

    ``images`` is (n, 28, 28, 1) float32, and so is what comes back. The same seed and ``step``
    give the same pictures.
    """
    if not recipe.augments:
        return images
    n = tf.shape(images)[0]
    seed = tf.stack([tf.constant(recipe.seed, tf.int32), tf.cast(step, tf.int32)])
    u = tf.unstack(tf.random.stateless_uniform([4, n], seed, -1.0, 1.0))
    left, up = u[2] * recipe.shift, u[3] * recipe.shift
    images = move(images, u[0] * recipe.rotation, 1 + u[1] * recipe.zoom, left, up)
    if not recipe.elastic:
        return images
    points = tf.random.stateless_uniform([n, GRID, GRID, 2], seed + 1, -1.0, 1.0)
    return bend(images, recipe.elastic * points)


def move(
    images: tf.Tensor, rotation: tf.Tensor, zoom: tf.Tensor, left: tf.Tensor, up: tf.Tensor
) -> tf.Tensor:
    """Shift images, then turn and enlarge them about their middle, each as it is told.

    ``images`` is (n, 28, 28, 1) float32, and so is what comes back, with 0 where nothing was.
    The others are (n,) float32: ``rotation`` in degrees counterclockwise, ``zoom`` a factor,
    ``left`` and ``up`` in pixels. What is in between pixels is interpolated linearly.
    """
    angle, scale = rotation * math.pi / 180, 1 / zoom
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    middle = (SIZE - 1) / 2
    dx = middle - cos * middle + sin * middle + left
    dy = middle - sin * middle - cos * middle + up
    zero = tf.zeros_like(cos)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([cos, -sin, dx, sin, cos, dy, zero, zero], axis=1),
        output_shape=[SIZE, SIZE],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def bend(images: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Bend images smoothly: ``points`` (n, k, k, 2) says how far each of k×k points moves.

    ``images`` is (n, 28, 28, 1) float32, and so is what comes back; ``points`` is in pixels,
    columns and rows, and bicubic in between. Source of elastic distortion: Simard, Steinkraus
    and Platt 2003, Best practices for convolutional neural networks.
    """
    far = tf.image.resize(points, [SIZE, SIZE], "bicubic")
    y, x = tf.meshgrid(tf.range(float(SIZE)), tf.range(float(SIZE)), indexing="ij")
    wide = SIZE + 2  # with a border of paper, in which all that lies outside ends
    x, y = (tf.clip_by_value(at + 1, 0, wide - 1.001) for at in (x + far[..., 0], y + far[..., 1]))
    left, top = tf.floor(x), tf.floor(y)
    right_share, low_share = x - left, y - top
    corner = tf.reshape(tf.cast(top * wide + left, tf.int32), [-1, SIZE * SIZE])
    pixels = tf.reshape(tf.pad(images[..., 0], [[0, 0], [1, 1], [1, 1]]), [-1, wide * wide])

    def at(offset: int) -> tf.Tensor:
        return tf.reshape(tf.gather(pixels, corner + offset, batch_dims=1), [-1, SIZE, SIZE])

    upper = at(0) * (1 - right_share) + at(1) * right_share
    lower = at(wide) * (1 - right_share) + at(wide + 1) * right_share
    return (upper * (1 - low_share) + lower * low_share)[..., None]
