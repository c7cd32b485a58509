"""Numbers as text, the same on every page."""

from typing import Any

from digits.evaluation.metrics import wilson_interval


def duration(seconds: float) -> str:
    """Minutes and seconds; tenths of a second below ten seconds."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def counted(n: int, noun: str) -> str:
    """A number with its noun in bold Markdown: **1 digit**, **1,204 digits**."""
    return f"**{n:,} {noun}{'' if n == 1 else 's'}**"


def percent(probability: float) -> str:
    """A probability with one decimal; never 100%, which no softmax means."""
    return "over 99.9%" if probability > 0.999 else f"{probability:.1%}"


def interval(correct: int, total: int) -> str:
    """The 95 % interval (Wilson) of an accuracy."""
    low, high = wilson_interval(correct, total)
    return f"95% interval {low:.2%} – {high:.2%}"


def test_interval(result: dict[str, Any]) -> str:
    """The 95 % interval of a run's test accuracy."""
    total = result["test_images"]
    return interval(round(result["test_accuracy"] * total), total)
