"""Requests that are under way while the network fails: what came of them, and how they ended."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from desktop.core.events import Endpoint
from desktop.rehearsal.scripted_engine.replies import Script

_QUESTION = "What does the sea sound like?"
_SECONDS = 60.0  # of silence, then it counts as cut


class Asking:
    """One request through a local port, on a thread of its own.

    Attributes:
        over: set when nothing more will come.
        is_whole: the answer came to its end.
    """

    def __init__(self, endpoint: Endpoint, path: str, fields: dict[str, object]) -> None:
        self.over = threading.Event()
        self.is_whole = False
        self._endpoint = endpoint
        self._path = path
        self._fields = fields
        self._sock: socket.socket | None = None
        self._thread = threading.Thread(target=self._ask, name="asking")

    def start(self) -> None:
        """Ask; the port is looked for in the network of the calling thread."""
        self._thread.start()

    def stop(self) -> None:
        """Hang up, and wait for the thread; safe more than once."""
        sock = self._sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _ask(self) -> None:
        url = urlsplit(self._endpoint.base_url)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_SECONDS)
        try:
            connection.connect()
            self._sock = connection.sock
            headers = {"Authorization": f"Bearer {self._endpoint.api_key}"}
            connection.request("POST", self._path, json.dumps(self._fields), headers)
            with connection.getresponse() as response:
                self._read(response)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()
            self.over.set()

    def _read(self, response: http.client.HTTPResponse) -> None:
        response.read()
        self.is_whole = response.status == http.client.OK


class Streaming(Asking):
    """A reply that streams."""

    def __init__(self, endpoint: Endpoint, tokens: int) -> None:
        fields: dict[str, object] = {
            "model": endpoint.model,
            "stream": True,
            "max_tokens": tokens,
            "messages": [{"role": "user", "content": _QUESTION}],
        }
        script = Script(endpoint.model, endpoint.max_model_len, tokens, 0)
        self._expected = script.reply(fields, is_chat=True).tokens
        self._pieces: list[str] = []
        super().__init__(endpoint, "/v1/chat/completions", fields)

    @property
    def size(self) -> int:
        """How many pieces of text came so far."""
        return len(self._pieces)

    @property
    def is_in_order(self) -> bool:
        """Whether what came is how the reply begins: nothing left out, nothing twice."""
        pieces = list(self._pieces)
        return pieces == self._expected[: len(pieces)]

    def _read(self, response: http.client.HTTPResponse) -> None:
        while line := response.readline():
            if line.startswith(b"data: {"):
                content = json.loads(line[6:])["choices"][0]["delta"].get("content")
                self._pieces += [content] if content else []
            self.is_whole |= line.startswith(b"data: [DONE]")


class Bulk(Asking):
    """Megabytes up, and about as many down: the tokens of a very long text."""

    def __init__(self, endpoint: Endpoint, words: int) -> None:
        fields: dict[str, object] = {"model": endpoint.model, "prompt": "word " * words}
        super().__init__(endpoint, "/tokenize", fields)
