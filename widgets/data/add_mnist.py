"""Adds MNIST where it is missing: a download, or files that the visitor has."""

import streamlit as st

from digits.data import datasets, mnist_files
from widgets.data.overview import overview
from widgets.shared.format import as_text
from widgets.shared.session import test_set


def add_mnist() -> None:
    """Explain what is wrong with MNIST's files and offer to add them; nothing while all is well."""
    try:
        mnist_files.check()
        return
    except (FileNotFoundError, ValueError) as error:
        show = st.info if isinstance(error, FileNotFoundError) else st.error
        problem = str(error).removesuffix(mnist_files.WAY_OUT)  # that is this page
        show(f"{problem}Until MNIST is added, UCI's 1,797 coarser digits stand in for it.")
    _download()
    _upload()


def _download() -> None:
    if not st.button(
        "Download MNIST (11 MB)", type="primary", icon=":material/download:", key="data-download"
    ):
        return
    bar = st.progress(0.0, "Downloading MNIST …")

    def progress(done: int, total: int) -> None:
        bar.progress(min(done / (total or 12e6), 1.0), f"{done / 1e6:.1f} MB")

    try:
        mnist_files.download(progress)
    except (OSError, ValueError) as error:
        bar.empty()
        st.error(as_text(error), icon=":material/cloud_off:")
    else:
        _show_mnist()


def _upload() -> None:
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
            _forget()  # a CSV file changes what mnist-small is
        except (OSError, ValueError) as error:
            st.error(as_text(error))
    if files and datasets.available("mnist"):
        _show_mnist()


def _show_mnist() -> None:
    """Rerun the page with MNIST, which has just been added."""
    _forget()
    st.session_state["dataset"] = "mnist"
    st.toast("MNIST is here.", icon=":material/check_circle:")
    st.rerun()


def _forget() -> None:
    overview.clear()
    test_set.clear()
