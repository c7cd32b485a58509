"""Cards side by side that are as tall as the window leaves room for, one below another on a phone.

Streamlit's containers have heights in pixels only. This component brings the few rules of style
for the cards' keys, the page's heading for screen readers, and the scrolling of a phone to a card
whose content has changed.
"""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

# --card is the height of a card's content: the window less the menu, two lines of controls and
# the card's own padding.
CSS = """
:root { --card: min(26rem, 95vw); }
@media (min-width: 641px) {
  :root { --card: clamp(26rem, 100dvh - 15rem, 62rem); }
  .stVerticalBlock[class*="st-key-card-"] { flex: none; height: calc(var(--card) + 2.2rem);
    overflow: hidden auto; scrollbar-width: thin; }
}
[class*="st-key-card-"] { scroll-margin-top: 4.5rem; }
.digits-heading { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); margin: 0; }
"""

JS = """
export default function ({ data, parentElement }) {
  const heading = parentElement.querySelector('h1')
  heading.textContent = data.heading
  heading.hidden = !data.heading
  const { shown } = data, last = parentElement.shown
  parentElement.shown = shown
  const card = document.querySelector('.st-key-' + data.card)
  if (!card || !shown || shown === last || innerWidth > 640) return
  // Its content comes bit by bit: follow it until the visitor scrolls or it has all come.
  const following = new ResizeObserver(() => card.scrollIntoView())
  const stop = () => following.disconnect()
  following.observe(card)
  setTimeout(stop, 3000)
  for (const event of ['touchstart', 'wheel', 'keydown'])
    addEventListener(event, stop, { once: true })
}
"""

_mount = st.components.v2.component(
    "digits_cards",
    html='<h1 class="digits-heading"></h1>',
    css=CSS,
    js=JS,
    isolate_styles=False,  # the rules are for the cards
)


def cards(widths: Sequence[float], key: str) -> list[DeltaGenerator]:
    """Bordered containers side by side, of these relative widths and of one height."""
    return [
        column.container(border=True, key=f"card-{key}-{number}", gap="xsmall")
        for number, column in enumerate(st.columns(widths, gap="small"))
    ]


def page_heading(heading: str, key: str, shown: str = "") -> None:
    """The page's heading, for screen readers; takes no room but is needed by ``cards``.

    It is "" where the page shows a title of its own.
    When ``shown`` changes to another text, a phone scrolls to the last of three cards.
    """
    data = {"heading": heading, "card": f"card-{key}-2", "shown": shown}
    _mount(data=data, key=f"{key}-heading", width="content")
