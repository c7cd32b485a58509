"""A recipe: all the hyperparameters that distinguish one training run from another."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "nadam", "adadelta")
SCHEDULES = ("constant", "cosine", "one-cycle")
LOSSES = ("sparse_categorical_crossentropy", "categorical_crossentropy")
HEADS = ("flatten", "global-average", "global-max")
ACTIVATIONS = ("relu", "elu", "gelu", "silu", "tanh", "sigmoid")
AUGMENTATIONS = ("shift", "rotation", "zoom", "shear", "stretch", "stroke_width", "elastic")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Conv:
    """One convolution block: Conv2D, then 2×2 max pooling where ``pool`` is set."""

    filters: int = 32
    kernel_size: int = 3
    pool: bool = True


@dataclass(frozen=True)
class Finetuning:
    """People's drawings, taught to a network that another run has trained.

    ``start_from`` is that run's id. ``share`` of the drawings is learned, which ones by ``seed``,
    each ``repeats`` times an epoch, among ``replay`` training images of the recipe's data set, so
    that the network does not forget these. All are kept in the run's folder.
    """

    base_run: str
    share: float = 0.5
    seed: int = 0
    repeats: int = 10
    replay: int = 2_000


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of one run. Raises ``ValueError`` when a value is out of its range.

    ``learning_rate`` is the peak of the schedule; ``patience`` is in epochs, 0 for no early
    stopping; ``shift``, ``elastic`` and ``stroke_width`` are in pixels, ``rotation``, ``shear`` in
    degrees, ``zoom`` and ``stretch`` fractions, each the most by which a training image is changed,
    either way. ``written`` digits, drawn from strokes in forms that the data set may lack, are
    mixed with the training images.
    """

    dataset: str = "mnist"
    train_images: int | None = None  # None: all that the training split has
    conv: tuple[Conv, ...] = (Conv(32), Conv(64))
    batch_norm: bool = False
    conv_dropout: float = 0.0  # after the last convolution block
    head: str = "flatten"  # what makes a vector of the last convolution's channels
    dense: tuple[int, ...] = (64,)
    dropout: float = 0.0  # before the output layer
    activation: str = "relu"
    optimizer: str = "adam"
    learning_rate: float = 0.001
    schedule: str = "constant"
    loss: str = "sparse_categorical_crossentropy"
    label_smoothing: float = 0.0
    batch_size: int = 128
    epochs: int = 5
    patience: int = 0
    shift: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0
    elastic: float = 0.0
    shear: float = 0.0
    stretch: float = 0.0
    stroke_width: float = 0.0
    synthetic: int = 0
    precision: str = "auto"
    seed: int = 0
    finetune: Finetuning | None = None  # None: the network starts from nothing

    def __post_init__(self) -> None:
        """Refuse what no slider offers, wherever it came from: a link, a file, a command."""
        for name, choices in (
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("loss", LOSSES),
            ("head", HEADS),
            ("activation", ACTIVATIONS),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; it can be one of {', '.join(choices)}."
                )
        for name, low, high in (
            ("train_images", 10, 60_000),
            ("conv_dropout", 0, 0.9),
            ("dropout", 0, 0.9),
            ("learning_rate", 1e-6, 100),
            ("label_smoothing", 0, 0.5),
            ("batch_size", 1, 4096),
            ("epochs", 1, 1000),
            ("patience", 0, 1000),
            ("shift", 0, 10),
            ("rotation", 0, 180),
            ("zoom", 0, 0.9),
            ("elastic", 0, 10),
            ("shear", 0, 60),
            ("stretch", 0, 0.9),
            ("stroke_width", 0, 1),
            ("synthetic", 0, 60_000),
            ("seed", 0, 2**31 - 1),
        ):
            _check(name, getattr(self, name), low, high)
        if len(self.conv) > 8 or len(self.dense) > 8:
            raise ValueError("A recipe holds at most 8 convolution blocks and 8 dense layers.")
        for number, block in enumerate(self.conv, 1):
            _check(f"filters of block {number}", block.filters, 1, 1024)
            _check(f"kernel size of block {number}", block.kernel_size, 1, 28)
        for number, units in enumerate(self.dense, 1):
            _check(f"units of dense layer {number}", units, 1, 4096)
        if self.label_smoothing and self.loss != "categorical_crossentropy":
            raise ValueError("Label smoothing needs one-hot targets: categorical_crossentropy.")
        if self.finetune:
            if not isinstance(self.finetune.base_run, str):
                raise ValueError(f"base_run is {self.finetune.base_run!r}; it is a run's id.")
            for name, low, high in (
                ("share", 0.01, 0.99),
                ("seed", 0, 2**31 - 1),
                ("repeats", 1, 1000),
                ("replay", 0, 60_000),
            ):
                _check(f"{name} of the lesson", getattr(self.finetune, name), low, high)

    @property
    def augments(self) -> bool:
        """Whether training images are changed at all."""
        return any(getattr(self, name) for name in AUGMENTATIONS)

    def to_json(self) -> str:
        fields = dataclasses.asdict(self)
        if not self.finetune:
            del fields["finetune"]
        return json.dumps(fields, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read a recipe back. Raises ``ValueError`` when the text does not hold one."""
        try:
            fields: dict[str, Any] = json.loads(text)
            fields["conv"] = tuple(Conv(**block) for block in fields["conv"])
            fields["dense"] = tuple(fields["dense"])
            if lesson := fields.get("finetune"):
                fields["finetune"] = Finetuning(**lesson)
            return cls(**fields)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"This is not a recipe: {error}.") from error

    def __str__(self) -> str:
        """The recipe in words, for a list of runs."""
        blocks = " – ".join(
            f"{block.filters} {block.kernel_size}×{block.kernel_size}{' pool' * block.pool}"
            for block in self.conv
        )
        dense = "".join(f" – dense {units}" for units in self.dense)
        network = f"conv {blocks}{dense}" if blocks else f"no convolution{dense}"
        extras = [
            word
            for word, there in (
                ("batch norm", self.batch_norm),
                (self.head.replace("-", " "), self.head != "flatten"),
                (
                    f"dropout {max(self.conv_dropout, self.dropout):g}",
                    self.dropout or self.conv_dropout,
                ),
                (f"smoothing {self.label_smoothing:g}", self.label_smoothing),
                ("augmented", self.augments),
                (f"{self.synthetic:,} written", self.synthetic),
                ("taught drawings", self.finetune),
            )
            if there
        ]
        images = f"{self.dataset}" + (f" ({self.train_images:,})" if self.train_images else "")
        rate = f"{self.optimizer} {self.learning_rate:g} {self.schedule}"
        return " · ".join([images, network, *extras, rate, f"batch {self.batch_size}"])


def _check(name: str, value: Any, low: float, high: float) -> None:
    if value is None and name == "train_images":
        return
    wants = int if isinstance(low, int) and isinstance(high, int) and high >= 1000 else (int, float)
    if isinstance(value, bool) or not isinstance(value, wants):
        raise ValueError(f"{name} is {value!r}; it must be a number.")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value:g}; it can be {low:g} to {high:g}.")
