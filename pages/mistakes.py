"""Every test image that a run got wrong: which digits it confuses, and how sure it was."""

from typing import Any, get_args

import streamlit as st

from digits.metrics import Order, confusion_matrix, most_confused, select
from widgets.closer import closer_look
from widgets.confusion import confusion
from widgets.gallery import gallery
from widgets.scores import digit_by_digit, overall
from widgets.session import chosen_run, test_set, via_app

via_app()

PER_PAGE = 200


def show(label: int | None = None, predicted: int | None = None) -> None:
    """Filter the gallery by label and prediction, or lift the filter."""
    st.session_state.update(label=label, predicted=predicted, page=1)


def show_cell(cell: dict[str, Any]) -> None:
    """Filter by the cell of the matrix that was clicked."""
    show(label=cell["y"], predicted=cell["x"])


def first_page() -> None:
    """Start over in a gallery that now holds other digits."""
    st.session_state["page"] = 1


st.title("Mistakes")
run = chosen_run()
try:
    x_test, y_test = test_set(run.recipe.dataset)
    probabilities = run.probabilities()
    if len(probabilities) != len(y_test):
        raise ValueError(
            f"This run was tested on {len(probabilities):,} images, but the test set here has "
            f"{len(y_test):,}. Train it again to see its mistakes."
        )
except FileNotFoundError as error:
    st.info(str(error), icon=":material/dataset:")
    st.stop()
except ValueError as error:
    st.error(str(error), icon=":material/broken_image:")
    st.stop()

overall(y_test, probabilities)
y_pred = probabilities.argmax(axis=1)
matrix = confusion_matrix(y_test, y_pred)

left, right = st.columns(2, gap="medium")
with right:
    st.subheader("Digits", anchor=False)
    with st.container(horizontal=True):
        given = st.selectbox(
            "Given label", range(10), index=None, placeholder="Any", key="label",
            on_change=first_page, bind="query-params", width=140,
        )  # fmt: skip
        read = st.selectbox(
            "Prediction", range(10), index=None, placeholder="Any", key="predicted",
            on_change=first_page, bind="query-params", width=140,
        )  # fmt: skip
    sort: Order = st.segmented_control(
        "Highest first", get_args(Order), default="confidence", required=True, key="sort",
        format_func=str.capitalize, on_change=first_page, bind="query-params",
        help="Confidence is the probability of the prediction; loss is −log of the label's "
        "probability; margin is how far the former probability lies above the latter.",
    )  # fmt: skip
    found = select(y_test, probabilities, sort, given, read)
    words = [f"labelled {given}"] * (given is not None) + [f"read as {read}"] * (read is not None)
    noun = "digits" if given is not None and given == read else "mistakes"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(found):,} {noun}** {' and '.join(words)}", width="content")
        if words:
            st.button("Show all mistakes", icon=":material/filter_alt_off:", on_click=show)
    pages = -(-len(found) // PER_PAGE)
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    shown = found[PER_PAGE * (page - 1) : PER_PAGE * page]
    if not len(found):
        st.info("No test image is like that.", icon=":material/search_off:")
    else:
        with st.container(height=500 if len(shown) > 20 else "content", border=False):
            clicked = gallery(
                x_test[shown],
                [f"{y_test[i]} → {y_pred[i]}\n{probabilities[i].max():.1%}" for i in shown],
                names=[f"Test image {i}: {y_test[i]} read as {y_pred[i]}" for i in shown],
                key="gallery",
            )
        if clicked is not None:
            i = int(shown[clicked])
            closer_look(x_test[i], int(y_test[i]), probabilities[i], f"Test image {i:,}")
with left:
    st.subheader("Confusion matrix", anchor=False)
    cells = st.segmented_control(
        "Numbers in the cells", ["count", "percent"], default="count", required=True, key="cells",
        format_func=str.capitalize, bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    confusion(
        matrix, key="matrix", percent=cells == "percent", label=given, predicted=read,
        on_click=show_cell,
    )  # fmt: skip
    st.caption("Green is right. Click a cell to see its digits. Confused most often:")
    if not most_confused(matrix):
        st.success("This run read every test image rightly.", icon=":material/verified:")
    with st.container(horizontal=True, gap="small"):
        for label, predicted, count in most_confused(matrix):
            st.button(
                f"{label} → {predicted} · {count}", key=f"pair-{label}-{predicted}",
                help=f"Show the {count} with label {label} read as {predicted}.",
                on_click=show, args=[label, predicted],
            )  # fmt: skip

st.subheader("Digit by digit", anchor=False)
digit_by_digit(y_test, y_pred)
