"""Why a model predicts what it does for a drawing: four explanations, of which one is shown."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image

from digits.ink.preprocessing import RESIZED, STAGES, Preprocessing, Stage
from digits.multidigit.recognize import Recognition
from digits.store.models import ModelRef
from widgets.shared.explanations import nearest_neighbors, saliency_maps
from widgets.shared.format import as_text, percent
from widgets.shared.gallery import montage
from widgets.shared.session import engine

PREPROCESSING = "Preprocessing"
WITHOUT = "without"  # in the link: the preprocessing steps that are disabled
CARD = 112  # width of a stage's picture on the screen: four pixels for each of the model's input,
SCALE = 12  # and more of them in the picture, for screens with finer ones
STEPS = {
    RESIZED: ("Resized sheet", "The whole sheet at 28 × 28 pixels: what most demos do."),
    "redraw": ("Stroke width", "Strokes redrawn with MNIST's stroke width, whatever the brush."),
    "crop": ("Crop", "Cut to the bounding box of the ink, wherever it is on the sheet."),
    "fit": ("20 × 20 box", "Scaled into 20 × 20 pixels with a margin, as in MNIST."),
    "center": ("Center of mass", "Moved until the center of mass is in the middle, as in MNIST."),
}

OTHER = "draw-saliency"  # keys of the session's state: the pills for the second digit,
OTHER_CLICKED = "draw-saliency-clicked"  # and the one that the visitor clicked there

COLUMNS = 8  # of a block's feature maps
BLOCK = 352  # width of a block, in screen pixels: three fit on a desk's screen, one on a phone's
MAP = 84  # pixels at least of a feature map in the picture, so that its edges stay hard
GAP = 4


def explain(model: ModelRef, recognition: Recognition | None) -> None:
    """Let the visitor choose an explanation and show it; what fails becomes a sentence."""
    if not recognition:
        st.caption(
            "Once there is a drawing: each stage of its preprocessing with the prediction after "
            "it, the pixels that decided, the nearest training digits, and the network's layers."
        )
        return
    line = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    view = line.segmented_control(
        "Why this prediction?",
        VIEWS,
        default=next(iter(VIEWS)),
        required=True,
        key="why",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
        width="content",
    )
    if view == PREPROCESSING:
        with line:
            _without_preprocessing(recognition)
    try:
        VIEWS[view](model, recognition)
    except (LookupError, OSError, ValueError) as error:
        st.error(as_text(error), icon=":material/error:")


def preprocessing_options() -> Preprocessing:
    """The preprocessing that the visitor has set, here or by the link, which then carries it."""
    state, linked = st.session_state, st.query_params.get_all(WITHOUT)
    enabled = {step: state.setdefault(_key(step), step not in linked) for step in STAGES}
    disabled = [step for step in STAGES if not enabled[step]]
    if disabled != linked:
        st.query_params[WITHOUT] = disabled
    return Preprocessing(**enabled)


def disabled_steps(options: Preprocessing) -> None:
    """Name the disabled steps, if there are any, above a button that enables them again."""
    if titles := [STEPS[step][0].lower() for step in STAGES if not getattr(options, step)]:
        disabled = f"**Disabled preprocessing steps**: {', '.join(titles)}"
        st.markdown(f":orange[:material/toggle_off: {disabled}]")
        st.button("Enable all", on_click=_enable_all, icon=":material/restart_alt:")


def _without_preprocessing(recognition: Recognition) -> None:
    """What all that preprocessing is good for with this drawing, in a sentence."""
    naive, predicted = (int(p.argmax()) for p in recognition.stage_probabilities[[0, -1]])
    without = "Without preprocessing, as in most demos, this drawing would be predicted as"
    if len(recognition.stages) == 1:
        st.markdown("All preprocessing steps are disabled, as in most demos.")
    elif naive == predicted:
        st.markdown(f"{without} :blue[**{naive}**] too. Draw it smaller to see the difference.")
    else:
        st.markdown(
            f"{without} :orange[**{naive}**]; after the last step as :blue[**{predicted}**]."
        )


def _preprocessing(model: ModelRef, recognition: Recognition) -> None:
    """A card for each preprocessing step, with the prediction after it and its switch."""
    ink, stages = recognition.ink, recognition.stages
    done = {
        stage.name: (stage, p)
        for stage, p in zip(stages, recognition.stage_probabilities, strict=True)
    }
    predicted = int(recognition.probabilities.argmax())
    grid = st.grid(2 + len(STAGES), min_column_width=140, gap="small")
    with grid.container(gap="xxsmall"):
        st.markdown(":small[As drawn]", help="The whole sheet, before any step.")
        _image(ink, "as it is on the sheet")
        st.badge(f"{ink.shape[1]} × {ink.shape[0]}", color="gray")
    for name, (title, text) in STEPS.items():
        with grid.container(gap="xxsmall"):
            if name == RESIZED:
                st.markdown(f":small[{title}]", help=text)
            else:
                st.toggle(title, key=_key(name), persist_state="session", help=text)
            if name in done:
                _stage(*done[name], predicted)
            else:
                st.badge("Disabled", color="gray")


def _stage(stage: Stage, p: np.ndarray, predicted: int) -> None:
    """The image after a stage and its prediction, marked where it is not the final one."""
    digit = int(p.argmax())
    text = f"{digit} · {percent(p[digit])}" if stage.image.any() else "Too little is left"
    picture = montage(stage.image[None, None], SCALE)
    _image(picture, f"after the step “{STEPS[stage.name][0]}”: {text}")
    if digit == predicted and stage.image.any():
        st.badge(text, color="blue")
    else:
        st.badge(text, icon=":material/close:", color="orange")


def _image(picture: np.ndarray, state: str) -> None:
    # Given a width, Streamlit would scale the picture itself and blur its edges.
    with st.container(width=CARD):
        st.image(picture, width="stretch", alt=f"The drawing {state}.", output_format="PNG")


def _key(step: str) -> str:
    return f"draw-with-{step}"


def _enable_all() -> None:
    for step in STAGES:
        st.session_state[_key(step)] = True


def _pixels(model: ModelRef, recognition: Recognition) -> None:
    """Saliency for the prediction beside that for the runner-up, or for a digit of choice."""
    predicted, runner_up = (int(digit) for digit in np.argsort(-recognition.probabilities)[:2])
    clicked = st.session_state.get(OTHER_CLICKED)
    other = st.session_state[OTHER] = runner_up if clicked in (None, predicted) else clicked
    question = f"Evidence for {predicted}, and for"
    st.pills(question, range(10), key=OTHER, on_change=_note_other, wrap=True)
    saliency_maps(model, recognition.image, (predicted, other), width=280)


def _note_other() -> None:
    st.session_state[OTHER_CLICKED] = st.session_state[OTHER]


def _neighbors(model: ModelRef, recognition: Recognition) -> None:
    """The nearest training images, whatever their label."""
    st.caption("The training images most similar to the drawing, by the model's embeddings.")
    nearest_neighbors(model, recognition.image, size=56)


def _layers(model: ModelRef, recognition: Recognition) -> None:
    """The feature maps after each block, the brightest of a block in white, the darkest black."""
    with st.spinner("Computing the feature maps …"):
        blocks = _activations(model, recognition.image)
    if not blocks:
        st.info("This network has no convolution block, so there are no feature maps.")
        return
    with st.container(horizontal=True, gap="medium"):
        for block, (maps, filters) in enumerate(blocks, 1):
            n, height, width = maps.shape
            some = f"the {n} brightest of {filters:,}" if n < filters else filters
            alt = f"Convolution block {block}: {some} maps of {height} × {width}"
            with st.container(width=BLOCK):
                st.markdown(f"**conv {block}** · {some} maps of {height} × {width}")
                st.image(_grid(maps), width=BLOCK, alt=alt, output_format="PNG")
    st.caption(
        "One picture per filter, in the network's order: the lighter, the higher the activation; "
        "black is the lowest of the block. Filters of the first block respond to strokes and edges "
        "of one direction; those of later blocks combine them into corners, bows and loops, and "
        "depend less on the position."
    )


@st.cache_data(max_entries=50, show_spinner=False)
def _activations(model: ModelRef, image: np.ndarray) -> list[tuple[np.ndarray, int]]:
    return engine().activations(model, image)


def _grid(maps: np.ndarray) -> Image.Image:
    """(n, height, width) as a table of pictures, with nothing between them."""
    low, high = float(maps.min()), float(maps.max())
    light = ((maps - low) / ((high - low) or 1)) ** 0.5  # small activations show too
    gray = np.rint(light * 255).astype(np.uint8)
    scale = -(-MAP // max(maps.shape[1:]))
    channels = np.stack([gray, np.full_like(gray, 255)])  # the second says where pictures are
    channels = channels.repeat(scale, axis=2).repeat(scale, axis=3)
    channels = np.pad(channels, [(0, 0), (0, -len(maps) % COLUMNS), (GAP, 0), (GAP, 0)])
    tables = [montage(part.reshape(-1, COLUMNS, *part.shape[1:])) for part in channels]
    return Image.merge("LA", [Image.fromarray(table) for table in tables])


VIEWS: dict[str, Callable[[ModelRef, Recognition], None]] = {
    PREPROCESSING: _preprocessing,
    "Pixels": _pixels,
    "Neighbors": _neighbors,
    "Layers": _layers,
}
