"""A gallery of digits, each a button with a caption, and montages of many small images.

The browser cuts all digits out of one sprite, so a thousand digits load as fast as one; a
Streamlit image and button for each would take 15 seconds.
"""

import base64
import io
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from widgets.shared.feed import FOLLOW
from widgets.shared.plot import followed

SPRITE_COLUMNS = 25
UNSET = -1

CSS = """
.gallery { display: grid; gap: 0.75rem 0.25rem; padding: 0.25rem;
  grid-template-columns: repeat(auto-fill, minmax(calc(var(--size) + var(--around)), 1fr)); }
.gallery.fitted { overflow: hidden auto; align-content: start; gap: 0.25rem; padding: 2px;
  scrollbar-width: thin; }
.fitted button { gap: 0.1rem; padding: 2px; }
button { display: flex; flex-direction: column; align-items: center; gap: 0.25rem; padding: 0.25rem;
  border: 0; border-radius: var(--st-base-radius); background: none; color: var(--st-text-color);
  font: 0.75rem/1.3 var(--st-font); font-variant-numeric: tabular-nums; cursor: pointer; }
button:hover { background: var(--st-secondary-background-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
button[aria-pressed=true] { background: var(--st-secondary-background-color);
  box-shadow: inset 0 0 0 2px var(--st-primary-color); }
i { flex: none; width: var(--size); height: var(--size); border-radius: 3px;
  image-rendering: pixelated; }
span { white-space: pre; text-align: center; }
"""

JS = """
FOLLOW
const SMALLEST = 32 // pixels

export default function ({ data, parentElement, setTriggerValue }) {
  const gallery = parentElement.querySelector('.gallery')
  const { columns, sprite, since } = data
  if (gallery.since > since) return
  gallery.since = since
  const captions = JSON.parse(data.captions)
  if (gallery.sprite !== sprite) {
    parentElement.querySelector('.sprite').textContent = `i {
      background-image: url(${sprite}); background-size: calc(${columns} * var(--size)) auto }`
    gallery.sprite = sprite
    gallery.last = undefined
  }
  const buttons = gallery.children
  while (buttons.length > captions.length) gallery.lastChild.remove()
  while (buttons.length < captions.length) {
    const button = gallery.appendChild(document.createElement('button'))
    button.append(document.createElement('i'), document.createElement('span'))
  }
  const all = [...buttons]
  // One tab stop, arrow keys within; the digit clicked last stays marked.
  const reach = (index) => all.forEach((button, i) => { button.tabIndex = i === index ? 0 : -1 })
  const mark = () => all.forEach((button, i) =>
    button.setAttribute('aria-pressed', i === gallery.last))
  all.forEach((button, i) => {
    const picture = button.firstChild
    const column = -(i % columns), row = -Math.floor(i / columns)
    picture.style.backgroundPosition = `calc(${column} * var(--size)) calc(${row} * var(--size))`
  })
  const tell = (captions, names) => all.forEach((button, i) => {
    const text = button.lastChild
    if (text.textContent !== captions[i]) text.textContent = captions[i]
    button.setAttribute('aria-label', names[i])
    button.title = names[i]
  })
  tell(captions, JSON.parse(data.names))
  follow(gallery, data.feed, (content) => {
    const told = content?.since > since && content[data.part]
    if (told) tell(told.captions, told.names)
  })
  if (data.selected !== undefined) gallery.last = data.selected ?? undefined
  const focused = all.indexOf(parentElement.activeElement)
  reach(gallery.last ?? Math.max(focused, 0))
  mark()
  const resize = (size) => {
    gallery.style.setProperty('--size', size + 'px')
    gallery.style.setProperty('--around', data.height ? '8px' : '1.25rem')
  }
  gallery.classList.toggle('fitted', Boolean(data.height))
  gallery.style.gridTemplateColumns = data.inRow ? `repeat(${data.inRow}, minmax(0, 1fr))` : ''
  gallery.style.height = data.height ?? ''
  const fit = () => {
    const room = data.inRow ? Math.floor(gallery.clientWidth / data.inRow) - 10 : Infinity
    const largest = Math.min(data.size, room)
    resize(largest)
    for (let size = largest; data.height && size > SMALLEST
      && gallery.scrollHeight > gallery.clientHeight; size -= 4) resize(size - 4)
  }
  fit()
  gallery.resizing?.disconnect()
  gallery.resizing = data.height && new ResizeObserver(fit)
  gallery.resizing?.observe(gallery)
  gallery.onclick = (event) => {
    const index = all.indexOf(event.target.closest('button'))
    if (index < 0) return
    gallery.last = index
    reach(index)
    mark()
    setTriggerValue('click', index)
  }
  // A dialog that closes gives the focus back to the shadow's host: pass it on to the digit. The
  // host must not get a tabIndex of -1 for this, which would take the digits from the tab key.
  parentElement.host.focus = (options) => all[gallery.last]?.focus(options)
  gallery.onkeydown = (event) => {
    const i = all.indexOf(event.target)
    const inRow = all.filter((button) => button.offsetTop === all[0].offsetTop).length
    const next = { ArrowRight: i + 1, ArrowLeft: i - 1, ArrowDown: i + inRow, ArrowUp: i - inRow,
      Home: 0, End: all.length - 1 }[event.key]
    if (i < 0 || !all[next]) return
    event.preventDefault()
    reach(next)
    all[next].focus()
  }
  return () => {
    follow(gallery)
    gallery.resizing?.disconnect()
  }
}
""".replace("FOLLOW", FOLLOW)

_mount = st.components.v2.component(
    "digits_gallery",
    html='<style class="sprite"></style><div class="gallery" role="group"></div>',
    css=CSS,
    js=JS,
)


def gallery(
    images: np.ndarray,
    captions: Sequence[str],
    *,
    key: str,
    names: Sequence[str],
    size: int = 56,
    height: str | None = None,
    columns: int | None = None,
    selected: int | None = UNSET,
    feed: tuple[str, str] | None = None,
    on_click: Callable[[int], None] | None = None,
) -> int | None:
    """Show digits as buttons; returns the index of the one just clicked, else None.

    ``images`` is (n, 28, 28) uint8, white ink on black. ``captions`` are shown below the digits,
    ``names`` are the buttons' accessible names. ``size`` is a digit's width in pixels, at most;
    with a ``height``, a length in CSS, digits are as much smaller as they must be to show all of
    them there. ``columns`` is how many are in a row, by default as many as fit. ``selected`` is the
    index of the digit to mark, by default the one clicked last. ``feed`` is the address of a feed
    and the part of it that has fresh ``captions`` and ``names``. The index is returned for one run
    of the script; ``on_click`` receives it before that run begins.
    """

    def clicked() -> None:
        index = st.session_state[key].get("click")
        if on_click and index is not None:
            on_click(index)

    # As text: Streamlit imports pandas to look for tables in a component's lists.
    content: dict[str, Any] = {
        "sprite": _sprite(images.tobytes(), images.shape),
        "captions": json.dumps(list(captions)),
        "names": json.dumps(list(names)),
    }
    if selected != UNSET:
        content["selected"] = selected
    shown = followed(feed, key, "".join(map(str, content.values())))
    layout = {"columns": SPRITE_COLUMNS, "inRow": columns, "size": size, "height": height}
    data = {**content, **shown, **layout}
    return _mount(data=data, key=key, on_click_change=clicked).get("click")


def montage(images: np.ndarray, scale: int = 1) -> np.ndarray:
    """Tile images into one: (rows, columns, h, w) to (rows·h·scale, columns·w·scale)."""
    rows, columns, height, width = images.shape
    tiled = images.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    return tiled.repeat(scale, axis=0).repeat(scale, axis=1)


@lru_cache(maxsize=8)
def _sprite(pixels: bytes, shape: tuple[int, ...]) -> str:
    """All images in one PNG, ``SPRITE_COLUMNS`` in a row, as a data URI."""
    images = np.frombuffer(pixels, np.uint8).reshape(shape)
    rows = -(-len(images) // SPRITE_COLUMNS)
    tiles = np.zeros((rows * SPRITE_COLUMNS, *images.shape[1:]), np.uint8)
    tiles[: len(images)] = images
    png = io.BytesIO()
    sprite = montage(tiles.reshape(rows, SPRITE_COLUMNS, *images.shape[1:]))
    Image.fromarray(sprite).save(png, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
