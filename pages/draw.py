"""Draw a digit with mouse, pen or finger, and see what the network makes of it."""

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from digits import drawing
from digits.run import Run
from digits.strokes import BRUSH, CANVAS
from widgets.keep import it_was
from widgets.plot import plot
from widgets.session import choose, done_runs, engine, label, linked_run, via_app

via_app()


def clear() -> None:
    """Put a new, empty canvas in the place of the old one."""
    st.session_state["canvas"] += 1
    st.session_state.pop("drawing", None)


def enlarge(image: np.ndarray) -> np.ndarray:
    """Ten times the size with hard edges, so that each pixel can be seen."""
    return image.repeat(10, axis=0).repeat(10, axis=1)


def percent(probability: float) -> str:
    """A probability for people; never 100 %, which no softmax means."""
    return "over 99.9 %" if probability > 0.999 else f"{100 * probability:.1f} %"


st.title("Draw a digit")

linked = linked_run()
models: list[Run | None] = [None, *done_runs()]
if linked and linked not in models:
    st.info(f"“{label(linked)}” has no model yet, so the shipped one reads your drawing.")
model = st.selectbox(
    "Who reads it",
    models,
    index=models.index(linked) if linked in models else 0,
    format_func=lambda one: label(one) if one else "Shipped model",
)
if model:
    choose(model)
elif linked in models:
    st.session_state.pop("chosen_run", None)
    st.query_params.pop("run", None)


@st.fragment
def draw_and_read(model: str) -> None:
    """The canvas and the answer; each stroke runs only this again."""
    state = st.session_state
    row = st.container(horizontal=True, gap="large")
    left, right = row.container(width=CANVAS), row.container()
    with left:
        board = st.container()
        with st.container(horizontal=True, vertical_alignment="bottom", width=CANVAS):
            st.button("Clear", icon=":material/delete:", on_click=clear)
            brush = st.slider("Brush", 6, 40, BRUSH, 2, key="brush", bind="query-params")
    key = f"canvas{state.setdefault('canvas', 0)}"
    if key not in state:  # just put on the page: take up what was drawn before
        state["start"] = state.get("drawing", {}).get("strokes")
    with board:
        drawn = st_canvas(
            stroke_width=brush,
            stroke_color="#FFFFFF",
            background_color="#000000",
            width=CANVAS,
            height=CANVAS,
            initial_drawing=state["start"],
            return_image_data=True,
            key=key,
        )
    if drawn.image_data is not None:
        state["drawing"] = {"strokes": drawn.json_data, "ink": drawn.image_data[..., 0]}
    ink = state.get("drawing", {}).get("ink", np.zeros((CANVAS, CANVAS), np.uint8))
    with right:
        read(model, ink)
        it_was(state.get("drawing", {}).get("strokes", {}).get("objects", []), ink)


def read(model: str, ink: np.ndarray) -> None:
    """What the network says of a drawing, (height, width) uint8, and how it came to see it."""
    if word := drawing.remark(ink):
        st.info(word, icon=":material/draw:")
    try:
        line = engine()  # it starts while the first digit is being drawn
        if not ink.any():
            return
        x = drawing.normalize(ink)
        with st.spinner("The network is reading …"):
            [probabilities] = line.predict(model, x[None])
    except TimeoutError:
        st.error("The network did not answer in time. Draw on to ask it again.")
        return
    except (ValueError, LookupError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        return

    digit = int(probabilities.argmax())
    colors = ["var(--st-border-color)"] * 10
    colors[digit] = "var(--st-primary-color)"
    bars = {
        "type": "bar", "orientation": "h", "x": probabilities, "y": np.arange(10),
        "text": [percent(p) if p >= 0.001 else "" for p in probabilities],
        "textposition": "outside", "cliponaxis": False, "hoverinfo": "skip",
        "marker": {"color": colors},
    }  # fmt: skip
    layout = {
        "xaxis": {"range": [0, 1.35], "visible": False},
        "yaxis": {"dtick": 1, "range": [9.5, -0.5], "showgrid": False},
        "margin": {"t": 0, "l": 24, "r": 0, "b": 0},
    }
    st.metric("The network reads", f"{digit} · {percent(probabilities[digit])}")
    row = st.container(horizontal=True, gap="medium")
    seen, said = row.container(horizontal=True, width="content"), row.container()
    with said:
        alt = ", ".join(f"{n}: {percent(p)}" for n, p in enumerate(probabilities))
        plot([bars], layout, key="probabilities", height=260, alt=f"Probabilities: {alt}.")
    with seen:  # six screen pixels a pixel
        box = drawing.fit(drawing.crop(ink))
        box = np.pad(box, [((20 - side) // 2, (21 - side) // 2) for side in box.shape])
        alt = "The drawing {}, enlarged so that its grey pixels show."
        st.image(enlarge(x), "What it sees: 28 × 28", 168, alt=alt.format("as the network sees it"))
        st.image(enlarge(box), "Cut out: 20 × 20", 120, alt=alt.format("cut to its ink and scaled"))


draw_and_read(model.id if model else "shipped")
