"""Draw digits with mouse, pen or finger, or photograph some, and see what a model predicts."""

import streamlit as st

from digits.ink.canvas import CANVAS_SIDE
from digits.ink.preprocessing import ALL_STAGES
from digits.store.models import ModelRef
from widgets.draw.answer import recognize_drawing, show_recognition
from widgets.draw.canvas import drawing_canvas, number_width
from widgets.draw.explanations import explain, preprocessing_options
from widgets.draw.photo import recognize_photo
from widgets.draw.save import save_drawing
from widgets.shared.session import choose_model, via_app

via_app()

st.title("Draw digits")
source = st.segmented_control(
    "Input",
    ["Digit", "Number", "Photo"],
    default="Digit",
    required=True,
    key="source",
    bind="query-params",
    persist_state="session",
)
model = choose_model()


@st.fragment
def draw(model: ModelRef, width: int, several: bool) -> None:
    """The canvas and the prediction; each stroke reruns only this."""
    row = st.container(horizontal=True, gap="large")
    left, right = row.container(width=width), row.container()
    with left:
        drawing = drawing_canvas(width)
    with right:
        options = ALL_STAGES if several else preprocessing_options()
        recognition = recognize_drawing(model, drawing, options)
        if recognition:
            show_recognition(recognition, drawing, several)
        if not (several and recognition and recognition.number):
            save_drawing(drawing)
    if recognition and not several:
        explain(model, recognition)


if source == "Photo":
    recognize_photo(model)
elif source == "Number":
    draw(model, number_width(), several=True)
else:
    draw(model, CANVAS_SIDE, several=False)
