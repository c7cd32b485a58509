"""A photo of digits on paper, uploaded or taken, and the numbers that a model finds on it."""

import io

import streamlit as st
from PIL import Image

from digits.ink.image_files import MAX_BYTES, check_bytes
from digits.store.models import ModelRef
from widgets.draw.answer import draw_boxes, show_numbers
from widgets.shared.format import as_text
from widgets.shared.session import engine

KINDS = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]
RESULT = "draw-photo-result"  # key of the session's state: source, small photo and its numbers


def recognize_photo(model: ModelRef) -> None:
    """Take a photo and show what is on it; a bad one leaves the last good one where it is."""
    state = st.session_state
    cluster = engine()  # it starts while the first photo is being chosen
    row = st.container(horizontal=True, gap="small")
    left = row.container(border=True, width=560, height="stretch")
    right = row.container(border=True, height="stretch")
    with left:
        if st.toggle("Use the camera", key="draw-camera"):
            file = st.camera_input("A photo of digits on paper")
        else:
            file = st.file_uploader(
                "A photo of digits on paper",
                KINDS,
                key="draw-photo",
                max_upload_size=MAX_BYTES >> 20,
            )
    if file and state.get(RESULT, {}).get("source") != (file.file_id, model):
        try:
            check_bytes(file.getvalue(), file.name)  # before it goes to a worker
            with right, st.spinner("Recognizing …"):
                small, numbers = cluster.recognize_photo(model, file.getvalue(), file.name)
            state[RESULT] = {"source": (file.file_id, model), "photo": small, "numbers": numbers}
        except (ValueError, LookupError, OSError) as error:
            right.error(as_text(error), icon=":material/error:")
    if result := state.get(RESULT):
        text = ", ".join(number.text for number in result["numbers"])
        with left, Image.open(io.BytesIO(result["photo"])) as photo:
            boxes = draw_boxes(photo, result["numbers"])
            alt = f"The photo, with a box around each digit of {text}."
            st.image(boxes, width="stretch", alt=alt)
        with right:
            show_numbers(result["numbers"])
    elif not file:
        right.info(
            "Write digits large and dark on paper, or light on a board, and photograph only them. "
            "Plain, ruled and squared paper all work, and so does uneven light.",
            icon=":material/photo_camera:",
        )
