"""Shifts, turns, zooms and bends training images at random, within the graph."""

import math

import tensorflow as tf

from digits.recipe import Recipe

SIZE = 28
GRID = 5  # control points of an elastic bend along each side


def augment(images: tf.Tensor, recipe: Recipe, step: tf.Tensor) -> tf.Tensor:
    """Move each image as far as the recipe allows, another way at every step.

    ``images`` is (n, 28, 28, 1) float32, and so is what comes back. The same seed and ``step``
    give the same pictures. Source of the elastic bend: Simard, Steinkraus and Platt 2003; here
    the smooth field is one random vector at each of 5×5 points, bicubic in between.
    """
    if not recipe.augments:
        return images
    n = tf.shape(images)[0]
    seed = tf.stack([tf.constant(recipe.seed, tf.int32), tf.cast(step, tf.int32)])
    u = tf.unstack(tf.random.stateless_uniform([4, n], seed, -1.0, 1.0))
    movement = (
        u[0] * recipe.rotation, 1 + u[1] * recipe.zoom, u[2] * recipe.shift, u[3] * recipe.shift
    )  # fmt: skip
    if not recipe.elastic:
        return move(images, *movement)
    points = tf.random.stateless_uniform([n, GRID, GRID, 2], seed + 1, -1.0, 1.0)
    bend = recipe.elastic * tf.image.resize(points, [SIZE, SIZE], "bicubic")
    y, x = tf.meshgrid(tf.range(float(SIZE)), tf.range(float(SIZE)), indexing="ij")
    cos, sin, dx, dy = (value[:, None, None] for value in _affine(*movement))
    return _sample(
        images, cos * x - sin * y + dx + bend[..., 0], sin * x + cos * y + dy + bend[..., 1]
    )


def move(
    images: tf.Tensor, rotation: tf.Tensor, zoom: tf.Tensor, left: tf.Tensor, up: tf.Tensor
) -> tf.Tensor:
    """Shift images, then turn and enlarge them about their middle, each as it is told.

    ``images`` is (n, 28, 28, 1) float32, and so is what comes back, with 0 where nothing was.
    The others are (n,) float32: ``rotation`` in degrees counterclockwise, ``zoom`` a factor,
    ``left`` and ``up`` in pixels. What is in between pixels is interpolated linearly.
    """
    cos, sin, dx, dy = _affine(rotation, zoom, left, up)
    zero = tf.zeros_like(cos)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([cos, -sin, dx, sin, cos, dy, zero, zero], axis=1),
        output_shape=[SIZE, SIZE],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def _affine(
    rotation: tf.Tensor, zoom: tf.Tensor, left: tf.Tensor, up: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """From where a pixel is taken: x' = cos x - sin y + dx and y' = sin x + cos y + dy."""
    angle, scale = rotation * math.pi / 180, 1 / zoom
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    middle = (SIZE - 1) / 2
    dx = middle - cos * middle + sin * middle + left
    dy = middle - sin * middle - cos * middle + up
    return cos, sin, dx, dy


def _sample(images: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Bilinear values of (n, 28, 28, 1) at (n, 28, 28) columns and rows, 0 outside."""
    wide = SIZE + 2  # a border of paper, in which all that lies outside ends
    pixels = tf.reshape(tf.pad(images[..., 0], [[0, 0], [1, 1], [1, 1]]), [-1, wide * wide])
    x, y = (tf.clip_by_value(value + 1, 0, wide - 1.001) for value in (x, y))
    left, top = tf.floor(x), tf.floor(y)
    right_share, low_share = x - left, y - top
    corner = tf.cast(top * wide + left, tf.int32)

    def at(offset: int) -> tf.Tensor:
        flat = tf.reshape(corner + offset, [-1, SIZE * SIZE])
        return tf.reshape(tf.gather(pixels, flat, batch_dims=1), [-1, SIZE, SIZE])

    upper = at(0) * (1 - right_share) + at(1) * right_share
    lower = at(wide) * (1 - right_share) + at(wide + 1) * right_share
    return (upper * (1 - low_share) + lower * low_share)[..., None]
