"""What to change in a recipe whose run went wrong, by the kind of what went wrong."""

from dataclasses import dataclass
from typing import Any

from digits.data.datasets import DATASETS
from digits.recipes.recipe import HYPERPARAMETERS, Conv, Recipe

MOST = 3  # remedies for one run
USUAL_RATES = {  # at which an optimizer learns well as a rule
    "adam": 0.001,
    "adamw": 0.001,
    "nadam": 0.001,
    "rmsprop": 0.0005,
    "sgd": 0.02,
    "adadelta": 1.0,
}


@dataclass(frozen=True)
class Remedy:
    """A change of a recipe: new values of its fields, and what a button for it says."""

    label: str
    changes: dict[str, Any]


def remedies(kind: str, recipe: Recipe) -> list[Remedy]:
    """At most three changes worth trying after a diagnosis, all of them values of the controls.

    ``kind`` is that of a ``Diagnosis``. After a run that went well, another seed shows how much of
    its accuracy is chance.
    """
    tried: list[Remedy | None] = []
    usual, rate = USUAL_RATES[recipe.optimizer], recipe.learning_rate
    if kind in ("diverged", "rate too high") or (kind == "guessing" and rate > 5 * usual):
        tried = [_rate(usual if rate > 3 * usual else rate / 10, recipe), _rate(rate / 3, recipe)]
        if not recipe.batch_norm and recipe.conv:
            tried.append(Remedy("batch normalization", {"batch_norm": True}))
    elif kind in ("guessing", "rate too low"):
        saturating = recipe.activation in ("sigmoid", "tanh")
        tried = [
            Remedy("ReLU", {"activation": "relu"}) if saturating else None,
            _rate(usual if rate < usual / 3 else rate * 10, recipe),
            _flatten(recipe) if kind == "guessing" else _epochs(recipe),
            _rate(rate * 5, recipe),
        ]
    elif kind == "overfitting":
        dropout = Remedy("dropout 0.5", {"dropout": 0.5}) if recipe.dropout < 0.5 else None
        early = Remedy("early stopping, patience 3", {"patience": 3})
        augmented = Remedy("shift 2, rotation 10", {"shift": 2.0, "rotation": 10.0})
        tried = [
            _more_images(recipe),
            dropout,
            None if recipe.augments else augmented,
            None if recipe.patience else early,
        ]
    elif kind == "underfitting":
        tried = [_less_dropout(recipe), _less_augmentation(recipe), _flatten(recipe)]
        tried += [_larger(recipe), _epochs(recipe)]
    elif kind == "still improving":
        tried = [_epochs(recipe), _rate(rate * 2, recipe) if rate * 2 <= 2 * usual else None]
    elif kind in ("training below validation", "healthy"):
        more = kind != "healthy" and recipe.epochs < 5
        tried = [_epochs(recipe) if more else None, _seed(recipe)]
    return list({str(remedy.changes): remedy for remedy in tried if remedy}.values())[:MOST]


def _rate(wanted: float, recipe: Recipe) -> Remedy | None:
    """The learning rate of the control that is nearest, if it is another one on the same side."""
    offered = HYPERPARAMETERS["learning_rate"].options
    rate = min(offered, key=lambda option: max(option / wanted, wanted / option))
    same_side = (rate < recipe.learning_rate) == (wanted < recipe.learning_rate)
    if rate == recipe.learning_rate or not same_side:
        return None
    return Remedy(f"learning rate {rate:g}", {"learning_rate": rate})


def _epochs(recipe: Recipe) -> Remedy | None:
    """Twice as many, as far as the control goes."""
    _, high, _ = HYPERPARAMETERS["epochs"].slider or (1, recipe.epochs, 1)
    epochs = min(int(high), max(recipe.epochs * 2, 3))
    return Remedy(f"{epochs} epochs", {"epochs": epochs}) if epochs > recipe.epochs else None


def _seed(recipe: Recipe) -> Remedy | None:
    _, high = HYPERPARAMETERS["seed"].box or (0, recipe.seed)
    seed = recipe.seed + 1
    return Remedy(f"seed {seed}", {"seed": seed}) if seed <= high else None


def _more_images(recipe: Recipe) -> Remedy | None:
    """All training images, or ten times as many where that is still less."""
    if recipe.train_images is None:
        return None
    most = DATASETS[recipe.dataset].train_images
    offered = HYPERPARAMETERS["train_images"].options
    more = [int(count) for count in offered if recipe.train_images * 5 <= count < most]
    if more:
        return Remedy(f"{more[0]:,} training images", {"train_images": more[0]})
    return Remedy("all training images", {"train_images": None})


def _less_dropout(recipe: Recipe) -> Remedy | None:
    if max(recipe.dropout, recipe.conv_dropout) < 0.3:
        return None
    changes = {"dropout": min(0.2, recipe.dropout), "conv_dropout": min(0.2, recipe.conv_dropout)}
    return Remedy("dropout 0.2 at most", changes)


def _less_augmentation(recipe: Recipe) -> Remedy | None:
    strong = {"shift": 2.0, "rotation": 15.0, "zoom": 0.2, "elastic": 2.0, "shear": 15.0}
    changes = {name: most for name, most in strong.items() if getattr(recipe, name) > most}
    return Remedy("less augmentation", changes) if changes else None


def _flatten(recipe: Recipe) -> Remedy | None:
    """Keep where a feature was seen."""
    return Remedy("flatten", {"head": "flatten"}) if recipe.head != "flatten" else None


def _larger(recipe: Recipe) -> Remedy | None:
    """A network of usual size instead of a smaller one."""
    sizes = [*recipe.dense, *(block.filters for block in recipe.conv)]
    if len(recipe.conv) > 1 and min(sizes) >= 32:
        return None
    return Remedy("conv 32–64, dense 64", {"conv": (Conv(32), Conv(64)), "dense": (64,)})
