"""Writes a recipe as a plain Keras script, to read and to run without the app."""

from collections.abc import Sequence
from dataclasses import dataclass

from digits.data.datasets import DATASETS
from digits.recipes.layers import IMAGE_SHAPE, NUM_CLASSES, layers
from digits.recipes.recipe import Recipe
from digits.recipes.schedule import RateChange, cycles

OPTIMIZERS = {
    "adam": "keras.optimizers.Adam({rate})",
    "adamw": "keras.optimizers.AdamW({rate})",
    "sgd": "keras.optimizers.SGD({rate}, momentum=0.9)",
    "rmsprop": "keras.optimizers.RMSprop({rate})",
    "nadam": "keras.optimizers.Nadam({rate})",
    "adadelta": "keras.optimizers.Adadelta({rate})",
}
SCHEDULES = {  # the learning rate of every step, as ``schedule.learning_rates`` has it
    "constant": "rates = peak",
    "cosine": "rates = peak * (1 + np.cos(np.pi * t)) / 2",
    "one-cycle": """\
up = peak / 25 + (peak - peak / 25) * (1 - np.cos(np.pi * t / 0.3)) / 2
end = peak / 25 / 1e4
down = end + (peak - end) * (1 + np.cos(np.pi * (t - 0.3) / 0.7)) / 2
rates = np.where(t < 0.3, up, down)""",
}
NEXT_RATE = "keras.callbacks.LambdaCallback(on_train_batch_begin=set_rate)"


@dataclass(frozen=True)
class Stage:
    """A recipe as far as a run trained it: to its end, or to the epoch that a fork goes on from.

    ``changes`` are those of its learning rate under way. With ``keeps_optimizer`` it begins with
    the state of the optimizer of the stage before.
    """

    recipe: Recipe
    changes: tuple[RateChange, ...] = ()
    epochs: int | None = None  # all without
    keeps_optimizer: bool = False


def keras_script(*stages: Stage) -> str:
    """A program that trains the network of the last stage on MNIST with Keras alone.

    Each stage goes on with the weights of the one before. The first lines of the program name what
    it leaves out. Raises ``DoesNotFit`` as ``layers`` does.
    """
    note = (
        f"\n\nLeft out of this plain version: {', '.join(out)}."
        if (out := _left_out(stages))
        else ""
    )
    numpy = "import numpy as np\n" * any(map(_has_rates, stages))
    parts, before = [], None
    for stage in stages:
        parts.append(_stage(stage, before))
        before = stage
    training = "\n".join(parts)
    return f'''"""Train a convolutional network on MNIST with Keras.{note}
"""

import keras
{numpy}
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = (x[..., None].astype("float32") / 255 for x in (x_train, x_test))

{training}
print(model.evaluate(x_test, y_test, verbose=0))
'''


def _left_out(stages: Sequence[Stage]) -> list[str]:
    """What the script leaves out."""
    recipes = [stage.recipe for stage in stages]
    return [
        what
        for what, there in (
            ("the choice of training images", any(r.train_images for r in recipes)),
            ("the data set, for which MNIST stands", any(r.dataset != "mnist" for r in recipes)),
            ("augmentation", any(r.augments for r in recipes)),
            ("distillation", any(r.distillation for r in recipes)),
            ("the synthetic digits", any(r.synthetic for r in recipes)),
            ("the weights of the run that it was forked from", recipes[0].fork),
            (
                "the base model and the drawings of the fine-tuning",
                any(r.finetune for r in recipes),
            ),
        )
        if there
    ]


def _has_rates(stage: Stage) -> bool:
    """Whether the learning rate is not the same at every step."""
    return bool(stage.changes) or stage.recipe.schedule != "constant"


def _stage(stage: Stage, before: Stage | None) -> str:
    """The statements of one stage, from the network to ``fit``."""
    recipe = stage.recipe
    rows = "\n".join(
        f"        keras.layers.{layer.kind}("
        + ", ".join(
            [*(f"{key}={value!r}" for key, value in layer.options.items()), f"name={layer.name!r}"]
        )
        + "),"
        for layer in layers(recipe)
    )
    one_hot = recipe.loss == "categorical_crossentropy"
    loss = (
        f"keras.losses.CategoricalCrossentropy(label_smoothing={recipe.label_smoothing:g})"
        if one_hot
        else "keras.losses.SparseCategoricalCrossentropy()"
    )
    of_mnist = DATASETS["mnist"].train_images
    images = min(of_mnist, recipe.train_images or DATASETS[recipe.dataset].train_images)
    callbacks = [
        f"keras.callbacks.EarlyStopping(patience={recipe.patience}, restore_best_weights=True)"
    ] * bool(recipe.patience) + [NEXT_RATE] * _has_rates(stage)
    called = "".join(f"        {callback},\n" for callback in callbacks)
    called = f"    callbacks=[\n{called}    ],\n" * bool(callbacks)
    rate = "rates[0]" if _has_rates(stage) else f"{recipe.learning_rate:g}"
    taken, given = (_taken(stage), _given(stage)) if before else ("", "")
    return f"""{taken}{_targets(one_hot, before)}{_rates(stage, images)}\
keras.utils.set_random_seed({recipe.seed})
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
{given}model.summary()
model.fit(
    x_train[:{images}],
    y_train[:{images}],
    batch_size={recipe.batch_size},
    epochs={stage.epochs or recipe.epochs},
    validation_data=(x_train[{of_mnist}:], y_train[{of_mnist}:]),
{called})"""


def _targets(one_hot: bool, before: Stage | None) -> str:
    """Labels as the loss takes them, where they are not so already."""
    was_one_hot = before is not None and before.recipe.loss == "categorical_crossentropy"
    if one_hot == was_one_hot:
        return ""
    form = f"keras.utils.to_categorical(y, {NUM_CLASSES})" if one_hot else "y.argmax(axis=1)"
    return f"y_train, y_test = ({form} for y in (y_train, y_test))\n"


def _rates(stage: Stage, images: int) -> str:
    """The learning rate of every step, and the function that sets the next one."""
    if not _has_rates(stage):
        return ""
    recipe = stage.recipe
    steps = -(-images // recipe.batch_size) * recipe.epochs
    changes = "".join(f"peak[{c.step}:] = {c.learning_rate:g}\n" for c in stage.changes)
    each = [f"np.arange({n}) / {max(1, n - 1)}" for n in cycles(recipe, steps)]
    t = each[0] if len(each) == 1 else f"np.concatenate([{', '.join(each)}])"
    shares = f"t = {t}\n" * (recipe.schedule != "constant")
    return f"""peak = np.full({steps}, {recipe.learning_rate:g})
{changes}{shares}{SCHEDULES[recipe.schedule]}
steps = iter(rates)


def set_rate(batch, logs=None):
    model.optimizer.learning_rate.assign(next(steps))


"""


def _taken(stage: Stage) -> str:
    """What a fork takes of the network that was trained before."""
    state = 'state = [v.numpy() for v in model.optimizer.variables if v.name != "learning_rate"]\n'
    return (
        "\nweights = model.get_weights()  # with which a fork goes on, with settings of its own\n"
        + state * stage.keeps_optimizer
    )


def _given(stage: Stage) -> str:
    """What a fork begins with."""
    state = """
model.optimizer.build(model.trainable_variables)
slots = [v for v in model.optimizer.variables if v.name != "learning_rate"]
for variable, value in zip(slots, state):
    variable.assign(value)"""
    return f"model.set_weights(weights){state * stage.keeps_optimizer}\n"
