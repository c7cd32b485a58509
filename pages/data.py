"""The data sets on this machine: their splits, what they look like, and a way to add MNIST."""

import streamlit as st

from digits.data import datasets
from widgets.data.add_mnist import choose_mnist, upload_mnist
from widgets.data.overview import digit_counts, overview, samples, splits
from widgets.shared.format import as_text
from widgets.shared.mnist_offer import offer_mnist
from widgets.shared.session import via_app

via_app()

toolbar = st.container(horizontal=True, vertical_alignment="center")
toolbar.title("Data", anchor=False, width="content")
offer_mnist(choose_mnist, data_page=True)
content = st.container()
if not datasets.available("mnist"):
    upload_mnist()  # before the control, which it sets

name = toolbar.segmented_control(
    "Data set",
    datasets.available_names(),
    default=datasets.default(),
    required=True,
    key="dataset",
    bind="query-params",
    label_visibility="collapsed",
)
toolbar.page_link("pages/train.py", label="Train", icon=":material/model_training:")
try:
    shown = overview(name)
except (OSError, ValueError) as error:
    content.error(as_text(error), icon=":material/broken_image:")
    st.stop()

content.caption(as_text(shown.note))
left, right = content.columns(2, gap="small")
with left, st.container(border=True, height="stretch"):
    splits(shown)
    digit_counts(shown)
with right, st.container(border=True, height="stretch"):
    samples(name, shown)
