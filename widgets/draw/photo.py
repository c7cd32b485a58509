"""A photo of digits on paper, uploaded or taken, and what the network reads on it."""

import io

import streamlit as st
from PIL import Image

from digits.store.models import ModelRef
from widgets.draw.number import draw_boxes, show_numbers
from widgets.shared.session import engine

KINDS = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]
MEGABYTES = 25
SHOWN = "photo-shown"  # key of the session's state: which photo by which model, and the answer


def recognize_photo(model: ModelRef) -> None:
    """Take a photo and show what is on it; a bad one leaves the last good one where it is."""
    state = st.session_state
    line = engine()  # it starts while the first photo is being chosen
    row = st.container(horizontal=True, gap="large")
    left, right = row.container(width=560), row.container()
    with left:
        if st.toggle("Use the camera", key="camera"):
            file = st.camera_input("A photo of digits on paper")
        else:
            file = st.file_uploader(
                "A photo of digits on paper", KINDS, key="photo", max_upload_size=MEGABYTES
            )
    if file and state.get(SHOWN, {}).get("of") != (file.file_id, model):
        try:
            with right, st.spinner("The network is reading …"):
                small, numbers = line.recognize_photo(model, file.getvalue(), file.name)
            state[SHOWN] = {"of": (file.file_id, model), "photo": small, "numbers": numbers}
        except TimeoutError:
            right.error("The network did not answer in time. Upload the photo again.")
        except (ValueError, LookupError, OSError) as error:
            right.error(str(error), icon=":material/error:")
    if shown := state.get(SHOWN):
        text = ", ".join(number.text for number in shown["numbers"])
        with left, Image.open(io.BytesIO(shown["photo"])) as photo:
            st.image(
                draw_boxes(photo, shown["numbers"]),
                width="stretch",
                alt=f"The photo, with a box around each digit of {text}.",
            )
        with right:
            show_numbers(shown["numbers"])
    elif not file:
        right.info(
            "Write digits large and dark on paper, or light on a board, and photograph them alone:"
            " plain, ruled and squared paper will do, and so will uneven light.",
            icon=":material/photo_camera:",
        )
