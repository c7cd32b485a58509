"""What the app knows of one hyperparameter, and what follows from it wherever recipes are handled.

``recipe.py`` attaches a ``Hyperparameter`` to each field of ``Recipe``. The checks of a recipe, its
controls and links, the command line's options and a recipe in words read it from there.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

GROUPS = ("network", "training", "data", "augmentation")


@dataclass(frozen=True)
class Hyperparameter:
    """One field of a recipe.

    ``help`` is two sentences: what it is, and what you see when you raise or change it.
    A number has the range ``allowed`` for every recipe, whole numbers where its ends are whole; a
    word has ``choices``, each with the name that its control shows; what has neither is a switch.
    The control of a number is a ``slider`` (low, high, step), with ``format`` as Streamlit has it,
    a list of ``options``, or a ``box`` (low, high) to type into.

    A field that is a tuple has ``parts``: the hyperparameters of each of its blocks, which
    ``block`` makes from their values; or its items are words of a ``pattern``, and ``noun`` says
    what one of them is. What else is said is about the number of blocks or items.
    """

    default: Any
    label: str
    help: str
    group: str
    allowed: tuple[float, float] | None = None
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    slider: tuple[float, float, float] | None = None
    options: tuple[float, ...] = ()
    box: tuple[int, int] | None = None
    format: str | None = None
    words: str = ""  # template of the recipe in words; "" leaves it out
    always: bool = False  # in words even at its default
    empty: str = ""  # what nothing of it is called: None, 0 or no block
    needs: tuple[str, Any] | None = None  # another field's value, without which it has no effect
    parts: Mapping[str, "Hyperparameter"] = dataclasses.field(default_factory=dict)
    block: Callable[..., Any] | None = None
    parse: Callable[[str], Any] | None = None  # of the command line's text, where not ``kind``
    pattern: str = ""
    noun: str = ""

    @property
    def kind(self) -> type:
        """The type of a value: bool, int, float, str or tuple."""
        if self.default is None and self.allowed:
            return type(self.allowed[0])
        return type(self.default)

    def check(self, name: str, value: Any) -> None:
        """Raise ``ValueError``, naming the field, for what no recipe may hold."""
        if self.parts:
            if not isinstance(value, tuple):
                raise ValueError(f"{name} is {value!r:.80}; it must be a tuple.")
            check_number(f"Number of {name} blocks", len(value), self.allowed)
            for number, item in enumerate(value, 1):
                for part, part_value in self.part_values(item).items():
                    described = self.parts[part]
                    described.check(f"{described.label} of {name} {number}", part_value)
        elif self.pattern:
            if not isinstance(value, tuple) or not all(map(self._matches, value)):
                raise ValueError(f"{name} is {value!r:.80}; each must be a {self.noun}'s id.")
            if len({*value}) < len(value):
                raise ValueError(f"{name} is {value!r:.80}; no {self.noun} counts twice.")
            check_number(f"Number of {name}", len(value), self.allowed)
        elif self.choices:
            if value not in self.choices:
                raise ValueError(
                    f"{name} is {value!r:.80}; it can be one of {', '.join(self.choices)}."
                )
        elif self.allowed:
            if value is not None or self.default is not None:
                check_number(name, value, self.allowed)
        elif not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r:.80}; it must be true or false.")

    def _matches(self, item: Any) -> bool:
        return isinstance(item, str) and bool(re.fullmatch(self.pattern, item))

    def part_values(self, item: Any) -> dict[str, Any]:
        """The values of the parts of one block, by name."""
        if len(self.parts) == 1:
            return dict.fromkeys(self.parts, item)
        return {part: getattr(item, part) for part in self.parts}

    def display(self, value: Any) -> str:
        """A value as the control, and so the link, has it."""
        if self.empty and not value:
            return self.empty
        if self.choices:
            return self.choices[value]
        if self.kind is bool:
            return str(value).lower()
        if self.pattern:
            return f"{len(value)} {self.noun}{'s' * (len(value) > 1)}"
        return f"{value:g}" if self.kind is float else f"{value:,}"

    def in_words(self, value: Any) -> str:
        """The value as part of a recipe in words, "" where it goes without saying."""
        if not self.words or (value == self.default and not self.always):
            return ""
        if not value:
            return self.empty
        if self.pattern:
            return self.words.format(self.display(value))
        items = value if self.parts else (value,)
        return " – ".join(self.words.format(item) for item in items)


def hyperparameter(default: Any, label: str, help: str, group: str, **more: Any) -> Any:
    """A dataclass field with its description, a ``Hyperparameter``."""
    described = Hyperparameter(default, label, help, group, **more)
    return dataclasses.field(default=default, metadata={"hyperparameter": described})


def hyperparameters(described: type) -> dict[str, Hyperparameter]:
    """The descriptions of a dataclass's fields, by name, in their order."""
    return {
        field.name: field.metadata["hyperparameter"]
        for field in dataclasses.fields(described)
        if "hyperparameter" in field.metadata
    }


def check_number(name: str, value: Any, allowed: tuple[float, float] | None) -> None:
    """Raise ``ValueError`` for what is no number, or not within ``allowed``, both ends included."""
    low, high = allowed or (0, 0)
    wants = int if isinstance(low, int) and isinstance(high, int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, wants):
        raise ValueError(f"{name} is {value!r:.80}; it must be a number.")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value!r:.80}; it can be {low:g} to {high:g}.")
