"""Numbers that were read: boxes over the picture, and each digit with its probability."""

import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from digits.multidigit.decode import MIN_PROBABILITY, Number
from widgets.shared.format import percent

SURE, UNSURE = "#4F86F7", "#FF9E64"  # both can be told from paper, from ink and from each other


def draw_boxes(picture: Image.Image, numbers: list[Number], margin: float = 0) -> Image.Image:
    """The picture with a box around every digit, ``margin`` wider, and the answer over it."""
    picture = picture.convert("RGB")
    pen = ImageDraw.Draw(picture)
    line = max(2, picture.width // 300)
    margin += line
    for digit in (digit for number in numbers for digit in number.digits):
        left, top, right, bottom = digit.box
        color = SURE if digit.probability >= MIN_PROBABILITY else UNSURE
        pen.rectangle(
            (left - margin, top - margin, right + margin, bottom + margin), None, color, line
        )
        size = min(max((bottom - top) / 4, 16), 40)
        at = left - margin, max(top - margin, size * 1.2)
        font = ImageFont.load_default(size)
        pen.rectangle(pen.textbbox(at, f" {digit.value} ", font, "ls"), color)
        pen.text(at, f" {digit.value} ", "#0F141D", font, "ls")
    return picture


def show_numbers(numbers: list[Number]) -> None:
    """What the network reads, how sure that is, and what it saw of each digit."""
    st.metric("The network reads", "  ".join(number.text for number in numbers))
    for number in numbers:
        if word := doubt(number):
            st.warning(word, icon=":material/help:")
    with st.container(horizontal=True, gap="small"):
        for number in numbers:
            for digit in number.digits:
                chance = percent(digit.probability)
                seen = digit.image.repeat(4, axis=0)
                alt = f"Read as {digit.value}, {chance}: the digit as the network sees it."
                st.image(seen.repeat(4, axis=1), f"{digit.value} · {chance}", 112, alt=alt)


def doubt(number: Number) -> str | None:
    """Say what is unsure about a number, in a sentence, or None."""
    faint = [digit for digit in number.digits if digit.probability < MIN_PROBABILITY]
    if number.other:
        return f"Unsure about {number.text}: it might be {number.other} as well."
    if faint:
        least = min(faint, key=lambda digit: digit.probability)
        chance = percent(least.probability)
        return f"Unsure about {number.text}: the {least.value} has a probability of {chance} only."
    return None
