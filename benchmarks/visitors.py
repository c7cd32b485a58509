"""Visitors of a run's page without a browser: each says to the server what a real tab said.

A hundred tabs of Chromium are more than two cores can draw, so one real tab is listened to, and its
words are repeated over as many connections as there are to be visitors, at the pace that the
server asks for. They read what the server sends as a tab would, but for drawing it.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

TICKER = "digits_feed_ticker"  # the component by which a page looks again at a run
TRAINING = ", training"  # so ends the name of the curve that grows: the page's run's, not others'
TRAINING_CURVE = f"""const trainingCurve = () => [...document.querySelectorAll('.plot')]
    .find(plot => plot.getAttribute('aria-label')?.startsWith('Loss'))
    ?.data?.find(trace => trace.name?.endsWith('{TRAINING}'))"""
LOST = 15.0  # seconds after which the ticker asks again for a look that did not come
MISSING = 1.0  # seconds after which a page asks again for a feed that is not there
PACE = 0.3  # seconds between two arrivals: nobody opens a page in the same instant as all others


@dataclass
class Visitor:
    """What a visitor of a run's page has seen, in seconds since 1970."""

    arrivals: list[tuple[float, float]] = field(default_factory=list)  # when, the curve's end
    result: float = float("inf")  # when the test accuracy came
    received: int = 0  # bytes

    def see(self, epochs: list[float]) -> None:
        """Note the curve of training when it has a new end."""
        if epochs and (not self.arrivals or self.arrivals[-1][1] != epochs[-1]):
            self.arrivals.append((time.time(), epochs[-1]))


class Words:
    """What a page's tab says: its first message, and those by which it looks again."""

    def __init__(self, page: Page) -> None:
        self.opening = self.poll = self.tick = b""
        self.page = page
        page.on("websocket", lambda socket: socket.on("framesent", self.hear))

    def wait_for_look(self) -> None:
        """Wait until the page has looked at its run again."""
        while not self.tick:
            self.page.wait_for_timeout(100)

    def hear(self, payload: str | bytes) -> None:
        if isinstance(payload, str):
            return
        message = BackMsg.FromString(payload)
        if not message.HasField("rerun_script"):
            return
        said = message.rerun_script
        if said.is_auto_rerun:
            self.poll = payload
        elif any("ticker" in state.id for state in said.widget_states.widgets):
            self.tick = payload
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


async def visit(address: str, words: Words, visitor: Visitor) -> None:
    """Open the page and stay, noting what arrives."""
    async with connect(**socket_of(address)) as socket:
        await socket.send(words.opening)
        timers = _Timers(socket, words, _Feed(address, visitor))
        try:
            async for payload in socket:
                assert isinstance(payload, bytes)
                visitor.received += len(payload)
                message = ForwardMsg.FromString(payload)
                timers.follow(message)
                if message.WhichOneof("type") == "delta":
                    _note(message, visitor)
        finally:
            timers.stop()


class _Timers:
    """By which a tab looks again: those of fragments, and the ticker of the live view."""

    def __init__(self, socket: ClientConnection, words: Words, feed: "_Feed") -> None:
        self.socket, self.words, self.feed = socket, words, feed
        self.running: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self.known: dict[str, None] = {}  # hashes of what the server need not send again
        self.shown: set[str] = set()  # fragments that the script has shown, the ticker with them
        self.home = ""  # the fragment that the ticker is in
        self.told: dict[str, Any] = {}  # what the ticker was told last
        self.due = 0.0  # when it looks again though the feed tells of nothing; of time.monotonic

    def follow(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if message.metadata.cacheable and message.hash:
            self.known[message.hash] = None
        if kind == "auto_rerun":
            name = message.auto_rerun.fragment_id
            self.start(name, message.auto_rerun.interval, self.words.poll)
        elif kind == "stop_auto_rerun":
            for name in message.stop_auto_rerun.fragment_ids:
                self.cancel(name)
        elif kind == "new_session":
            self.shown = set()
        elif kind == "delta":
            component = message.delta.new_element.bidi_component
            self.shown.add(message.delta.fragment_id)
            if component.component_name == TICKER:
                self.home = message.delta.fragment_id
                self.shown.add(TICKER)
                self.told = json.loads(component.json)
                self.due = time.monotonic() + self.told["seconds"]
                if TICKER not in self.running:
                    self.running[TICKER] = 0.0, asyncio.create_task(self.follow_feed())
        elif (
            kind == "script_finished"
            and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
            and TICKER not in self.shown
            and self.home in self.shown
        ):
            self.cancel(TICKER)  # its fragment was shown without it

    def start(self, name: str, seconds: float, said: bytes) -> None:
        if name in self.running and self.running[name][0] == seconds:
            return
        self.cancel(name)
        message = BackMsg.FromString(said)
        message.rerun_script.fragment_id = name
        self.running[name] = seconds, asyncio.create_task(self.repeat(name, message, seconds))

    def cancel(self, name: str) -> None:
        if name in self.running:
            self.running.pop(name)[1].cancel()

    def stop(self) -> None:
        for name in list(self.running):
            self.cancel(name)

    async def repeat(self, name: str, message: BackMsg, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self.say(message)

    async def follow_feed(self) -> None:
        """Ask for the feed, and look again when it tells of more, as the ticker does."""
        message = BackMsg.FromString(self.words.tick)
        answered: dict[str, Any] = {}
        try:
            while True:
                content = await self.feed.ask(self.told["feed"])
                more = content is None or content["look"] > self.told["look"]
                now = time.monotonic()
                if more and self.told is not answered:
                    answered, spread = self.told, content["spread"] if content else 0
                    self.due = now + random.random() * spread
                if now > self.due:
                    answered, self.due = self.told, now + LOST
                    await self.say(message)
                await asyncio.sleep(content["seconds"] if content else MISSING)
        finally:
            self.feed.close()

    async def say(self, message: BackMsg) -> None:
        hashes = message.rerun_script.cached_message_hashes
        del hashes[:]
        hashes.extend(list(self.known)[-20:])  # a tab forgets old ones too
        await self.socket.send(message.SerializeToString())


class _Feed:
    """Asks for the feed over one connection, as a browser does."""

    def __init__(self, address: str, visitor: Visitor) -> None:
        self.host, self.visitor = address.removeprefix("http://"), visitor
        self.connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str) -> dict[str, Any] | None:
        """What the feed has now; ``None`` where there is none."""
        head, body = await self.get(path) or await self.get(path) or ("", b"")
        self.visitor.received += len(head) + len(body)
        if " 200 " not in head.partition("\r")[0]:
            return None
        content: dict[str, Any] = json.loads(body)
        self.visitor.see(content["loss"]["traces"][0]["x"])
        if "test accuracy" in content["progress"]["words"]:
            self.visitor.result = min(self.visitor.result, time.time())
        return content

    async def get(self, path: str) -> tuple[str, bytes] | None:
        """Head and body; ``None`` when the server closes the connection, as it does at rest."""
        try:
            if self.connection is None:
                name, _, port = self.host.partition(":")
                self.connection = await asyncio.open_connection(name, int(port))
            reader, writer = self.connection
            writer.write(f"GET /{path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].partition("\r")[0])
            return head, await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return None

    def close(self) -> None:
        if self.connection:
            self.connection[1].close()
            self.connection = None


def _note(message: ForwardMsg, visitor: Visitor) -> None:
    element = message.delta.new_element
    if element.metric.label == "Test accuracy":
        visitor.result = min(visitor.result, time.time())
    component = element.bidi_component
    if "curve-loss" not in component.id:
        return
    sent = json.loads(component.json if component.HasField("json") else component.mixed.json)
    traces = json.loads(sent["figure"])["traces"]
    x = next(trace["x"] for trace in traces if trace["name"].endswith(TRAINING))
    visitor.see(x)


@contextmanager
def visitors(count: int, address: str, words: Words) -> Iterator[list[Visitor]]:
    """A number of visitors at once; gives what each has noted, while it goes on."""
    crowd = [Visitor() for _ in range(count)]
    loop = asyncio.new_event_loop()

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as visits:
            for visitor in crowd:
                visits.create_task(visit(address, words, visitor))
                await asyncio.sleep(PACE)

    work = loop.create_task(all_of_them())

    thread = threading.Thread(target=loop.run_until_complete, args=[asyncio.wait([work])])
    thread.start()
    try:
        yield crowd
    finally:
        failed = work.done()
        loop.call_soon_threadsafe(work.cancel)
        thread.join()
        if failed:
            work.result()
