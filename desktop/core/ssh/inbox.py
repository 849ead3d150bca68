"""Bytes from a socket, read in large pieces and taken in small ones without copying them."""

from __future__ import annotations

import socket

_PIECE = 256 << 10


class Inbox:
    """A buffer of a fixed size between one reading and one parsing thread: the same thread."""

    def __init__(self, most: int) -> None:
        """Hold at least `most` bytes at a time."""
        self._store = memoryview(bytearray(most + _PIECE))
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    def fill(self, sock: socket.socket) -> bytes | memoryview:
        """Read once, and return what was read; valid until the next call.

        Raises:
            EOFError: the other end has closed.
            OSError: as the socket says; TimeoutError among them.
        """
        if self._start == self._end:
            self._start = self._end = 0
        elif len(self._store) - self._end < _PIECE:
            rest = bytes(self._store[self._start : self._end])
            self._store[: len(rest)] = rest
            self._start, self._end = 0, len(rest)
        size = sock.recv_into(self._store[self._end :], _PIECE)
        if not size:
            raise EOFError
        self._end += size
        return self._store[self._end - size : self._end]

    def peek(self, n: int) -> memoryview:
        """Return the next `n` bytes, which are there; valid until the next `fill`."""
        return self._store[self._start : self._start + n]

    def take(self, n: int) -> memoryview:
        """Return the next `n` bytes, which are there, and go past them."""
        taken = self.peek(n)
        self._start += n
        return taken

    def take_line(self) -> bytes | None:
        """Return the bytes up to and with the next line feed; None where there is none yet."""
        head, feed, _ = bytes(self.peek(len(self))).partition(b"\n")
        return bytes(self.take(len(head) + 1)) if feed else None
