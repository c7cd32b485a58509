"""Numbers as text, the same on every page, and text from elsewhere as nothing but text."""

import re

from digits.evaluation.metrics import wilson_interval
from digits.store.run_folder import Result, one_line

LONGEST = 500  # characters of a text from elsewhere

# What has a meaning within a line of Markdown, and what has one at its beginning.
_MARKUP = re.compile(r"[\\`*\[\]<&~$|]|(?<!\w)_|_(?!\w)|^[#>+=-]")
# Streamlit replaces these in the finished text, where no backslash helps: links and addresses,
# icons and emoji, arrows and the like. An invisible character within keeps it from that.
_REPLACED = re.compile(
    r"(?<=@)|(?<=:)(?=[^\s\d]|\d\w*:)|(?<=www)(?=\.)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE
)
_WORD_JOINER = "\u2060"


def as_text(text: object) -> str:
    """A run's name, an error or any other text from elsewhere as Markdown that shows just that."""
    line = _MARKUP.sub(r"\\\g<0>", one_line(str(text), LONGEST))
    return _REPLACED.sub(_WORD_JOINER, line)


def chart_text(text: str) -> str:
    """The same for Plotly, which takes some HTML for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def filled(label: str) -> str:
    """The label of an enabled primary button, legible on the theme's primary color.

    Streamlit's own is always white, too faint on the dark theme's primary color, which in turn must
    be light enough to be read as the value of a slider. The theme's violet is kept for this.
    """
    return f":violet[{label}]"


def duration(seconds: float) -> str:
    """Minutes and seconds; tenths of a second below ten seconds."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def training_time(result: Result) -> str:
    """How long a run was trained; a dash where nothing was, or where that was not recorded."""
    return duration(result["seconds"]) if result["seconds"] else "–"


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


def test_interval(result: Result) -> str:
    """The 95 % interval of a run's test accuracy, short enough for a card on a phone."""
    total = result["test_images"]
    low, high = wilson_interval(round(result["test_accuracy"] * total), total)
    return f"95%: {100 * low:.2f} – {high:.2%}"
