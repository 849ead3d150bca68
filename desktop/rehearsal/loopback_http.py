"""A threaded HTTP server on 127.0.0.1 that leaves no thread and no socket behind."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_log = logging.getLogger(__name__)


class LoopbackHttpServer(ThreadingHTTPServer):
    """Serves from its making until `close`; handlers find what they need in a subclass."""

    daemon_threads = False  # so that `server_close` joins them
    allow_reuse_address = True

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="loopback-http"
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Answer requests in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering, cut what is open, and return when every thread has ended."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                cut(connection)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that an idle one can be cut."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong; a client that went away is nothing."""
        error = sys.exception()
        if not isinstance(error, OSError):
            _log.error("the loopback server failed on a request", exc_info=error)


def cut(connection: socket.socket) -> None:
    """End a connection in both directions; whoever reads or writes on it notices at once."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        _log.debug("the connection had ended already")
