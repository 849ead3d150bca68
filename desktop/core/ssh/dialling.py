"""A TCP connection to a host, whichever of its addresses answers first, within a deadline.

The addresses race (RFC 8305): one whose route is dead costs a quarter of a second, not the time
that TCP gives it. The waiting is our own, in short pieces, because no system lets another thread
end a blocking connect().
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from contextlib import ExitStack

from desktop.core.ssh.attempt import Abandon
from desktop.core.ssh.lookup import LOOKUPS, Address

STAGGER = 0.25  # seconds until the next address joins the race, RFC 8305 §5
_PIECE = 0.1  # seconds between two looks whether anybody still waits
_UNDER_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, 10035}  # 10035: WSAEWOULDBLOCK


def dial(host: str, port: int, timeout: float, abandon: Abandon | None = None) -> socket.socket:
    """Return a connected socket; raises as `Lookups.addresses` and `dial_first` do."""
    begin = time.monotonic()
    addresses = LOOKUPS.addresses(host, port, timeout, abandon)
    return dial_first(addresses, timeout - (time.monotonic() - begin), abandon)


def dial_first(
    addresses: list[Address], timeout: float, abandon: Abandon | None = None
) -> socket.socket:
    """Return a blocking socket connected to the first address that answers, with TCP_NODELAY.

    Nagle's algorithm would add 40 ms to each small message between two others.

    Raises:
        TimeoutError: no answer within `timeout` seconds.
        OSError: that one refused, else what the last one to fail said.
        Cancelled: it was given up.
    """
    with _Race(addresses) as race:
        return race.winner(time.monotonic() + timeout, abandon or Abandon())


class _Race:
    """Sockets that are being connected, one for each address."""

    def __init__(self, addresses: list[Address]) -> None:
        self._waiting = deque(addresses)
        self._running: set[socket.socket] = set()
        self._failure: OSError = TimeoutError("no answer")
        self._next_at = 0.0

    def __enter__(self) -> _Race:
        self._stack = ExitStack()
        self._selector = self._stack.enter_context(selectors.DefaultSelector())
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._running:
            sock.close()
        self._stack.close()

    def winner(self, deadline: float, abandon: Abandon) -> socket.socket:
        """Return the first socket that is connected; the caller closes it."""
        while True:
            abandon.check()
            now = time.monotonic()
            if self._waiting and (now >= self._next_at or not self._running):
                self._begin(self._waiting.popleft(), now)
                continue
            if not self._running:
                raise self._failure
            if now >= deadline:
                raise TimeoutError("no answer")
            for key, _ in self._selector.select(self._patience(now, deadline)):
                assert isinstance(key.fileobj, socket.socket)
                if self._is_connected(key.fileobj):
                    return key.fileobj

    def _patience(self, now: float, deadline: float) -> float:
        until = min(deadline, self._next_at) if self._waiting else deadline
        return max(0.0, min(until - now, _PIECE))

    def _begin(self, address: Address, now: float) -> None:
        family, place = address
        self._next_at = now + STAGGER
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a family that this system does not have
            self._failure = error
            return
        self._running.add(sock)
        try:
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_WRITE)
            self._see(sock, sock.connect_ex(place), _UNDER_WAY)
        except OSError as error:
            self._lose(sock, error)

    def _is_connected(self, sock: socket.socket) -> bool:
        try:
            self._see(sock, sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), {0})
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            self._lose(sock, error)
            return False
        self._selector.unregister(sock)
        self._running.discard(sock)
        sock.setblocking(True)
        return True

    def _see(self, sock: socket.socket, number: int, fine: set[int]) -> None:
        if number not in fine:
            raise OSError(number, os.strerror(number))

    def _lose(self, sock: socket.socket, error: OSError) -> None:
        if not isinstance(self._failure, ConnectionRefusedError):  # the only sign of a host
            self._failure = error
        self._selector.unregister(sock)
        self._running.discard(sock)
        sock.close()
