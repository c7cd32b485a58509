"""Draw digits with mouse, pen or finger, or photograph some, and see what the network reads."""

import numpy as np
import streamlit as st
from PIL import Image

from digits.ink.canvas import BRUSH, BRUSH_RANGE, CANVAS_SIDE, from_fabric
from digits.ink.preprocessing import ALL_STAGES, describe_problem, preprocessing_stages
from digits.multidigit import decode
from digits.multidigit.decode import Number, Predict
from digits.multidigit.from_strokes import from_strokes
from digits.multidigit.recognize import Recognition
from digits.store.models import ModelRef
from widgets.draw import preprocessing
from widgets.draw.answer import show_digit
from widgets.draw.canvas import canvas
from widgets.draw.explanations import explain
from widgets.draw.number import draw_boxes, show_numbers
from widgets.draw.photo import recognize_photo
from widgets.draw.save import save_drawing
from widgets.shared.session import choose_model, engine, via_app

WIDE = 640  # pixels across which people write numbers,
PHONE = 340  # and as many as a phone has beside its margins
MOST_STROKES = 60  # of a number; more are a scribble

via_app()


def clear() -> None:
    """Put a new, empty canvas in the place of the old one."""
    st.session_state["canvas"] += 1
    st.session_state.pop("drawing", None)


st.title("Draw digits")

source = st.segmented_control(
    "What it reads",
    ["Digit", "Number", "Photo"],
    default="Digit",
    required=True,
    key="source",
    bind="query-params",
    persist_state="session",
)
model = choose_model("Who reads it")


@st.fragment
def draw_and_read(model: ModelRef, width: int) -> None:
    """The canvas and the answer; each stroke runs only this again."""
    state = st.session_state
    row = st.container(horizontal=True, gap="large")
    left, right = row.container(width=width), row.container()
    with left:
        board = st.container()
        with st.container(horizontal=True, vertical_alignment="bottom", width=CANVAS_SIDE):
            st.button("Clear", icon=":material/delete:", on_click=clear)
            brush = st.slider("Brush", *BRUSH_RANGE, BRUSH, 2, key="brush", bind="query-params")
    key = f"canvas{state.setdefault('canvas', 0)}-{width}"
    if key not in state:  # just put on the page: take up what was drawn before
        state["start"] = state.get("drawing", {}).get("strokes")
    with board:
        drawn = canvas(brush, width, drawn=state["start"], key=key)
    if drawn.image_data is not None:
        state["drawing"] = {"strokes": drawn.json_data, "ink": drawn.image_data[..., 0]}
    ink = state.get("drawing", {}).get("ink", np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8))
    objects = state.get("drawing", {}).get("strokes", {}).get("objects", [])
    with right:
        found = read(model, ink, from_fabric(objects), several=width > CANVAS_SIDE)
        if not isinstance(found, Number):
            save_drawing(objects, ink)
    if isinstance(found, Recognition) and width == CANVAS_SIDE:
        explain(found)


def read(
    model: ModelRef, ink: np.ndarray, strokes: list[np.ndarray], *, several: bool
) -> Number | Recognition | None:
    """What the network says of a drawing, (height, width) uint8.

    Gives the number of ``several`` digits that it was read as, which the strokes tell apart, or
    the reading of one digit.
    """
    how = ALL_STAGES if several else preprocessing.switches()
    if word := describe_problem(ink):
        st.info(word, icon=":material/draw:")
    try:
        line = engine()  # it starts while the first digit is being drawn
        if not ink.any():
            return None
        made = preprocessing_stages(ink, strokes, how)
        x = np.stack([step.image for step in made])
        with st.spinner("The network is reading …"):
            number, said = ask(lambda images: line.predict(model, images), x, strokes)
    except TimeoutError:
        st.error("The network did not answer in time. Draw on to ask it again.")
        return None
    except (ValueError, LookupError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        preprocessing.switched_off(how)
        return None
    if len(number.digits) > 1 and not several:  # one in 200 single digits looks like two
        if number.sure:
            st.info(f"Did you mean {number.text}? Choose “Number” above.", icon=":material/pin:")
    elif len(number.digits) > 1:
        show_numbers([number])
        picture = draw_boxes(Image.fromarray(ink), [number], margin=BRUSH / 2)
        st.image(picture, alt=f"The drawing, with a box around each digit of {number.text}.")
        return number

    reading = Recognition(model, ink, made, said)
    show_digit(reading, len(strokes))
    return reading


def ask(reader: Predict, x: np.ndarray, strokes: list[np.ndarray]) -> tuple[Number, np.ndarray]:
    """The number that strokes are, and what ``x``, (n, 28, 28), is: all asked in one batch."""
    line = from_strokes(strokes) if 0 < len(strokes) <= MOST_STROKES else None
    if line is None or len(line.boxes) == 1:
        return Number([]), reader(x)
    of_x = []

    def together(images: np.ndarray) -> np.ndarray:
        answers = reader(np.concatenate([x, images]))
        of_x.append(answers[: len(x)])
        return answers[len(x) :]

    [number] = decode.decode([line], together)
    return number, of_x[0]


if source == "Photo":
    recognize_photo(ModelRef(model))
else:
    phone = "Mobi" in st.context.headers.get("User-Agent", "")
    wide = PHONE if phone else WIDE
    draw_and_read(ModelRef(model), wide if source == "Number" else CANVAS_SIDE)
