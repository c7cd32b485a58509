"""Visitors of a run's page without a browser: each says to the server what a real tab said.

Thirty tabs of Chromium are more than two cores can draw, so one real tab is listened to, and its
words are repeated over as many connections as there are to be visitors, at the pace that the
server asks for. They read what the server sends as a tab would, but for drawing it.
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

Arrivals = list[tuple[float, float]]  # seconds since 1970, the curve's last point in epochs


class Words:
    """What a page's tab says: its first message, and the one by which it polls."""

    def __init__(self, page: Page) -> None:
        self.opening = self.poll = b""
        page.on("websocket", lambda socket: socket.on("framesent", self.hear))

    def hear(self, payload: str | bytes) -> None:
        if isinstance(payload, str):
            return
        message = BackMsg.FromString(payload)
        if not message.HasField("rerun_script"):
            return
        if message.rerun_script.is_auto_rerun:
            self.poll = payload
        elif not self.opening:
            self.opening = payload


def socket_of(address: str) -> dict[str, Any]:
    """What a page's tab says to connect to a server."""
    return {
        "uri": address.replace("http", "ws") + "/_stcore/stream",
        "subprotocols": ["streamlit"],
        "max_size": None,
        "compression": None,
    }


async def visit(address: str, words: Words, arrivals: Arrivals) -> None:
    """Open the page and stay, noting when the curve of the loss has a new last point."""
    async with connect(**socket_of(address)) as socket:
        await socket.send(words.opening)
        polls: dict[str, asyncio.Task[None]] = {}
        kept: dict[str, None] = {}  # hashes of what the server need not send again
        try:
            async for payload in socket:
                assert isinstance(payload, bytes)
                message = ForwardMsg.FromString(payload)
                kind = message.WhichOneof("type")
                if message.metadata.cacheable and message.hash:
                    kept[message.hash] = None
                if kind == "auto_rerun":
                    name, pace = message.auto_rerun.fragment_id, message.auto_rerun.interval
                    if name in polls:
                        polls.pop(name).cancel()
                    polls[name] = asyncio.create_task(_poll(socket, words, name, pace, kept))
                elif kind == "stop_auto_rerun":
                    for name in message.stop_auto_rerun.fragment_ids:
                        if name in polls:
                            polls.pop(name).cancel()
                elif kind == "delta":
                    _note(message, arrivals)
        finally:
            for poll in polls.values():
                poll.cancel()


async def _poll(
    socket: ClientConnection, words: Words, fragment: str, pace: float, kept: dict[str, None]
) -> None:
    message = BackMsg.FromString(words.poll)
    state = message.rerun_script
    state.fragment_id = fragment
    while True:
        await asyncio.sleep(pace)
        del state.cached_message_hashes[:]
        state.cached_message_hashes.extend(list(kept)[-20:])  # a tab forgets old ones too
        await socket.send(message.SerializeToString())


def _note(message: ForwardMsg, arrivals: Arrivals) -> None:
    component = message.delta.new_element.bidi_component
    if "curve-loss" not in component.id:
        return
    sent = json.loads(component.json if component.HasField("json") else component.mixed.json)
    x = json.loads(sent["figure"])["traces"][1]["x"]
    if x and (not arrivals or arrivals[-1][1] != x[-1]):
        arrivals.append((time.time(), x[-1]))


@contextmanager
def visitors(count: int, address: str, words: Words) -> Iterator[list[Arrivals]]:
    """So many visitors at once; gives what each has noted, while it goes on."""
    noted: list[Arrivals] = [[] for _ in range(count)]
    loop = asyncio.new_event_loop()

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as visits:
            for arrivals in noted:
                visits.create_task(visit(address, words, arrivals))
                await asyncio.sleep(0.3)  # nobody opens a page in the same instant as all others

    work = loop.create_task(all_of_them())

    thread = threading.Thread(target=loop.run_until_complete, args=[asyncio.wait([work])])
    thread.start()
    try:
        yield noted
    finally:
        failed = work.done()
        loop.call_soon_threadsafe(work.cancel)
        thread.join()
        if failed:
            work.result()
