"""Shifts, turns, zooms and bends training images at random, within the graph."""

import math

import tensorflow as tf

from digits.recipes.recipe import Recipe

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
    u = tf.unstack(tf.random.stateless_uniform([7, n], seed, -1.0, 1.0))
    if recipe.stroke_width:
        images = change_stroke_width(images, u[6] * recipe.stroke_width)
    images = transform(
        images,
        rotation=u[0] * recipe.rotation,
        zoom=1 + u[1] * recipe.zoom,
        left=u[2] * recipe.shift,
        up=u[3] * recipe.shift,
        shear=u[4] * recipe.shear,
        stretch=1 + u[5] * recipe.stretch,
    )
    if not recipe.elastic:
        return images
    points = tf.random.stateless_uniform([n, GRID, GRID, 2], seed + 1, -1.0, 1.0)
    return distort(images, recipe.elastic * points)


def change_stroke_width(images: tf.Tensor, pixels: tf.Tensor) -> tf.Tensor:
    """Make lines wider on either side by so many pixels, (n,) from -1 to 1, or thinner below 0.

    ``images`` is (n, 28, 28, 1), and so is what comes back: a mixture with the brightest, or the
    darkest, of the nine pixels around.
    """
    pixels = pixels[:, None, None, None]
    wide = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    share = tf.abs(pixels)
    return images * (1 - share) + tf.where(pixels > 0, wide, thin) * share


def transform(
    images: tf.Tensor,
    rotation: tf.Tensor,
    zoom: tf.Tensor,
    left: tf.Tensor,
    up: tf.Tensor,
    shear: tf.Tensor | float = 0.0,
    stretch: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """Shift images, shear and stretch them, then turn and enlarge them about their middle.

    ``images`` is (n, 28, 28, 1) float32, and so is what comes back, with 0 where nothing was.
    The others are (n,) float32: ``rotation`` in degrees counterclockwise, ``zoom`` a factor,
    ``left`` and ``up`` in pixels, ``shear`` in degrees by which upright lines lean to the right,
    ``stretch`` a factor of the width. What is in between pixels is interpolated linearly.
    """
    angle, scale = rotation * math.pi / 180, 1 / zoom
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    lean = tf.tan(shear * math.pi / 180)
    # Where a pixel comes from: turned back, then upright again, then as wide as it was.
    a, b = (cos + lean * sin) / stretch, (-sin + lean * cos) / stretch
    c, d = sin, cos
    middle = (SIZE - 1) / 2
    dx = middle - a * middle - b * middle + left
    dy = middle - c * middle - d * middle + up
    zero = tf.zeros_like(cos)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, dx, c, d, dy, zero, zero], axis=1),
        output_shape=[SIZE, SIZE],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def distort(images: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
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
