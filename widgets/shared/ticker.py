"""A timer that runs a fragment again as long as the fragment asks for it."""

import streamlit as st

# A timer of Streamlit's (``run_every``) ends or slows down only when the whole page reruns: with a
# hundred visitors that took ten seconds. This one does as the fragment says each time.
JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  clearInterval(parentElement.timer)
  const look = () => { if (!document.hidden) setTriggerValue('tick', true) }
  parentElement.timer = setInterval(look, 1000 * data.seconds)
  return () => clearInterval(parentElement.timer)
}
"""
_mount = st.components.v2.component("digits_ticker", js=JS)


def run_again(seconds: float, *, key: str) -> None:
    """Run the fragment that calls this again, every ``seconds`` until it no longer does."""
    _mount(data={"seconds": seconds}, key=key)
