"""A search space over the hyperparameters of a recipe: ranges and lists, as text and as values."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from digits.recipes.differences import from_text, in_words, to_text
from digits.recipes.hyperparameters import Hyperparameter
from digits.recipes.layers import layers
from digits.recipes.recipe import HYPERPARAMETERS, Recipe

# What a sweep cannot search: its trials would not compare, or not pause at the same epochs, or
# their values are no list that somebody types.
FIXED = ("dataset", "epochs", "patience", "seed", "validation", "teachers")
SEARCHABLE = tuple(name for name in HYPERPARAMETERS if name not in FIXED)

GRID_STEPS = 5  # of a range in a grid, where the hyperparameter has no options of its own
MAX_GRID = 10_000
ATTEMPTS = 200  # at a random point whose network can be built
SIGNIFICANT = 3  # digits of a number that is drawn from a range

Values = dict[str, Any]  # of hyperparameters, by name


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included, spread by their logarithm where ``log``."""

    low: float
    high: float
    log: bool
    whole: bool

    def at(self, share: float) -> float:
        """The number at a share of the way from ``low`` to ``high``."""
        if self.log:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + (self.high - self.low) * share
        return self.nearest(value)

    def nearest(self, value: float) -> float:
        """The number of the range nearest to ``value`` that is short enough to read."""
        value = round(value) if self.whole else float(f"{value:.{SIGNIFICANT}g}")
        return min(self.high, max(self.low, value))

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"


@dataclass(frozen=True)
class Choices:
    """Values to choose among, in no order."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        separator = " " if isinstance(self.values[0], tuple) else ","
        return separator.join(map(to_text, self.values))


@dataclass(frozen=True)
class Space:
    """What a sweep varies: a range or a list of choices for each hyperparameter, by its name."""

    dimensions: Mapping[str, Range | Choices]

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> "Space":
        """A space of texts such as ``{"learning_rate": "1e-4..1e-1", "batch_size": "32,64"}``.

        Blocks have commas of their own, so spaces part their choices: ``"8x3p 16x3p,32x3"``. Raises
        ``ValueError`` for what is no space.
        """
        if not texts:
            raise ValueError("Nothing to search. Give a hyperparameter a range or some choices.")
        return cls({name: parse_dimension(name, text) for name, text in texts.items()})

    def texts(self) -> dict[str, str]:
        """The inverse of ``parse``."""
        return {name: str(dimension) for name, dimension in self.dimensions.items()}

    def holds(self, values: Values) -> bool:
        """Whether there is a value for each hyperparameter that it varies, of lists one of them."""
        return values.keys() == self.dimensions.keys() and all(
            isinstance(dimension, Range) or values[name] in dimension.values
            for name, dimension in self.dimensions.items()
        )

    def check(self, base: Recipe) -> None:
        """Raise ``ValueError`` when no network of this space, with all else of ``base``, fits."""
        self.draw(base, np.random.default_rng(0))

    def draw(self, base: Recipe, rng: np.random.Generator) -> Values:
        """A random point whose network can be built. Raises ``ValueError`` when there is none."""
        reason = ""
        for _ in range(ATTEMPTS):
            values = {name: _draw(dimension, rng) for name, dimension in self.dimensions.items()}
            try:
                apply(base, values)
            except ValueError as error:
                reason = str(error)
            else:
                return values
        raise ValueError(f"Nothing in this space can be built. {reason}")

    def grid(self, base: Recipe) -> list[Values]:
        """Every combination whose network can be built: of all choices, and of steps of ranges.

        Raises ``ValueError`` when they are too many.
        """
        steps = [_steps(name, dimension) for name, dimension in self.dimensions.items()]
        if (size := math.prod(map(len, steps))) > MAX_GRID:
            raise ValueError(
                f"This grid has {size:,} points, more than {MAX_GRID:,}. Search fewer "
                "hyperparameters, or choose another sampler."
            )
        return list(_buildable(base, list(self.dimensions), steps))


def parse_dimension(name: str, text: str) -> Range | Choices:
    """A range such as ``1e-4..1e-1``, or a list such as ``32,64,128``.

    Raises ``ValueError``, with a sentence that has the hyperparameter's label, for other text.
    """
    described = HYPERPARAMETERS.get(name)
    if not described:
        raise ValueError(f"“{name:.40}” is no hyperparameter.")
    if name in FIXED:
        raise ValueError(
            f"A sweep cannot vary {name}: its trials would not compare. Choose one value for all."
        )
    if ".." in text:
        return _range(described, text)
    words = text.split() if described.parts else text.replace(" ", "").split(",")
    values = tuple(dict.fromkeys(from_text(described, word) for word in words if word))
    if len(values) < 2:
        example = "a range such as 1e-4..1e-1 or a list" if described.kind is float else "a list"
        raise ValueError(
            f"{described.label}: “{text:.40}” leaves nothing to choose from. Give {example}."
        )
    for value in values:
        described.check(name if described.parts else described.label, value)
    return Choices(values)


def split(texts: Mapping[str, str]) -> tuple[Values, dict[str, str]]:
    """What all trials share, and what is to be searched: that which is a range or has a comma.

    Several layers have commas of their own, so they are searched where there is a space. Raises
    ``ValueError`` for what is no value.
    """
    searched = {}
    for name, text in texts.items():
        if ".." in text or (" " if HYPERPARAMETERS[name].kind is tuple else ",") in text.strip():
            searched[name] = text
    fixed = {name: text for name, text in texts.items() if name not in searched}
    return from_texts(fixed), searched


def suggestion(name: str) -> str:
    """A range or list to start from, in the text that ``parse_dimension`` reads."""
    described = HYPERPARAMETERS[name]
    if name == "conv":
        return "16x3p,32x3p 32x3p,64x3p 32x5p,64x3p,128x3"
    if name == "dense":
        return "64 128 128,64"
    if described.choices:
        return ",".join(described.choices)
    if described.kind is bool:
        return "false,true"
    if described.slider:
        low, high, _ = described.slider
        return f"{low:g}..{high:g}"
    if name == "learning_rate":
        return "1e-4..1e-1"
    return ",".join(map(to_text, described.options))


def apply(base: Recipe, values: Values) -> Recipe:
    """The recipe with these values, and with what they need to have an effect.

    Raises ``ValueError`` for what no recipe may hold, and where its network cannot be built.
    """
    needed = {}
    for name, value in values.items():
        described = HYPERPARAMETERS[name]
        if described.needs and value != described.default and described.needs[0] not in values:
            other, state = described.needs
            needed[other] = state
    recipe = dataclasses.replace(base, **values, **needed)
    layers(recipe)
    return recipe


def to_texts(values: Values) -> dict[str, str]:
    """Values as text, each as a link and the command line have it."""
    return {name: to_text(value) for name, value in values.items()}


def from_texts(texts: Mapping[str, str]) -> Values:
    """The inverse of ``to_texts``. Raises ``ValueError`` for what is no value."""
    values = {}
    for name, text in texts.items():
        if name not in HYPERPARAMETERS:
            raise ValueError(f"“{name:.40}” is no hyperparameter.")
        values[name] = from_text(HYPERPARAMETERS[name], text)
        HYPERPARAMETERS[name].check(name, values[name])
    return values


def describe(values: Values) -> str:
    """Values in a few words: "lr 0.003 · batch 64"."""
    return " · ".join(in_words(name, value) for name, value in values.items())


def _range(described: Hyperparameter, text: str) -> Range:
    label = described.label
    if described.choices or described.kind not in (int, float):
        raise ValueError(f"{label}: only numbers have a range. List the choices instead.")
    first, _, last = text.partition("..")
    if not (first.strip() and last.strip()):
        raise ValueError(f"{label}: the range {text:.40} needs a number at both ends.")
    low, high = (from_text(described, part.strip()) for part in (first, last))
    if low is None or high is None:
        raise ValueError(f"{label}: the range {text:.40} needs a number at both ends.")
    for end in (low, high):
        described.check(label, end)
    if low >= high:
        raise ValueError(
            f"{label}: the range {low:g}..{high:g} is upside down; write {high:g}..{low:g}."
            if low > high
            else f"{label}: the range {low:g}..{high:g} holds one number only."
        )
    return Range(low, high, _is_log(described) and low > 0, described.kind is int)


def _is_log(described: Hyperparameter) -> bool:
    """Whether the options of a hyperparameter double, or grow even faster, from one to the next."""
    options = described.options
    return bool(options) and options[0] > 0 and options[-1] >= 2 ** (len(options) - 1) * options[0]


def _draw(dimension: Range | Choices, rng: np.random.Generator) -> Any:
    if isinstance(dimension, Range):
        return dimension.at(rng.random())
    return dimension.values[rng.integers(len(dimension.values))]


def _steps(name: str, dimension: Range | Choices) -> list[Any]:
    if isinstance(dimension, Choices):
        return list(dimension.values)
    options = HYPERPARAMETERS[name].options
    inside = [option for option in options if dimension.low <= option <= dimension.high]
    if 2 <= len(inside) <= GRID_STEPS:
        return inside
    shares = np.linspace(0, 1, GRID_STEPS).tolist()
    return list(dict.fromkeys(dimension.at(share) for share in shares))


def _buildable(base: Recipe, names: list[str], steps: list[list[Any]]) -> Iterator[Values]:
    for point in itertools.product(*steps):
        values = dict(zip(names, point, strict=True))
        try:
            apply(base, values)
        except ValueError:
            continue
        yield values
