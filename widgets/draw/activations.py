"""What each convolution block makes of a drawing, filter by filter, as small pictures."""

import numpy as np
import streamlit as st
from PIL import Image

from digits.multidigit.recognize import Recognition
from digits.store.models import ModelRef
from widgets.shared.montage import montage
from widgets.shared.session import engine

COLUMNS = 8
WIDTH = 352  # of a block, in screen pixels: three fit on a desk's screen, one on a phone's
SIDE = 84  # pixels at least of a map in the picture, so that its edges stay hard
GAP = 4


def view(reading: Recognition) -> None:
    """The maps after each block, the brightest of a block in white and its darkest in black."""
    with st.spinner("Asking the network for its maps …"):
        blocks = _activations(reading.model, reading.image)
    if not blocks:
        st.info("This network has no convolution block, so there are no maps to see.")
        return
    with st.container(horizontal=True, gap="medium"):
        for number, (maps, filters) in enumerate(blocks, 1):
            _, height, width = maps.shape
            some = f"the {len(maps)} brightest of {filters:,}" if len(maps) < filters else filters
            alt = f"Convolution block {number}: {some} maps of {height} × {width}"
            with st.container(width=WIDTH):
                st.markdown(f"**conv {number}** · {some} maps of {height} × {width}")
                st.image(_grid(maps), width=WIDTH, alt=alt, output_format="PNG")
    st.caption(
        "A picture for each filter, in the network's order: the lighter, the more the filter found "
        "there of what it looks for; black is the least of the block. The filters of the first "
        "block look for strokes and edges of one direction; those of later blocks put together "
        "what the block before found, to corners, bows and loops, and care less about where."
    )


@st.cache_data(max_entries=50, show_spinner=False)
def _activations(model: ModelRef, image: np.ndarray) -> list[tuple[np.ndarray, int]]:
    return engine().activations(model, image)


def _grid(maps: np.ndarray) -> Image.Image:
    """(n, height, width) as a table of pictures, with nothing between them."""
    low, high = float(maps.min()), float(maps.max())
    light = ((maps - low) / ((high - low) or 1)) ** 0.5  # little shows too
    grey = np.rint(light * 255).astype(np.uint8)
    scale = -(-SIDE // max(maps.shape[1:]))
    parts = np.stack([grey, np.full_like(grey, 255)])  # the second says where pictures are
    parts = parts.repeat(scale, axis=2).repeat(scale, axis=3)
    parts = np.pad(parts, [(0, 0), (0, -len(maps) % COLUMNS), (GAP, 0), (GAP, 0)])
    tables = [montage(part.reshape(-1, COLUMNS, *part.shape[1:])) for part in parts]
    return Image.merge("LA", [Image.fromarray(table) for table in tables])
