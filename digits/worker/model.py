"""Builds the Keras model that a recipe describes, with a name for every layer."""

import keras
import tensorflow as tf

from digits.recipes.layers import IMAGE_SHAPE, layers
from digits.recipes.recipe import Recipe

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
    "rmsprop": keras.optimizers.RMSprop,
    "nadam": keras.optimizers.Nadam,
    "adadelta": keras.optimizers.Adadelta,
}


def build(recipe: Recipe, dtype: str = "float32") -> keras.Model:
    """An uncompiled model from (batch, 28, 28, 1) float32 in [0, 1] to (batch, 10) probabilities.

    ``dtype`` is Keras's name of a precision policy; the softmax stays in float32 always. Weights
    and dropout follow ``recipe.seed``, whatever else runs in this process.
    """
    model = keras.Sequential([keras.Input(IMAGE_SHAPE, name="image")], name="digits")
    for number, layer in enumerate(layers(recipe)):
        options = dict(layer.options)
        if layer.kind in ("Conv2D", "Dense"):
            options["kernel_initializer"] = keras.initializers.GlorotUniform(recipe.seed + number)
        if layer.kind == "Dropout":
            options["seed"] = recipe.seed + number
        policy = "float32" if layer.name == "output" else dtype
        model.add(getattr(keras.layers, layer.kind)(name=layer.name, dtype=policy, **options))
    return model


def to_input(images: tf.Tensor) -> tf.Tensor:
    """(batch, 28, 28) uint8 as a network's input: (batch, 28, 28, 1) float32 in [0, 1].

    Nothing else in Python divides by 255.
    """
    return tf.cast(images, tf.float32)[..., None] / 255


def without_output(network: keras.Model) -> keras.Model:
    """The same network up to what its last layer is given: (batch, 28, 28, 1) to (batch, units)."""
    return keras.Model(network.inputs, network.layers[-1].input)


def compile(model: keras.Model, recipe: Recipe) -> keras.Model:
    """Give the model the recipe's optimizer and loss, so that Keras can go on training it."""
    loss: keras.losses.Loss = keras.losses.SparseCategoricalCrossentropy()
    if recipe.loss == "categorical_crossentropy":
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    optimizer = OPTIMIZERS[recipe.optimizer](recipe.learning_rate)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    return model
