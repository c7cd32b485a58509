"""A recipe: all the hyperparameters that distinguish one training run from another.

``Recipe`` is also the table of hyperparameters: each field says its range, control and help, from
which checks, controls, links, options and words follow (see ``hyperparameters``).
"""

import dataclasses
import json
import re
from dataclasses import dataclass
from typing import Any

from digits.data.datasets import DATASETS, FOLDS, Split
from digits.recipes.hyperparameters import (
    Hyperparameter,
    check_number,
    hyperparameter,
    hyperparameters,
)

ORIGINS = ("finetune", "fork")  # fields that most recipes leave out
RUN_ID = r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}"  # such as 20260131-093000-4f2a1c
VERSION = 2  # of the JSON form; raise it when a field is renamed or changes its meaning

VALIDATION = ("by-seed", *(f"fold-{fold}" for fold in range(1, FOLDS + 1)))
FILTERS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
LEARNING_RATES = tuple(float(f"{digit}e{power}") for power in range(-5, 1) for digit in (1, 2, 5))


@dataclass(frozen=True)
class Conv:
    """One convolution block: Conv2D, then 2×2 max pooling where ``pool`` is set."""

    filters: int = hyperparameter(
        32,
        "Filters",
        "How many small patterns the convolution looks for at every place of its input. With more "
        "it finds finer differences, and an epoch takes longer.",
        "network",
        allowed=(1, 1024),
        options=FILTERS,
    )
    kernel_size: int = hyperparameter(
        3,
        "Kernel size",
        "Width and height of the patch of its input that a filter looks at, in pixels. A larger "
        "kernel sees more of a stroke at once, has more weights to learn, and leaves a smaller "
        "image to the next block.",
        "network",
        allowed=(1, 28),
        slider=(1, 11, 1),
    )
    pool: bool = hyperparameter(
        True,
        "Pooling",
        "Halves width and height by keeping the largest of each 2×2 values. The blocks after it "
        "have a quarter of the places to compute, and the network is less sensitive to where "
        "exactly a stroke is.",
        "network",
    )

    def __str__(self) -> str:
        return f"{self.filters} {self.kernel_size}×{self.kernel_size}{' pool' * self.pool}"


def parse_conv(text: str) -> tuple[Conv, ...]:
    """Convolution blocks from text: "32x5p,64x3" is 32 filters of 5×5 with pooling, then 64 of 3×3.

    Raises ``ValueError`` for other text; "" is no block.
    """
    blocks = [re.fullmatch(r"(\d+)x(\d+)(p?)", block) for block in text.split(",") if text]
    if not all(blocks):
        raise ValueError(f"{text!r} is not like 32x5p,64x3.")
    return tuple(Conv(int(block[1]), int(block[2]), bool(block[3])) for block in blocks if block)


def parse_dense(text: str) -> tuple[int, ...]:
    """The units of dense layers from text such as "64,32"; "" is no layer."""
    return tuple(int(units) for units in text.split(",") if text)


def parse_runs(text: str) -> tuple[str, ...]:
    """Ids of runs, from text in which commas part them; "" is no run."""
    return tuple(id.strip() for id in text.split(",") if id)


@dataclass(frozen=True)
class Finetuning:
    """Fine-tuning of another run's model on people's drawings.

    ``base_run`` is that run's id. The model learns ``train_share`` of the drawings, which ones by
    ``seed``; the others are held out. An epoch has each drawing ``repeats`` times, and ``replay``
    training images of the recipe's data set, so that the model does not forget these.
    """

    base_run: str
    train_share: float = 0.5
    seed: int = 0
    repeats: int = 10
    replay: int = 2_000


@dataclass(frozen=True)
class Fork:
    """Training that goes on from the weights of another run.

    ``parent_run`` is that run's id, ``epoch`` the one after which its weights are taken.
    ``epochs_before`` counts all that these weights were trained for, also by the parent's parents,
    so that the fork goes on with the images and the augmentation of the epochs that follow.
    """

    parent_run: str
    epoch: int
    epochs_before: int


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of one run. Raises ``ValueError`` when a value is out of its range."""

    dataset: str = hyperparameter(
        "mnist",
        "Data set",
        "Which digits the network is trained and tested on. Compare accuracies only on the same "
        "set, because some sets are harder to read than others.",
        "data",
        choices={name: name for name in DATASETS},
        words="{}",
        always=True,
    )
    train_images: int | None = hyperparameter(
        None,  # all that the training split has
        "Training images",
        "How many of the training images are used. With more, validation accuracy comes closer to "
        "training accuracy, because the network can no longer learn them all by heart (overfit).",
        "data",
        allowed=(10, 60_000),
        options=(500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000),
        words="{:,} images",
        empty="All",
    )
    synthetic: int = hyperparameter(
        0,
        "Synthetic digits",
        "Digits generated from pen strokes, in variants that MNIST has few of, such as slashed "
        "zeros and barred sevens, added to the training images. With more, drawings in these "
        "variants are recognized more often.",
        "data",
        allowed=(0, 60_000),
        options=(0, 1_000, 3_000, 6_000, 12_000, 24_000),
        words="{:,} synthetic",
    )

    conv: tuple[Conv, ...] = hyperparameter(
        (Conv(32), Conv(64)),
        "Convolution blocks",
        "How many convolutions follow each other; each slides its filters, small patterns that it "
        "learns, over its input. With more, the network combines strokes into larger shapes, and "
        "an epoch takes longer.",
        "network",
        allowed=(0, 8),
        slider=(0, 6, 1),
        words="conv {}",
        always=True,
        empty="no convolution",
        parts=hyperparameters(Conv),
        block=Conv,
        parse=parse_conv,
    )
    batch_norm: bool = hyperparameter(
        False,
        "Batch normalization",
        "Shifts and scales the output of each filter, batch by batch, to a common mean and spread. "
        "The loss falls faster, and higher learning rates stay stable.",
        "network",
        words="batch norm",
    )
    conv_dropout: float = hyperparameter(
        0.0,
        "Dropout after convolutions",
        "The share of the last convolution's values that are set to zero, at random, in each "
        "training step, so that the network relies on none of them alone. More narrows the gap "
        "between training and validation accuracy and slows learning.",
        "network",
        allowed=(0.0, 0.9),
        slider=(0.0, 0.9, 0.05),
        format="percent",
        words="conv dropout {:g}",
    )
    head: str = hyperparameter(
        "flatten",
        "After the last block",
        "How the last block's maps, one per filter, become one list of numbers. Flatten keeps "
        "every value, so also where a pattern was seen; global average and maximum keep one number "
        "per map, and leave far fewer weights to learn.",
        "network",
        choices={
            "flatten": "Flatten",
            "global-average": "Global average",
            "global-max": "Global maximum",
        },
        words="{}",
    )
    activation: str = hyperparameter(
        "relu",
        "Activation",
        "The function that each layer applies to its values; without one, all layers together "
        "could do no more than a single one. ReLU, ELU, GELU, SiLU and tanh train alike; with "
        "sigmoid the first epochs are far slower.",
        "network",
        choices={
            "relu": "ReLU",
            "elu": "ELU",
            "gelu": "GELU",
            "silu": "SiLU",
            "tanh": "tanh",
            "sigmoid": "Sigmoid",
        },
        words="{}",
    )
    dense: tuple[int, ...] = hyperparameter(
        (64,),
        "Dense layers before the output",
        "How many layers combine what the convolutions found; each of their units is connected to "
        "all values before it. After Flatten they hold most of the parameters, and with more of "
        "them the network learns its training images by heart (overfits) sooner.",
        "network",
        allowed=(0, 8),
        slider=(0, 3, 1),
        words="dense {}",
        always=True,
        parts={
            "units": Hyperparameter(
                64,
                "Units",
                "How many values the dense layer computes. With more, the network fits the "
                "training images more closely and has more parameters.",
                "network",
                allowed=(1, 4096),
                options=(16, 32, 64, 128, 256, 512),
            )
        },
        block=int,
        parse=parse_dense,
    )
    dropout: float = hyperparameter(
        0.0,
        "Dropout before output",
        "The share of values before the output layer that are set to zero, at random, in each "
        "training step, so that the network relies on none of them alone. More narrows the gap "
        "between training and validation accuracy and slows learning.",
        "network",
        allowed=(0.0, 0.9),
        slider=(0.0, 0.9, 0.05),
        format="percent",
        words="dropout {:g}",
    )

    optimizer: str = hyperparameter(
        "adam",
        "Optimizer",
        "The rule that turns the error of a batch into a change of the weights. Adam, AdamW, Nadam "
        "and RMSprop learn well at a learning rate near 0.001; SGD and Adadelta need far higher "
        "rates.",
        "training",
        choices={
            "adam": "Adam",
            "adamw": "AdamW",
            "sgd": "SGD with momentum 0.9",
            "rmsprop": "RMSprop",
            "nadam": "Nadam",
            "adadelta": "Adadelta",
        },
        words="{}",
        always=True,
    )
    schedule: str = hyperparameter(
        "constant",
        "Learning rate schedule",
        "How the learning rate changes during the run. Cosine and one-cycle end near zero, which "
        "calms the last epochs and allows a higher peak; at a low peak, a short run learns less.",
        "training",
        choices={"constant": "Constant", "cosine": "Cosine", "one-cycle": "One-cycle"},
        words="{}",
        always=True,
    )
    restarts: bool = hyperparameter(
        False,
        "Warm restarts",
        "Runs through the schedule anew after 1, 3, 9, 27 … epochs, so that the learning rate is "
        "low there. The accuracy after these epochs then tells which recipe is better, and the end "
        "of the run has fewer steps.",
        "training",
        words="restarts",
    )
    learning_rate: float = hyperparameter(
        0.001,
        "Learning rate (peak)",
        "How far each training step changes the weights; where a schedule varies it, this is the "
        "peak. A higher rate learns faster, but one that is too high makes the loss jump and never "
        "come down.",
        "training",
        allowed=(1e-6, 100.0),
        options=LEARNING_RATES,
        words="lr {:g}",
        always=True,
    )
    batch_size: int = hyperparameter(
        128,
        "Batch size",
        "How many images the network sees before each change of its weights. With larger batches "
        "an epoch is faster and the curve smoother, but it has fewer steps to learn in.",
        "training",
        allowed=(1, 4096),
        options=(16, 32, 64, 128, 256, 512),
        words="batch {}",
        always=True,
    )
    epochs: int = hyperparameter(
        5,
        "Epochs",
        "How often the network sees every training image. More epochs raise the accuracy until "
        "validation stops improving; from then on the network learns the images by heart "
        "(overfits).",
        "training",
        allowed=(1, 1000),
        slider=(1, 50, 1),
    )
    patience: int = hyperparameter(
        0,  # no early stopping
        "Early stopping: patience",
        "Training stops when the validation loss has not improved for this many epochs, and the "
        "best weights are kept; 0 trains all epochs. Higher values wait longer, for "
        "runs that improve only now and then.",
        "training",
        allowed=(0, 1000),
        slider=(0, 10, 1),
        format="%d epochs",
        words="patience {}",
    )
    loss: str = hyperparameter(
        "sparse_categorical_crossentropy",
        "Loss",
        "The number that training makes small: cross-entropy, which is low when the right digit "
        "gets a high probability. Integer labels and one-hot labels, ten numbers with a single 1, "
        "give the same curve; only one-hot labels can be smoothed.",
        "training",
        choices={
            "sparse_categorical_crossentropy": "Cross-entropy, integer labels",
            "categorical_crossentropy": "Cross-entropy, one-hot labels",
        },
    )
    label_smoothing: float = hyperparameter(
        0.0,
        "Label smoothing",
        "The share of each one-hot label (see Loss) that is spread over all ten digits, so that "
        "training aims at a probability below 100%. More makes the model less confident and keeps "
        "the loss from falling to 0.",
        "training",
        allowed=(0.0, 0.5),
        slider=(0.0, 0.3, 0.05),
        words="smoothing {:g}",
        needs=("loss", "categorical_crossentropy"),
    )
    distillation: float = hyperparameter(
        0.0,
        "Distillation",
        "The share of the loss that compares with the probabilities of another model, the "
        "teacher, and not with the labels. A small network learns more from a high share: the "
        "teacher also tells how much a 7 looks like a 1.",
        "training",
        allowed=(0.0, 1.0),
        slider=(0.0, 1.0, 0.1),
        format="percent",
        words="distillation {:g}",
    )
    teachers: tuple[str, ...] = hyperparameter(
        (),
        "Teachers",
        "Runs whose models are the teacher in distillation, by the mean of their probabilities; "
        "without any it is the shipped model. A better teacher has more to tell, and each one "
        "makes an epoch longer.",
        "training",
        allowed=(0, 8),
        words="teacher: {}",
        empty="shipped model",
        parse=parse_runs,
        pattern=RUN_ID,
        noun="run",
    )
    precision: str = hyperparameter(
        "auto",
        "Precision",
        "How many bits each number has in training: 32, or 16 (bfloat16); Auto takes 16 where the "
        "processor is made for it. There bfloat16 is up to one and a half times as fast, and a "
        "network without batch normalization may read a little less well; elsewhere it is slower.",
        "training",
        choices={"auto": "Auto", "float32": "float32", "bfloat16": "bfloat16"},
        words="{}",
    )
    seed: int = hyperparameter(
        0,
        "Seed",
        "The start of the random numbers that decide the first weights, the order of the images "
        "and which of them are for validation. Another seed shows how much of a difference between "
        "two runs is chance.",
        "data",
        allowed=(0, 2**31 - 1),
        box=(0, 9999),
        words="seed {}",
    )
    validation: str = hyperparameter(
        "by-seed",
        "Validation images",
        "Which tenth of the training images is for validation: one that the seed draws, or one of "
        "ten fixed folds. Runs of the same fold are compared on the same images, and the mean over "
        "all ten folds (cross-validation) does not depend on which images these happen to be.",
        "data",
        choices={name: name.replace("-", " ").capitalize() for name in VALIDATION},
        words="{}",
    )

    # Each is the most by which a training image is changed, either way, anew in each step.
    shift: float = hyperparameter(
        0.0,
        "Shift (pixels)",
        "Moves each training image by at most this many pixels in each direction, anew in each "
        "epoch. More makes the model indifferent to where a digit stands.",
        "augmentation",
        allowed=(0.0, 10.0),
        slider=(0.0, 6.0, 0.5),
        words="shift {:g}",
    )
    rotation: float = hyperparameter(
        0.0,
        "Rotation (degrees)",
        "Turns each training image by at most this many degrees, either way. More makes the model "
        "robust to tilted digits; beyond what people write it only makes learning harder.",
        "augmentation",
        allowed=(0.0, 180.0),
        slider=(0.0, 45.0, 1.0),
        words="rotation {:g}",
    )
    zoom: float = hyperparameter(
        0.0,
        "Zoom",
        "Enlarges or shrinks each training image by up to this share. More makes the model "
        "indifferent to the size of a digit.",
        "augmentation",
        allowed=(0.0, 0.9),
        slider=(0.0, 0.5, 0.05),
        format="percent",
        words="zoom {:g}",
    )
    elastic: float = hyperparameter(
        0.0,
        "Elastic distortion (pixels)",
        "Bends each training image smoothly, moving its points by at most this many pixels. A "
        "little imitates other handwriting; much makes digits unreadable and lowers the accuracy.",
        "augmentation",
        allowed=(0.0, 10.0),
        slider=(0.0, 4.0, 0.5),
        words="elastic {:g}",
    )
    shear: float = hyperparameter(
        0.0,
        "Shear (degrees)",
        "Slants each training image by at most this many degrees, either way. More makes the model "
        "robust to italic and to backward-leaning handwriting.",
        "augmentation",
        allowed=(0.0, 60.0),
        slider=(0.0, 30.0, 1.0),
        words="shear {:g}",
    )
    stretch: float = hyperparameter(
        0.0,
        "Stretch",
        "Makes each training image wider or narrower by up to this share. More makes the model "
        "robust to broad and to narrow digits.",
        "augmentation",
        allowed=(0.0, 0.9),
        slider=(0.0, 0.5, 0.05),
        format="percent",
        words="stretch {:g}",
    )
    stroke_width: float = hyperparameter(
        0.0,
        "Stroke width (pixels)",
        "Makes the lines of each training image wider or thinner on either side, by at most this "
        "many pixels. More makes the model robust to broad and to fine pens.",
        "augmentation",
        allowed=(0.0, 1.0),
        slider=(0.0, 1.0, 0.1),
        words="stroke width {:g}",
    )

    # Without these, training starts from random weights.
    finetune: Finetuning | None = None
    fork: Fork | None = None

    def __post_init__(self) -> None:
        """Refuse what no recipe may hold, wherever it came from: a link, a file, a command."""
        for name, described in HYPERPARAMETERS.items():
            described.check(name, getattr(self, name))
            if described.needs and getattr(self, name) != described.default:
                other, value = described.needs
                if getattr(self, other) != value:
                    raise ValueError(f"{name} has an effect only where {other} is {value}.")
        if self.finetune:
            if not isinstance(self.finetune.base_run, str):
                raise ValueError(f"base_run is {self.finetune.base_run!r:.80}; it is a run's id.")
            for name, allowed in (
                ("train_share", (0.01, 0.99)),
                ("seed", (0, 2**31 - 1)),
                ("repeats", (1, 1000)),
                ("replay", (0, 60_000)),
            ):
                check_number(f"{name} of the fine-tuning", getattr(self.finetune, name), allowed)

        if self.fork:
            if not isinstance(self.fork.parent_run, str):
                raise ValueError(f"parent_run is {self.fork.parent_run!r:.80}; it is a run's id.")
            check_number("epoch of the fork", self.fork.epoch, (1, 1000))
            check_number("epochs_before of the fork", self.fork.epochs_before, (1, 10**6))

    @property
    def augments(self) -> bool:
        """Whether training images are changed at all."""
        return any(getattr(self, name) for name in AUGMENTATIONS)

    @property
    def split(self) -> Split:
        """Which images are for validation: equal for recipes that have the same ones."""
        fold = VALIDATION.index(self.validation)
        return Split(fold=fold) if fold else Split(self.seed)

    def to_json(self) -> str:
        fields = {"version": VERSION} | dataclasses.asdict(self)
        fields = {name: value for name, value in fields.items() if name not in ORIGINS or value}
        return json.dumps(fields, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read a recipe back. Raises ``ValueError`` when the text does not hold one."""
        try:
            fields: dict[str, Any] = json.loads(text)
            if (version := fields.pop("version", None)) != VERSION:
                raise ValueError(
                    "This recipe was written by another version of the app, or it is not a recipe: "
                    f"its format is {version}, and this version reads {VERSION}."
                )
            fields["conv"] = tuple(Conv(**block) for block in fields["conv"])
            fields["dense"] = tuple(fields["dense"])
            fields["teachers"] = tuple(fields.get("teachers", ()))
            if finetuning := fields.get("finetune"):
                fields["finetune"] = Finetuning(**finetuning)
            if fork := fields.get("fork"):
                fields["fork"] = Fork(**fork)
            return cls(**fields)
        except (
            json.JSONDecodeError,
            AttributeError,
            KeyError,
            OverflowError,
            RecursionError,
            TypeError,
        ) as error:
            raise ValueError(f"This is not a recipe: {error}.") from error

    def __str__(self) -> str:
        """The recipe in words, for a list of runs: what is not at its default."""
        words = [
            described.in_words(getattr(self, name)) for name, described in HYPERPARAMETERS.items()
        ]
        words.append("fine-tuned on drawings" if self.finetune else "")
        words.append("forked" if self.fork else "")
        return " · ".join(word for word in words if word)


HYPERPARAMETERS = hyperparameters(Recipe)
# First in the controls and in the names of runs.
OFTEN_TUNED = ("learning_rate", "epochs", "batch_size", "train_images", "dropout")
AUGMENTATIONS = tuple(
    name for name, described in HYPERPARAMETERS.items() if described.group == "augmentation"
)
