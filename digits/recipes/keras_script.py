"""Writes a recipe as a plain Keras script, to read and to run without the app."""

from digits.recipes.layers import IMAGE_SHAPE, NUM_CLASSES, layers
from digits.recipes.recipe import Recipe
from digits.recipes.schedule import RateChange

OPTIMIZERS = {
    "adam": "keras.optimizers.Adam({rate})",
    "adamw": "keras.optimizers.AdamW({rate})",
    "sgd": "keras.optimizers.SGD({rate}, momentum=0.9)",
    "rmsprop": "keras.optimizers.RMSprop({rate})",
    "nadam": "keras.optimizers.Nadam({rate})",
    "adadelta": "keras.optimizers.Adadelta({rate})",
}


def keras_script(recipe: Recipe, changes: tuple[RateChange, ...] = ()) -> str:
    """A program that trains the recipe's network on MNIST with Keras alone.

    ``changes`` are those of the learning rate while a run of the recipe trained.
    Its first lines name what it leaves out. Raises ``DoesNotFit`` as ``layers`` does.
    """
    left_out = [
        what
        for what, there in (
            ("the choice of training images", recipe.train_images or recipe.dataset != "mnist"),
            (f"the {recipe.schedule} schedule", recipe.schedule != "constant"),
            ("its changes under way", changes and recipe.schedule != "constant"),
            ("augmentation", recipe.augments),
            ("the synthetic digits", recipe.synthetic),
            ("the weights of the run that it was forked from", recipe.fork),
            ("the base model and the drawings of the fine-tuning", recipe.finetune),
        )
        if there
    ]
    note = f"\n\nLeft out of this plain version: {', '.join(left_out)}." if left_out else ""
    rows = "\n".join(
        f"        keras.layers.{layer.kind}("
        + ", ".join(
            [*(f"{key}={value!r}" for key, value in layer.options.items()), f"name={layer.name!r}"]
        )
        + "),"
        for layer in layers(recipe)
    )
    rate = f"{recipe.learning_rate:g}"
    if changes and recipe.schedule == "constant":
        last_steps = [change.step - 1 for change in changes]
        rates = ", ".join([rate, *(f"{change.learning_rate:g}" for change in changes)])
        rate = f"keras.optimizers.schedules.PiecewiseConstantDecay({last_steps}, [{rates}])"
    one_hot = recipe.loss == "categorical_crossentropy"
    targets = (
        "y_train, y_test = "
        f"(keras.utils.to_categorical(y, {NUM_CLASSES}) for y in (y_train, y_test))\n"
        if one_hot
        else ""
    )
    loss = (
        f"keras.losses.CategoricalCrossentropy(label_smoothing={recipe.label_smoothing:g})"
        if one_hot
        else "keras.losses.SparseCategoricalCrossentropy()"
    )
    stop = (
        "    callbacks=[keras.callbacks.EarlyStopping("
        f"patience={recipe.patience}, restore_best_weights=True)],\n"
        if recipe.patience
        else ""
    )
    return f'''"""Train a convolutional network on MNIST with Keras.{note}
"""

import keras

keras.utils.set_random_seed({recipe.seed})
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = (x[..., None].astype("float32") / 255 for x in (x_train, x_test))
{targets}
model = keras.Sequential(
    [
        keras.Input({IMAGE_SHAPE}),
{rows}
    ]
)
model.compile(
    optimizer={OPTIMIZERS[recipe.optimizer].format(rate=rate)},
    loss={loss},
    metrics=["accuracy"],
)
model.summary()
model.fit(
    x_train,
    y_train,
    batch_size={recipe.batch_size},
    epochs={recipe.epochs},
    validation_split=0.1,
{stop})
print(model.evaluate(x_test, y_test, verbose=0))
'''
