"""Offers MNIST where it is missing: one line with a button, then the download's progress."""

from collections.abc import Callable

import streamlit as st

from digits.data import mnist_download, mnist_files
from widgets.shared.format import as_text
from widgets.shared.session import test_set

WANTED = "mnist-wanted"  # in the session of a visitor who has asked for MNIST
INTERVAL = 0.5  # seconds between two looks at the download


def offer_mnist(added: Callable[[], None], *, data_page: bool = False) -> None:
    """Say what stands in for MNIST and offer to download it; nothing while MNIST is here.

    The download is the server's, so that it goes on when the visitor leaves. ``added`` is called
    once for a visitor who asked for it, before the page runs again with MNIST. ``data_page`` says
    that this is the Data page, to which others link where the download fails.
    """
    try:
        mnist_files.check()
    except FileNotFoundError as error:
        _offer(str(error), ":material/info:", data_page)
    except ValueError as error:
        _offer(str(error), ":material/broken_image:", data_page)
    else:
        if st.session_state.pop(WANTED, False):
            test_set.clear()  # a CSV file stood in for it
            added()
            st.toast("MNIST is here.", icon=":material/check_circle:")
            st.rerun()


def _offer(problem: str, icon: str, data_page: bool) -> None:
    running = mnist_download.progress().running
    st.fragment(_line, run_every=INTERVAL if running else None)(problem, icon, running, data_page)


def _line(problem: str, icon: str, was_running: bool, data_page: bool) -> None:
    progress = mnist_download.progress()
    if progress.running != was_running:
        st.rerun()  # with MNIST, or with what went wrong
    with st.container(horizontal=True, vertical_alignment="center", key="mnist-offer"):
        if progress.running:
            done, total = progress.done / 1e6, progress.total / 1e6
            text = f"Downloading MNIST: {done:.1f} of {total:.1f} MB" if total else "Connecting …"
            st.progress(min(1.0, done / total) if total else 0.0, text, width=420)
            if st.button("Stop", icon=":material/stop:", key="mnist-stop"):
                st.session_state.pop(WANTED, None)
                mnist_download.stop()
                st.rerun()
            return
        missing = problem.removesuffix(mnist_files.WAY_OUT)  # which is the button
        text = progress.problem or f"{missing}UCI's 1,797 coarser digits stand in for it."
        st.markdown(f"{icon} {as_text(text)}", width="content")
        label = "Try again" if progress.problem else "Download MNIST (11 MB)"
        if st.button(label, icon=":material/download:", key="mnist-download"):
            st.session_state[WANTED] = True
            mnist_download.start()
            st.rerun()
        if progress.problem and not data_page:
            st.page_link("pages/data.py", label="Data", icon=":material/dataset:")
