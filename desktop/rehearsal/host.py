"""The loopback host: an SSH server on 127.0.0.1 that is this computer, with a home of its own.

Like a rented host it outlives no laptop but its own processes do: what a command detached lives on
when the connection is cut, and when the host itself is closed. The next one, over the same folder,
has the same host key and finds them.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from desktop.core.ssh.destination import Destination
from desktop.rehearsal.keys import kept_key
from desktop.rehearsal.ssh_server import Access, ServerConnection

USER = "kite"

_BACKLOG = 16
_LOOK_S = 0.1  # how soon a closing host notices: not everywhere does a close wake `accept`


class LoopbackHost:
    """Answers SSH on 127.0.0.1 while it is entered.

    Attributes:
        home: HOME of its commands.
        identity: the private key file that it lets in.
        host_key_fingerprint: `SHA256:…` of its own key.
    """

    def __init__(self, folder: Path, *, port: int = 0, password: str | None = None) -> None:
        """Bind `port` (0 = any that is free); keys and the home are kept in `folder`.

        Raises:
            OSError: the port is taken, or the folder cannot be written.
        """
        self.home = folder / "home"
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.identity = folder / "id_ed25519"
        host_key = kept_key(folder / "host_key")
        self.host_key_fingerprint = str(host_key.fingerprint)
        self._access = Access(host_key, USER, kept_key(self.identity), password)
        self._connections: list[ServerConnection] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._listener = _listener(port)
        self._thread = threading.Thread(target=self._accept, name="loopback-host")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def destination(self) -> Destination:
        """Where it is, as the user would have typed it."""
        return Destination(host="127.0.0.1", port=self.port, user=USER)

    def cut(self) -> None:
        """Drop all connections, as a network does: what runs on the host is not touched."""
        with self._lock:
            for connection in self._connections:
                connection.cut()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._listener.close()
        for connection in self._connections:
            connection.finish()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            with suppress(TimeoutError, ConnectionError):
                sock, _ = self._listener.accept()
                sock.settimeout(None)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._take(sock)

    def _take(self, sock: socket.socket) -> None:
        with self._lock:
            over = [each for each in self._connections if each.is_over]
            self._connections = [each for each in self._connections if not each.is_over]
            self._connections.append(ServerConnection(sock, self._access, self.home))
        for connection in over:
            connection.finish()


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(_BACKLOG)
        listener.settimeout(_LOOK_S)
    except OSError:
        listener.close()
        raise
    return listener
