"""The canvas to draw on, with its tools below it, where they are seen and cover nothing."""

from typing import Any

import streamlit as st
from streamlit_drawable_canvas import CanvasResult, st_canvas

from digits.ink.canvas import CANVAS_SIDE

# Its own place for them is over the upper right corner, where they are invisible until a mouse
# comes by, and swallow what a finger begins to draw there.
JS = """
const sheet = new CSSStyleSheet()
sheet.replaceSync(`
  .dc-root { margin-bottom: 2.75rem }
  .dc-root > .dc-toolbar { top: 100% !important; opacity: 1 !important }
`)
export default function () {
  let left = false
  const seek = () => {
    for (const host of document.querySelectorAll('[class*=st-key-canvas] *')) {
      const root = host.shadowRoot
      if (!root?.querySelector('.dc-toolbar') || root.adoptedStyleSheets.includes(sheet)) continue
      root.adoptedStyleSheets.push(sheet)
      return
    }
    if (!left) requestAnimationFrame(seek)
  }
  seek()
  return () => { left = true }
}
"""

_place_tools = st.components.v2.component("digits_canvas_tools", js=JS)


def canvas(brush: int, width: int, *, drawn: dict[str, Any] | None, key: str) -> CanvasResult:
    """A sheet for white ink, ``width`` pixels wide; ``drawn`` is what is on it at first.

    ``brush`` is the width of its line in pixels, ``drawn`` Fabric's own JSON.
    """
    result = st_canvas(
        stroke_width=brush,
        stroke_color="#FFFFFF",
        background_color="#000000",
        width=width,
        height=CANVAS_SIDE,
        initial_drawing=drawn,
        return_image_data=True,
        key=key,
    )
    _place_tools(key=f"tools-{key}")
    return result
