"""What distinguishes a recipe from another one, in a few words: names of runs, and their links."""

import dataclasses
from typing import Any

from digits.recipes.hyperparameters import Hyperparameter
from digits.recipes.presets import PRESETS, for_available_data
from digits.recipes.recipe import HYPERPARAMETERS, OFTEN_TUNED, Conv, Recipe

START = "fast"  # the preset of a first visit: the first press of Train soon shows a result
NAMED = 3  # differences that a name tells one by one


def differences(recipe: Recipe, base: Recipe) -> dict[str, tuple[Any, Any]]:
    """Each hyperparameter that is not the same: its value in ``recipe`` and that in ``base``."""
    pairs = {name: (getattr(recipe, name), getattr(base, name)) for name in HYPERPARAMETERS}
    return {name: (new, old) for name, (new, old) in pairs.items() if new != old}


def in_words(name: str, value: Any) -> str:
    """A hyperparameter with its value, in as few words as tell it: "lr 0.0002", "no batch norm"."""
    described = HYPERPARAMETERS[name]
    if described.kind is bool:
        return described.words if value else f"no {described.words}"
    if described.parts:
        blocks = "–".join(str(getattr(block, "filters", block)) for block in value)
        return described.words.format(blocks) if value else f"no {name}"
    if value is None:
        return f"{described.empty} {described.label}".lower()
    if described.pattern:
        return described.words.format(described.display(value))
    if described.choices:
        return described.choices[value]
    if described.words:
        return described.words.format(value)
    noun = described.label.lower()
    return f"{value:,} {noun.removesuffix('s') if value == 1 else noun}"


def default_name(recipe: Recipe, preset: str = "", before: Recipe | None = None) -> str:
    """What a run of the recipe is called: its preset, and what differs from that, if anything.

    Without a preset it is the one from which the fewest hyperparameters differ. What differs from
    the recipe ``before`` is named first, so that runs that are compared have different names; where
    there is more than a name holds, this includes what is again as the preset has it.
    """
    preset = preset or closest_preset(recipe)
    changed = differences(recipe, for_available_data(preset))
    since = differences(recipe, before) if before else {}
    pairs = changed | since if len(changed) > NAMED else changed
    named = sorted(pairs, key=lambda name: (name not in since, _rank(name)))[:NAMED]
    words = [in_words_beside(name, *(since.get(name) or changed[name])) for name in named]
    left = len(changed.keys() - named)
    return " · ".join([PRESETS[preset].title, *words, *[f"{left} more"] * (left > 0)])


def _rank(name: str) -> tuple[int, bool, bool]:
    """Sorts hyperparameters by how often people tune them; network and data set come last."""
    often = OFTEN_TUNED.index(name) if name in OFTEN_TUNED else len(OFTEN_TUNED)
    return often, name == "dataset", HYPERPARAMETERS[name].group == "network"


def in_words_beside(name: str, value: Any, other: Any) -> str:
    """A value in words, with kernels and pooling where the blocks of ``other`` differ so alone."""
    words = in_words(name, value)
    if words == in_words(name, other) and HYPERPARAMETERS[name].parts:
        return HYPERPARAMETERS[name].words.format(to_text(value))
    return words


def closest_preset(recipe: Recipe) -> str:
    """The name of the preset from which the fewest hyperparameters differ."""
    return min(PRESETS, key=lambda name: len(differences(recipe, for_available_data(name))))


def to_link(recipe: Recipe, preset: str) -> str:
    """A recipe as one parameter of a link: "fast;learning_rate=0.0002;conv=32x5p,64x3"."""
    changed = differences(recipe, PRESETS[preset].recipe)
    return ";".join([preset, *(f"{name}={to_text(new)}" for name, (new, _) in changed.items())])


def from_link(text: str) -> tuple[Recipe, str, list[str]]:
    """The recipe of a link, its preset, and what it asks for and cannot have, with the reason.

    What cannot be had stays as the preset has it; nothing is raised.
    """
    preset, *parts = text.split(";")
    ignored = []
    if preset not in PRESETS:
        ignored.append(f"“{preset:.40}” is no preset")
        preset = START
    recipe = for_available_data(preset)
    for part in parts:
        name, _, value = part.partition("=")
        if name not in HYPERPARAMETERS:
            ignored.append(f"“{part:.40}” is no hyperparameter")
            continue
        try:
            new = from_text(HYPERPARAMETERS[name], value)
            recipe = dataclasses.replace(recipe, **{name: new})
        except (ValueError, OverflowError) as error:
            ignored.append(str(error).rstrip("."))
    return recipe, preset, ignored


def to_text(value: Any) -> str:
    """A hyperparameter's value as links and the command line have it: "32x5p,64x3", "0.001"."""
    if isinstance(value, tuple):
        return ",".join(map(_block, value))
    return "all" if value is None else str(value).lower()


def _block(block: Conv | int) -> str:
    if isinstance(block, Conv):
        return f"{block.filters}x{block.kernel_size}{'p' * block.pool}"
    return str(block)


def from_text(described: Hyperparameter, text: str) -> Any:
    """The inverse of ``to_text``. Raises ``ValueError`` for text that is no such value."""
    if described.kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"“{text:.40}” is neither true nor false")
        return text == "true"
    if described.default is None and text == "all":
        return None
    try:
        return (described.parse or described.kind)(text)
    except ValueError as error:
        raise ValueError(f"“{text:.40}” is no value of {described.label.lower()}.") from error
