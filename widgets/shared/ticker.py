"""A timer that runs a fragment again as long as the fragment asks for it."""

import time

import streamlit as st

# A timer of Streamlit's (``run_every``) ends or slows down only when the whole page reruns: with a
# hundred visitors that took ten seconds. This one does as the fragment says each time, and counts
# from when the last look was shown: a look asked for during another cuts that one short, and on a
# server that is busy none would ever be whole. One that gets lost is asked for again.
JS = """
const LOST = 15  // seconds

export default function ({ data, parentElement, setTriggerValue }) {
  const wait = (seconds) => { parentElement.timer = setTimeout(look, 1000 * seconds) }
  const look = () => {
    if (!document.hidden) setTriggerValue('tick', true)
    wait(document.hidden ? data.seconds : LOST)
  }
  clearTimeout(parentElement.timer)
  wait(data.seconds)
  return () => clearTimeout(parentElement.timer)
}
"""
_mount = st.components.v2.component("digits_ticker", js=JS)


def run_again(seconds: float, *, key: str) -> None:
    """Run the fragment that calls this again, ``seconds`` after the browser has shown it."""
    _mount(data={"seconds": seconds, "asked": time.time_ns()}, key=key)
