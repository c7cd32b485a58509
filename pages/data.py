"""The data sets on this machine: their splits, what they look like, and a way to add MNIST."""

import streamlit as st

from digits.data import datasets
from widgets.data.add_mnist import add_mnist
from widgets.data.overview import digit_counts, overview, samples, splits
from widgets.shared.format import as_text
from widgets.shared.session import via_app

via_app()

st.title("Data", anchor=False)
add_mnist()

name = st.segmented_control(
    "Data set",
    datasets.available_names(),
    default=datasets.default(),
    required=True,
    key="dataset",
    bind="query-params",
)
try:
    shown = overview(name)
except (OSError, ValueError) as error:
    st.error(as_text(error), icon=":material/broken_image:")
    st.stop()

st.caption(as_text(shown.note))
splits(shown)

st.header("Images of each digit", anchor=False)
digit_counts(shown)

st.header("What they look like", anchor=False)
samples(name, shown)
