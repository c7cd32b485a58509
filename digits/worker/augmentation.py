"""Random augmentation of training images, within the TensorFlow graph."""

import math

import tensorflow as tf

from digits.recipes.recipe import Recipe

SIZE = 28
GRID = 5  # control points along each side of an elastic distortion


def augment(images: tf.Tensor, recipe: Recipe, step: tf.Tensor) -> tf.Tensor:
    """Augment each image within the recipe's limits, differently at every step.

    ``images`` is (n, 28, 28, 1) float32, and so is the result. The same seed and ``step`` give the
    same images.
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
    """Dilate strokes on either side by ``pixels``, (n,) from -1 to 1, or erode them below 0.

    ``images`` is (n, 28, 28, 1), and so is the result: a mixture with the brightest, or the
    darkest, of the nine pixels around.
    """
    pixels = pixels[:, None, None, None]
    dilated = tf.nn.max_pool2d(images, 3, 1, "SAME")
    eroded = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    share = tf.abs(pixels)
    return images * (1 - share) + tf.where(pixels > 0, dilated, eroded) * share


def transform(
    images: tf.Tensor,
    rotation: tf.Tensor,
    zoom: tf.Tensor,
    left: tf.Tensor,
    up: tf.Tensor,
    shear: tf.Tensor | float = 0.0,
    stretch: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """Shift images, shear and stretch them, then rotate and zoom them about their middle.

    ``images`` is (n, 28, 28, 1) float32, and so is the result, with 0 where nothing was.
    The others are (n,) float32: ``rotation`` in degrees counterclockwise, ``zoom`` a factor,
    ``left`` and ``up`` in pixels, ``shear`` in degrees by which upright lines lean to the right,
    ``stretch`` a factor of the width. Interpolation is bilinear.
    """
    angle, scale = rotation * math.pi / 180, 1 / zoom
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    lean = tf.tan(shear * math.pi / 180)
    # The inverse map, from a pixel to its source: rotation, shear and stretch undone in turn.
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
    """Distort images elastically: ``points`` (n, k, k, 2) are the shifts of k×k control points.

    ``images`` is (n, 28, 28, 1) float32, and so is the result; ``points`` is in pixels, columns
    and rows, and bicubic in between. Source: Simard, Steinkraus and Platt 2003, Best practices for
    convolutional neural networks.
    """
    shifts = tf.image.resize(points, [SIZE, SIZE], "bicubic")
    y, x = tf.meshgrid(tf.range(float(SIZE)), tf.range(float(SIZE)), indexing="ij")
    width = SIZE + 2  # with a border of paper, to which all that lies outside is clipped
    x, y = (
        tf.clip_by_value(at + 1, 0, width - 1.001)
        for at in (x + shifts[..., 0], y + shifts[..., 1])
    )
    left, top = tf.floor(x), tf.floor(y)
    right_share, low_share = x - left, y - top
    corner = tf.reshape(tf.cast(top * width + left, tf.int32), [-1, SIZE * SIZE])
    pixels = tf.reshape(tf.pad(images[..., 0], [[0, 0], [1, 1], [1, 1]]), [-1, width * width])

    def at(offset: int) -> tf.Tensor:
        return tf.reshape(tf.gather(pixels, corner + offset, batch_dims=1), [-1, SIZE, SIZE])

    upper = at(0) * (1 - right_share) + at(1) * right_share
    lower = at(width) * (1 - right_share) + at(width + 1) * right_share
    return (upper * (1 - low_share) + lower * low_share)[..., None]
