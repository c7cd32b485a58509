"""What all who watch the same thing are told in one small file, which their browsers fetch.

When a script of Streamlit's runs for each visitor, each look costs the server 25 ms and some thirty
messages; a file costs 4 ms. Components follow it by ``FOLLOW``, and ``run_when_told`` runs the
fragment again when the file tells of more than the components can show by themselves.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import streamlit as st

from widgets.shared.static import STATIC, module

FOLDER = STATIC / "live"
PACE = 0.2  # seconds from one look at what there is to tell to the next
KEPT = 60.0  # seconds for which a file is kept up to date after a page has asked for its address
BLOCK = 4096  # bytes, to which a file is filled: one whose size changes while it is sent is cut off
OLD = 3600.0  # seconds after which a file is one that a killed server has left behind

# In the JavaScript of a component: ``follow(element, address, show)``, as in that module.
FOLLOW = """
let feed
const follow = (element, address, show) => {
  if (address) feed ??= import(new URL('MODULE', document.baseURI))
  feed?.then((module) => module.follow(element, address, show), () => {})
}
""".replace("MODULE", module("feed.mjs"))

TICKER = """
const LOST = 15  // seconds until a look is asked for again that did not come
FOLLOW
export default function ({ data, parentElement, setTriggerValue }) {
  const wait = (seconds) => {
    clearTimeout(parentElement.timer)
    parentElement.timer = setTimeout(look, 1000 * seconds)
  }
  let told = false
  const look = () => {
    told = !document.hidden
    if (told) setTriggerValue('tick', true)
    wait(told ? LOST : data.seconds)
  }
  wait(data.seconds)
  follow(parentElement, data.feed, (content) => {
    if (told || content?.look <= data.look) return
    told = true
    wait(Math.random() * (content?.spread ?? 0))
  })
  feed.catch(() => wait(1))
  return () => {
    clearTimeout(parentElement.timer)
    follow(parentElement)
  }
}
""".replace("FOLLOW", FOLLOW)
_mount = st.components.v2.component("digits_feed_ticker", js=TICKER)

_lock = threading.Lock()
_feeds: dict[str, "_Feed"] = {}


def feed(name: str, content: Callable[[], bytes]) -> str:
    """The address of a file that has what ``content`` gives, for a minute after the last call.

    ``content`` gives a JSON object with ``seconds``, after which pages ask again, and for
    ``run_when_told`` ``look``, and ``spread``: the seconds over which the looks of all pages are
    spread at random, so that a crowd does not keep the file itself waiting. It is called in a
    thread of its own, a few times a second. Where it raises ``OSError`` or ``ValueError`` the file
    is removed, and pages look for themselves once a second.
    """
    with _lock:
        known = _feeds.get(name) or _Feed(name, content)
        known.asked = time.monotonic()
        if name not in _feeds:
            with suppress(OSError, ValueError):
                known.tell()
                known.start()
                _feeds[name] = known
    return f"app/static/{FOLDER.name}/{known.path.name}"


def run_when_told(address: str, look: int, seconds: float, *, key: str) -> None:
    """Run the fragment that calls this again once the file tells of a later ``look``.

    It also runs when the browser has shown it for ``seconds``, or when there is no such file.
    """
    data = {"feed": address, "look": look, "seconds": seconds, "asked": time.time_ns()}
    _mount(data=data, key=key)


class _Feed(threading.Thread):
    def __init__(self, name: str, content: Callable[[], bytes]) -> None:
        super().__init__(name=f"feed of {name}", daemon=True)
        self.key, self.content = name, content
        self.asked = 0.0  # when a page has last asked for the address; of time.monotonic
        self.told = b""

    def run(self) -> None:
        with suppress(OSError, ValueError):
            while time.monotonic() < self.asked + KEPT:
                time.sleep(PACE)
                self.tell()
        with _lock, suppress(OSError):
            del _feeds[self.key]
            self.path.unlink(missing_ok=True)

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.key}-{os.getpid()}.json"  # other servers have times of their own

    def tell(self) -> None:
        """Write the file anew when its content has changed."""
        if (content := self.content()) != self.told:
            _make_folder()
            partial = self.path.with_suffix(".part")
            partial.write_bytes(content.ljust(-(-len(content) // BLOCK) * BLOCK))
            partial.replace(self.path)
            self.told = content


@cache
def _make_folder() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in FOLDER.iterdir():
        if time.time() - file.stat().st_mtime > OLD:
            file.unlink(missing_ok=True)
