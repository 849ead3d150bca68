"""One forwarded TCP connection on the loopback host, between its channel and its socket."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import paramiko

from desktop.rehearsal import hanging_up

_CHUNK = 128 * 1024
_CONNECT_S = 5.0


def dial(port: int) -> socket.socket:
    """Return a connection to a port of this computer; raises OSError."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_S)
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Tunnel:
    """Two threads, one for each direction; each end's close reaches the other at once."""

    def __init__(self, channel: paramiko.Channel, connection: socket.socket) -> None:
        self._channel = channel
        self._connection = connection
        self._threads = [
            threading.Thread(target=self._inward, name="loopback-inward"),
            threading.Thread(target=self._outward, name="loopback-outward"),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_over(self) -> bool:
        """Whether both directions have ended."""
        return not any(thread.is_alive() for thread in self._threads)

    def hang_up(self) -> None:
        """Cut it; returns when its threads have ended."""
        hanging_up.close(self._channel)
        for thread in self._threads:
            thread.join()

    def _inward(self) -> None:
        """From the channel to the socket, until the channel is closed."""
        with suppress(OSError):
            while data := self._channel.recv(_CHUNK):
                self._connection.sendall(data)
            self._connection.shutdown(socket.SHUT_WR)
        self._channel.status_event.wait()  # set when the channel is closed, whoever closed it
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _outward(self) -> None:
        """From the socket to the channel, until the socket's end; then the tunnel is over."""
        with suppress(OSError, EOFError):
            while data := self._connection.recv(_CHUNK):
                self._channel.sendall(data)
        # Its end says that no more comes, which CLOSE says as well: what we were sent and have not
        # handed on is of no use to a program that has ended its connection.
        hanging_up.close(self._channel)
        self._threads[0].join()
        self._connection.close()
