"""Adds MNIST where it is missing from files that the visitor has."""

import streamlit as st

from digits.data import datasets, mnist_files
from widgets.data.overview import overview
from widgets.shared.format import as_text
from widgets.shared.session import test_set


def upload_mnist() -> None:
    """An expander that takes MNIST's files."""
    with st.expander("Use files that you have", icon=":material/upload_file:", key="data-files"):
        st.markdown(
            "Put `mnist.npz` or MNIST's four IDX files into a folder, and start the app with the "
            "environment variable `DIGITS_DATA` set to it. Or upload them here; Google Colab's "
            "`mnist_train_small.csv` is accepted as well."
        )
        with st.form("data-upload", clear_on_submit=True, border=False):
            files = st.file_uploader("MNIST files", accept_multiple_files=True)
            st.form_submit_button("Add", icon=":material/add:")
    for file in files:
        try:
            st.success(as_text(mnist_files.add(file.name, file)))
            test_set.clear()  # a CSV file changes what mnist-small is
            overview.clear()
        except (OSError, ValueError) as error:
            st.error(as_text(error))
    if files and datasets.available("mnist"):
        choose_mnist()
        st.toast("MNIST is here.", icon=":material/check_circle:")
        st.rerun()


def choose_mnist() -> None:
    """Show MNIST, which has just been added."""
    overview.clear()
    st.session_state["dataset"] = "mnist"
