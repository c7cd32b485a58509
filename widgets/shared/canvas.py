"""The component that digits are drawn on, made to fit its place, and tools for its strokes."""

import io
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from digits.ink.canvas import CANVAS_SIDE, SCREEN_SCALE

# The component has a width of its own, and its tools are over the upper right corner, where they
# are invisible until a mouse comes by, and swallow what a finger begins to draw there. It also
# waits 200 ms before it sends a stroke; its own button, pressed when the pen is lifted, sends it
# at once and ends the wait.
JS = """
const TOOLS = ['Undo', 'Redo', 'Edit']

function fill(root) {  // the canvas takes the width that there is; Fabric asks for its box
  const { width, height } = root.querySelector('.upper-canvas')
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(`
    .dc-root { width: 100%; max-width: ${width}px }
    .dc-container { width: 100% !important; height: auto !important;
      aspect-ratio: ${width} / ${height} }
    .dc-container :is(.canvas-container, canvas) { width: 100% !important;
      height: 100% !important }
    .dc-container, canvas { border-radius: 0.5rem }
    .dc-container { overflow: hidden }
    .dc-toolbar { display: none !important }
  `)
  root.adoptedStyleSheets.push(sheet)
  root.host.closest('[class*=st-key-draw-canvas]').style.width = '100%'
}

function sendAtOnce(root) {
  let drawing = false
  root.addEventListener('pointerdown', ({ target }) => drawing = target.matches('.upper-canvas'))
  const lifted = ({ type, touches }) => {
    if (!root.host.isConnected) document.removeEventListener(type, lifted)
    if (!drawing || touches?.length) return
    drawing = false
    // When all that listens to this event has heard it, the stroke is on the canvas.
    setTimeout(() => root.querySelector('[aria-label^="Update the app"]')?.click())
  }
  document.addEventListener('mouseup', lifted)
  document.addEventListener('touchend', lifted)
}

// Our buttons press those of the component's own tools and look like them.
function connect(tools, root) {
  const toolbar = root.querySelector('.dc-toolbar')
  const pairs = TOOLS.map((name) => [tools.querySelector(`[data-tool=${name}]`),
    toolbar.querySelector(`[aria-label^="${name}"]`)])
  const mirror = () => pairs.forEach(([ours, theirs]) => {
    ours.disabled = theirs.disabled
    const pressed = theirs.getAttribute('aria-pressed')
    if (pressed) ours.setAttribute('aria-pressed', pressed)
  })
  pairs.forEach(([ours, theirs]) => { ours.onclick = () => theirs.click() })
  new MutationObserver(mirror).observe(toolbar, { subtree: true, attributes: true })
  mirror()
}

export default function ({ parentElement }) {
  const tools = parentElement.querySelector('.tools')
  let left = false
  const seek = () => {
    for (const host of document.querySelectorAll('[class*=st-key-draw-canvas] *')) {
      const root = host.shadowRoot
      if (!root?.querySelector('.dc-toolbar button') || root.connected) continue
      root.connected = true
      fill(root)
      sendAtOnce(root)
      connect(tools, root)
      return
    }
    if (!left) requestAnimationFrame(seek)
  }
  seek()
  return () => { left = true }
}
"""
CSS = """
.tools { display: flex; gap: 0.25rem; }
button { display: flex; padding: 0.5rem; border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius); background: none; color: var(--st-text-color);
  cursor: pointer; }
button:hover:enabled { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
button:disabled { opacity: 0.4; cursor: default; }
button[aria-pressed=true] { background: var(--st-primary-color);
  color: var(--st-background-color); }
svg { width: 1.25rem; height: 1.25rem; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round; }
"""
HTML = """
<div class="tools" role="group" aria-label="Strokes">
  <button data-tool="Undo" aria-label="Undo" title="Undo the last stroke">
    <svg viewBox="0 0 24 24"><path d="M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3"/></svg></button>
  <button data-tool="Redo" aria-label="Redo" title="Redo the stroke">
    <svg viewBox="0 0 24 24"><path d="m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3"/></svg></button>
  <button data-tool="Edit" aria-label="Move strokes" aria-pressed="false"
    title="Move, enlarge or turn strokes">
    <svg viewBox="0 0 24 24"><path d="M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3
      3-3 3"/></svg></button>
</div>
"""

_mount_tools = st.components.v2.component("digits_canvas_tools", html=HTML, css=CSS, js=JS)


def canvas(
    brush: int,
    width: int,
    below: np.ndarray | None = None,
    *,
    key: str,
    initial: dict[str, Any] | None = None,
    scale: float = SCREEN_SCALE,
) -> tuple[Any, bytes | None]:
    """A sheet for white ink: Fabric's own JSON of what is on it, and a PNG after the first stroke.

    ``initial`` is what is on it at first, as Fabric's own JSON; ``below`` is a test image under
    it, (28, 28) uint8, of which the PNG shows nothing. Raises ``ValueError`` when the browser did
    not send a drawing.
    """
    picture = io.BytesIO()
    if below is not None:
        side = round(scale * CANVAS_SIDE)
        Image.fromarray(enlarge(below, side)).save(picture, "PNG")
    try:
        result = st_canvas(
            stroke_width=round(scale * brush),
            stroke_color="#FFFFFF",
            background_color="#000000" if below is None else "",
            background_image=picture.getvalue() or None,
            width=round(scale * width),
            height=round(scale * CANVAS_SIDE),
            initial_drawing=initial,
            return_image_data=True,
            key=key,
        )
        return result.json_data, result.image_bytes
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # it trusts the browser
        raise ValueError("The browser did not send a drawing.") from error


def enlarge(image: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def stroke_tools(*, key: str) -> None:
    """Buttons that undo, redo and move the strokes of the canvas that came on the page last."""
    _mount_tools(key=key)
