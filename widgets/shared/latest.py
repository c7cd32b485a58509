"""Lets a component in the browser tell the latest data from older ones that come late.

When a component is new on the page and its data change at once, the browser may hand it the
second data first, and then the first.
"""

import time

import streamlit as st


def content_time(key: str, content: str) -> int:
    """Microseconds since 1970 at which the component of that key got this content."""
    slot, mark = f"{key}-since", hash(content)
    before, moment = st.session_state.get(slot, (None, 0))
    if before != mark:
        moment = time.time_ns() // 1000
        st.session_state[slot] = mark, moment
    return moment
