"""What a model predicts for a drawing or a photo: one digit, or numbers in boxes."""

import random

import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from digits.data import datasets
from digits.evaluation import reject_option
from digits.ink.canvas import BRUSH
from digits.ink.preprocessing import ALL_STAGES, Preprocessing, describe_problem
from digits.multidigit.decode import MIN_PROBABILITY, Number
from digits.multidigit.recognize import Recognition, recognize
from digits.store.models import ModelRef
from widgets.draw.canvas import CanvasDrawing, start_from
from widgets.draw.explanations import disabled_steps
from widgets.draw.live_answer import head_start, live_answer
from widgets.shared.format import as_text, percent
from widgets.shared.gallery import montage
from widgets.shared.session import engine, test_set

SURE, UNSURE = "#4F86F7", "#FF9E64"  # both can be told from paper, from ink and from each other


def recognize_drawing(
    model: ModelRef, drawing: CanvasDrawing, options: Preprocessing
) -> Recognition | None:
    """Recognize what is on the canvas; ``None`` where there is nothing or a sentence says why."""
    if not drawing.ink.any():
        return None
    cluster = engine()
    strokes = [] if drawing.on_image else drawing.strokes  # else they alone would be redrawn
    try:
        return recognize(drawing.ink, strokes, lambda x: cluster.predict(model, x), options)
    except (ValueError, LookupError, OSError) as error:
        st.error(as_text(error), icon=":material/error:")
        return None


def show_recognition(
    model: ModelRef,
    recognition: Recognition | None,
    drawing: CanvasDrawing,
    options: Preprocessing,
    several: bool,
) -> None:
    """Show the number, where ``several`` digits are expected, or else the one digit.

    The one digit's probabilities follow the pen, also on an empty canvas.
    """
    number = recognition.number if recognition else None
    if several and recognition and number:
        show_numbers([number])
        picture = draw_boxes(Image.fromarray(recognition.ink), [number], margin=BRUSH / 2)
        st.image(picture, alt=f"The drawing, with a box around each digit of {number.text}.")
        return
    live_answer(None if several else model, drawing, options, recognition)
    if several and not drawing.ink.any():
        st.info("Draw a number, its digits side by side.", icon=":material/draw:")
    elif problem := describe_problem(drawing.ink):
        st.info(problem, icon=":material/draw:")
        if not drawing.ink.any():
            _test_digit(model)
    elif number and number.sure:  # one in 200 single digits looks like two
        st.info(f"Did you mean {number.text}? Choose “Number” above.", icon=":material/pin:")
    elif recognition and model == ModelRef() and options == ALL_STAGES:  # what it was fitted to
        readings = reject_option.load().readings(recognition.image, recognition.probabilities)
        if doubt := reject_option.describe(readings):
            st.info(doubt, icon=":material/help:")
    if not several and drawing.ink.any():
        disabled_steps(options)


def _test_digit(model: ModelRef) -> None:
    """A button that puts a random test digit on the canvas, for those who cannot draw."""
    name = model.run.recipe.dataset if model.run else datasets.default()
    st.button(
        "Start from a test digit",
        key="draw-from-test",
        icon=":material/casino:",
        type="tertiary",
        on_click=_start_from_test,
        args=[name],
    )


def _start_from_test(dataset: str) -> None:
    try:
        x, _ = test_set(dataset)
    except (ValueError, LookupError, OSError) as error:
        st.toast(as_text(error), icon=":material/error:")
    else:
        start_from(x[random.randrange(len(x))])


def show_numbers(numbers: list[Number]) -> None:
    """The prediction, what is unsure about it, and each digit as the model sees it."""
    st.metric("Prediction", "  ".join(number.text for number in numbers))
    head_start()
    for number in numbers:
        if doubt := _doubt(number):
            st.warning(doubt, icon=":material/help:")
    with st.container(horizontal=True, gap="small"):
        for number in numbers:
            for digit in number.digits:
                share = percent(digit.probability)
                alt = f"Predicted as {digit.value}, {share}: the digit as the model sees it."
                picture = montage(digit.image[None, None], 4)
                st.image(picture, f"{digit.value} · {share}", 112, alt=alt)


def _doubt(number: Number) -> str | None:
    if number.alternative:
        return f"Unsure about {number.text}: it might be {number.alternative} as well."
    least = min(number.digits, key=lambda digit: digit.probability)
    if least.probability < MIN_PROBABILITY:
        share = percent(least.probability)
        return f"Unsure about {number.text}: the {least.value} has a probability of {share} only."
    return None


def draw_boxes(picture: Image.Image, numbers: list[Number], margin: float = 0) -> Image.Image:
    """The picture with a box, ``margin`` wider, around every digit and its prediction above."""
    picture = picture.convert("RGB")
    canvas = ImageDraw.Draw(picture)
    line = max(2, picture.width // 300)
    margin += line
    for digit in (digit for number in numbers for digit in number.digits):
        left, top, right, bottom = digit.box
        color = SURE if digit.probability >= MIN_PROBABILITY else UNSURE
        box = left - margin, top - margin, right + margin, bottom + margin
        canvas.rectangle(box, None, color, line)
        size = min(max((bottom - top) / 4, 16), 40)
        corner = left - margin, max(top - margin, size * 1.2)
        text, font = f" {digit.value} ", ImageFont.load_default(size)
        canvas.rectangle(canvas.textbbox(corner, text, font, "ls"), color)
        canvas.text(corner, text, "#0F141D", font, "ls")
    return picture
