"""The entry: how the pages hang together."""

from contextlib import suppress

import streamlit as st
from streamlit.runtime.scriptrunner import StopException

from widgets.shared.session import check_link

st.set_page_config(page_icon="🔢", layout="wide")
check_link()
page = st.navigation(
    [
        st.Page("pages/train.py", title="Train", icon=":material/model_training:", default=True),
        st.Page("pages/mistakes.py", title="Mistakes", icon=":material/troubleshoot:"),
        st.Page("pages/draw.py", title="Draw", icon=":material/draw:"),
        st.Page("pages/runs.py", title="Runs", icon=":material/format_list_bulleted:"),
        st.Page("pages/drawings.py", title="Drawings", visibility="hidden"),
        st.Page("pages/sweeps.py", title="Sweeps", visibility="hidden"),
        st.Page("pages/data.py", title="Data", visibility="hidden"),
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · Digits")
# Only a script that comes to its end makes Streamlit forget the fragments that the page no longer
# shows. After st.stop, the timer of one would show it where nothing is, and blank the page.
with suppress(StopException):
    page.run()
