"""What a model predicts for a drawing or a photo: one digit, or numbers in boxes."""

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from digits.ink.canvas import BRUSH
from digits.ink.preprocessing import Preprocessing, describe_problem
from digits.multidigit.decode import MIN_PROBABILITY, Number
from digits.multidigit.recognize import Recognition, recognize
from digits.store.models import ModelRef
from widgets.draw.canvas import CanvasDrawing
from widgets.draw.explanations import disabled_steps
from widgets.shared.format import as_text, percent
from widgets.shared.gallery import montage
from widgets.shared.plot import plot
from widgets.shared.session import engine

SURE, UNSURE = "#4F86F7", "#FF9E64"  # both can be told from paper, from ink and from each other


def recognize_drawing(
    model: ModelRef, drawing: CanvasDrawing, options: Preprocessing
) -> Recognition | None:
    """Recognize what is on the canvas; ``None`` where there is nothing or a sentence says why."""
    if problem := describe_problem(drawing.ink):
        st.info(problem, icon=":material/draw:")
    cluster = engine()  # it starts while the first digit is being drawn
    if not drawing.ink.any():
        return None
    try:
        with st.spinner("Recognizing …"):
            return recognize(
                drawing.ink, drawing.strokes, lambda x: cluster.predict(model, x), options
            )
    except (ValueError, LookupError, OSError) as error:
        st.error(as_text(error), icon=":material/error:")
        disabled_steps(options)
        return None


def show_recognition(recognition: Recognition, drawing: CanvasDrawing, several: bool) -> None:
    """Show the number, where ``several`` digits are expected, or else the one digit."""
    number = recognition.number
    if number and several:
        show_numbers([number])
        picture = draw_boxes(Image.fromarray(recognition.ink), [number], margin=BRUSH / 2)
        st.image(picture, alt=f"The drawing, with a box around each digit of {number.text}.")
        return
    if number and number.sure:  # one in 200 single digits looks like two
        st.info(f"Did you mean {number.text}? Choose “Number” above.", icon=":material/pin:")
    _show_digit(recognition, len(drawing.strokes))


def _show_digit(recognition: Recognition, strokes: int) -> None:
    p = recognition.probabilities
    digit = int(p.argmax())
    row = st.container(horizontal=True, gap="medium")
    with row.container(width=220):
        st.metric("Prediction", f"{digit} · {percent(p[digit])}")
        disabled_steps(recognition.stages[-1].options)
        with st.container(width=168):  # given a width, Streamlit would blur the picture
            alt = "The drawing as the model sees it, enlarged so that its pixels show."
            picture = montage(recognition.image[None, None], 12)
            st.image(picture, "Model input: 28 × 28", "stretch", alt=alt, output_format="PNG")
    with row.container():
        _bars(p, strokes)


def _bars(p: np.ndarray, strokes: int) -> None:
    """Draw (10,) probabilities; the text tells by the strokes which drawing they belong to."""
    colors = ["var(--st-border-color)"] * 10
    colors[int(p.argmax())] = "var(--st-primary-color)"
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": p,
        "y": np.arange(10),
        "text": [percent(share) if share >= 0.001 else "" for share in p],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "skip",
        "marker": {"color": colors},
    }
    layout = {
        "xaxis": {"range": [0, 1.35], "visible": False},
        "yaxis": {"dtick": 1, "range": [9.5, -0.5], "showgrid": False},
        "margin": {"t": 0, "l": 24, "r": 0, "b": 0},
    }
    shares = ", ".join(f"{digit}: {percent(share)}" for digit, share in enumerate(p))
    alt = f"Strokes: {strokes}. Probabilities: {shares}."
    plot([bars], layout, key="draw-probabilities", height=260, alt=alt)


def show_numbers(numbers: list[Number]) -> None:
    """The prediction, what is unsure about it, and each digit as the model sees it."""
    st.metric("Prediction", "  ".join(number.text for number in numbers))
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
