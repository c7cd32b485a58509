"""Draw digits with mouse, pen or finger, or photograph some, and see what a model predicts."""

import streamlit as st

from digits.ink.canvas import CANVAS_SIDE, SCREEN_SCALE
from digits.ink.preprocessing import ALL_STAGES
from digits.store.models import ModelRef
from widgets.draw.answer import recognize_drawing, show_recognition
from widgets.draw.canvas import drawing_canvas, number_width
from widgets.draw.explanations import explain, preprocessing_options
from widgets.draw.live_answer import send_model
from widgets.draw.photo import recognize_photo
from widgets.draw.save import save_drawing
from widgets.draw.toolbar import NUMBER, PHOTO, SAVED, toolbar
from widgets.drawings.collection import saved_drawings
from widgets.shared.session import engine, via_app

via_app()

source, model = toolbar()


@st.fragment
def draw(model: ModelRef, width: int, several: bool) -> None:
    """The canvas and the prediction; each stroke reruns only this."""
    row = st.container(horizontal=True, gap="small")
    board = None if several else "draw-board"  # which a low window lays out anew
    wide = round(SCREEN_SCALE * width) + 28
    with row.container(border=True, width=wide, height="stretch", key=board):
        drawing = drawing_canvas(width)
    options = ALL_STAGES if several else preprocessing_options()
    with row.container(border=True, height="stretch"):
        with st.container():  # what comes below stays where it is
            recognition = recognize_drawing(model, drawing, options)
        show_recognition(model, recognition, drawing, options, several)
        if not (several and recognition and recognition.number):
            save_drawing(drawing)
    if not several:
        with st.container(border=True):
            explain(model, recognition)
    engine()  # it starts while the first digit is being drawn


if source == SAVED:
    saved_drawings(model)
elif source == PHOTO:
    recognize_photo(model)
elif source == NUMBER:
    draw(model, number_width(), several=True)
else:
    send_model(model)
    draw(model, CANVAS_SIDE, several=False)
