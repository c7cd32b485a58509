"""What hostile files cost: bombs at the doors of the pages, while another visitor looks on."""

import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed

from benchmarks import served
from benchmarks.bombs import BOMBS, Bomb
from benchmarks.faults.tab import Tab
from benchmarks.measure import figure, goal
from digits.store import runs
from tests.conftest import App

MEMORY, WAIT = 200, 1.0  # MiB that a server may grow by, seconds that another visitor may wait
PAUSE = 0.05  # seconds between two looks of the other visitor
SHORT = "recipe=fast;dataset=uci;conv=8x5p;epochs=1"


def uploads() -> list[dict[str, Any]]:
    """Bombs at each door: how much memory the server takes, how long another visitor waits."""
    lines = []
    for door in DOORS:
        bombs = {name: bomb for name, bomb in BOMBS.items() if bomb.door == door}
        with served.served(DIGITS_DATA="", KERAS_HOME="/nonexistent") as app:
            lines += _at(app, door, bombs)
    return lines


def _at(app: App, door: str, bombs: dict[str, Bomb]) -> list[dict[str, Any]]:
    """The worst of a door, whose server has served both visitors before."""
    server, answers = served.server(app), []
    _opened(app, door).close()
    with Bystander(app) as bystander:
        bystander.longest(3)
        peaks, waits = {}, {}
        for name, bomb in bombs.items():
            tab, content = _opened(app, door), bomb.make()
            bystander.longest(0.5)
            Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # forgets the peak of its memory
            before, begun = served.mebibytes(server), time.perf_counter()
            DOORS[door](tab, bomb.filename, content)
            answers.append(time.perf_counter() - begun)
            waits[name], peaks[name] = bystander.longest(0.5), _peak(server.pid) - before
            tab.close()
            print(
                f"{door:>8} {name:<34} +{peaks[name]:5.0f} MiB, waits {waits[name]:5.2f} s of "
                f"{answers[-1]:5.1f}",
                file=sys.stderr,
            )
    who = f"uploads: {len(bombs)} at {door},"
    return [
        goal(f"{who} MiB more at the peak", [max(peaks.values())], MEMORY, 0),
        goal(f"{who} s another visitor waits", [max(waits.values())], WAIT),
        figure(f"{who} s until the answer", answers),
    ]


class Bystander(threading.Thread):
    """Another visitor, who asks for the Train page over and over; seconds that each took."""

    def __init__(self, app: App) -> None:
        super().__init__(daemon=True)
        self.tab, self.on = Tab(app.url), True
        self.waited: list[float] = []

    def run(self) -> None:
        while self.on:
            self.waited.append(self.tab.look())
            time.sleep(PAUSE)

    def longest(self, more: float) -> float:
        """The longest since this was asked before, ``more`` seconds from now."""
        time.sleep(more)
        looks = len(self.waited)
        while self.is_alive() and len(self.waited) == looks:  # one may have just begun
            time.sleep(PAUSE)
        waited, self.waited = self.waited, []
        return max(waited)

    def __enter__(self) -> "Bystander":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.on = False
        self.join()
        self.tab.close()


def _opened(app: App, door: str) -> Tab:
    """The page of that door, with all that it needs."""
    if door == "drawings":
        return Tab(app.url, page="drawings")
    if door == "mnist":
        return Tab(app.url, page="data")
    if door == "canvas":
        return Tab(app.url, page="draw")
    if door == "photo":
        return Tab(app.url, "source=Photo", "draw")
    tab = Tab(app.url, SHORT)
    tab.click("Train")
    tab.close()
    served.wait_until_done(runs.all()[0])
    return Tab(app.url, urlencode({"view": "label-errors", "search": "upload"}), "mistakes")


def _import(tab: Tab, name: str, content: bytes) -> None:
    tab.click("Import", tab.uploaded("A file of pen digits.*", name, content))


def _add(tab: Tab, name: str, content: bytes) -> None:
    tab.click("Add", tab.uploaded("MNIST files", name, content))


def _photo(tab: Tab, name: str, content: bytes) -> None:
    tab.look("", [tab.uploaded("A photo of digits.*", name, content)])


def _labels(tab: Tab, name: str, content: bytes) -> None:
    _, fragment = tab.find("file_uploader", "Digits with labels")
    tab.look(fragment, [tab.uploaded("Digits with labels", name, content)])


def _canvas(tab: Tab, name: str, content: bytes) -> None:
    for delta in tab.deltas.values():
        component = delta.new_element.bidi_component
        if "drawable" in component.component_name:
            drawing = f'{{"drawing": {content.decode()}}}'
            state = {"id": component.id, "json_value": drawing}
            with suppress(ConnectionClosed):  # where it is larger than any message may be
                tab.look(delta.fragment_id, [state])
            return
    raise LookupError("The page has no canvas.")


def _peak(pid: int) -> float:
    """The most memory that a process has had, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(peak) / 1024


DOORS = {"drawings": _import, "mnist": _add, "photo": _photo, "labels": _labels, "canvas": _canvas}
