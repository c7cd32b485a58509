"""Four figures of a run: its validation, and its training or, when it has ended, its test."""

import streamlit as st

from digits.store import runs
from digits.store.run_folder import Run
from widgets.shared.format import test_interval, training_time


def figures(run: Run, before: Run | None) -> None:
    """Four figures, with the difference of the validation to the run before."""
    ends, result = run.epoch_metrics(), run.result()
    earlier = runs.summary(before).result if before else None
    name = f"vs. run {runs.summary(before).number}" if before else ""
    accuracy: float | None = None
    loss: float | None = None
    if result:
        accuracy, loss = result["val_accuracy"], result["val_loss"]
    elif len(ends["epoch"]):
        accuracy, loss = float(ends["val_accuracy"][-1]), float(ends["val_loss"][-1])
    accuracy_change: tuple[float, str] | None = None
    loss_change: tuple[float, str] | None = None
    if accuracy is not None and loss is not None and earlier:
        points = round(100 * (accuracy - earlier["val_accuracy"]), 2)
        nats = round(loss - earlier["val_loss"], 4)
        accuracy_change = points, f"{points:+.2f} points {name}"
        loss_change = nats, f"{nats:+.4f} {name}"
    with st.grid(4, min_column_width=130, gap="xsmall"):
        _metric(
            "Validation accuracy",
            _percent(accuracy),
            "after each epoch",
            accuracy_change,
            help="The share of the validation images that are classified correctly. The network "
            "does not learn from them, so this shows how well it reads digits that are new to it.",
        )
        _metric(
            "Validation loss",
            "–" if loss is None else f"{loss:.4f}",
            "cross-entropy, nats",
            loss_change,
            inverse=True,
            help="The mean of −ln p over the validation images, where p is the probability of the "
            "right digit. 0 is perfect, and guessing among ten digits gives 2.303.",
        )
        if result:
            _metric(
                "Test accuracy",
                f"{result['test_accuracy']:.2%}",
                test_interval(result),
                help=f"On {result['test_images']:,} images that took no part in training or in any "
                "choice. Choose settings by their validation accuracy and read this figure last: "
                "settings chosen by it look better than they are. Below is its 95% interval.",
            )
            speed = result["images_per_second"]
            speed_text = f"{speed:,.0f} images/s" if speed else "no whole epoch"
            _metric("Training time", training_time(result), speed_text)
        else:
            _metric(
                "Training accuracy",
                _percent(float(ends["accuracy"][-1]) if len(ends["epoch"]) else None),
                "mean of the epoch",
                help="The share of the training images that were classified correctly, each just "
                "before the network learned from it. When it leaves validation behind, the network "
                "learns these images by heart.",
            )
            _metric(
                "Training loss",
                f"{ends['loss'][-1]:.4f}" if len(ends["epoch"]) else "–",
                "mean of the epoch",
            )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _metric(
    label: str,
    value: str,
    note: str,
    change: tuple[float, str] | None = None,
    *,
    inverse: bool = False,
    help: str | None = None,
) -> None:
    """A figure over its change, by how much and in words, or, so that nothing moves, a note."""
    changed = change is not None and change[0] != 0
    st.metric(
        label,
        value,
        change[1] if change else note,
        delta_color="off" if not changed else "inverse" if inverse else "normal",
        delta_arrow="auto" if changed else "off",
        help=help,
    )
