"""Saved drawings at an address of their own; the Draw page shows the same."""

import streamlit as st

from widgets.draw.toolbar import SAVED, toolbar
from widgets.drawings.collection import saved_drawings
from widgets.shared.session import via_app

via_app()

source, model = toolbar(fixed=SAVED)
if source != SAVED:
    st.switch_page("pages/draw.py", query_params={"source": source})
saved_drawings(model)
