"""A visitor without a browser: opens a page, reads what it shows, clicks, and uploads files."""

import re
import time
import urllib.request
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from benchmarks.visitors import socket_of

PATIENCE = 120.0  # seconds that a page may take
BOUNDARY = "digits-benchmark"


class Tab:
    """A page of the app, opened by the link's parameters such as ``dataset=uci``."""

    def __init__(self, address: str, link: str = "", page: str = "") -> None:
        self.address, self.link, self.page = address, link, page
        self.socket = connect(**socket_of(address), open_timeout=PATIENCE)
        self.script = self.session = ""
        self.deltas: dict[tuple[int, ...], Delta] = {}
        self.look()

    def look(self, fragment: str = "", widgets: list[dict[str, Any]] | None = None) -> float:
        """Run the page's script, or a fragment of it; returns the seconds until all has come.

        ``widgets`` are those that the visitor has just used, each its ``id`` and its value.
        """
        message = BackMsg()
        said = message.rerun_script
        said.query_string, said.page_script_hash, said.fragment_id = (
            self.link,
            self.script,
            fragment,
        )
        said.page_name = "" if self.script else self.page
        for widget in widgets or []:
            said.widget_states.widgets.add(**widget)
        if not fragment:
            self.deltas.clear()
        begun = time.perf_counter()
        self.socket.send(message.SerializeToString())
        while self._take().WhichOneof("type") != "script_finished":
            pass
        return time.perf_counter() - begun

    def _take(self) -> ForwardMsg:
        """Take one message; of scripts that end early to run again, it goes on to the last."""
        message = ForwardMsg.FromString(bytes(self.socket.recv(timeout=PATIENCE)))
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
        elif kind == "navigation":
            self.script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.link = message.page_info_changed.query_string
        elif kind == "delta":
            self.deltas[tuple(message.metadata.delta_path)] = message.delta
        early = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
        return self._take() if kind == "script_finished" and early else message

    def text(self) -> str:
        """All that is on the page; what is not ASCII is written as escapes."""
        return "\n".join(map(str, self.deltas.values()))

    def find(self, kind: str, label: str) -> tuple[Any, str]:
        """The first element of that kind whose label matches, and its fragment.

        Raises ``LookupError`` when there is none.
        """
        for delta in self.deltas.values():
            if delta.new_element.WhichOneof("type") == kind:
                element = getattr(delta.new_element, kind)
                if re.fullmatch(rf"(:\w+\[)?({label})\]?", element.label):  # in a color or not
                    return element, delta.fragment_id
        raise LookupError(f"The page has no {kind} {label}.")

    def click(self, label: str, *others: dict[str, Any]) -> float:
        """Click a button; ``others`` are the widgets of its form."""
        button, fragment = self.find("button", label)
        return self.look(fragment, [{"id": button.id, "trigger_value": True}, *others])

    def uploaded(self, label: str, name: str, content: bytes) -> dict[str, Any]:
        """Send a file to the server; returns the state of the uploader that holds it."""
        message = BackMsg()
        asked = message.file_urls_request
        asked.request_id, asked.session_id = "upload", self.session
        asked.file_names.append(name)
        self.socket.send(message.SerializeToString())
        while (answer := self._take()).WhichOneof("type") != "file_urls_response":
            pass
        [urls] = answer.file_urls_response.file_urls
        self._put(urls.upload_url, name, content)
        state: dict[str, Any] = {"id": self.find("file_uploader", label)[0].id}
        info = {"name": name, "size": len(content), "file_id": urls.file_id, "file_urls": urls}
        return {**state, "file_uploader_state_value": {"uploaded_file_info": [info]}}

    def _put(self, path: str, name: str, content: bytes) -> None:
        health = urllib.request.urlopen(f"{self.address}/_stcore/health")
        cookie = health.headers["Set-Cookie"].partition(";")[0]
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        request = urllib.request.Request(
            f"{self.address}{path}",
            b"".join([head.encode(), content, f"\r\n--{BOUNDARY}--\r\n".encode()]),
            {
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                "Cookie": cookie,
                "X-Xsrftoken": cookie.partition("=")[2],
            },
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=PATIENCE).close()

    def close(self) -> None:
        self.socket.close()
