"""Bytes from a socket, read in large pieces and taken in small ones without copying them."""

from __future__ import annotations

import socket
import struct

from desktop.core.ssh.pages import pages

_PIECE = 256 << 10
_LENGTH = struct.Struct(">I")


class Inbox:
    """A buffer of a fixed size between one reading and one parsing thread: the same thread.

    Attributes:
        size: how many bytes are there to be taken; an attribute, because each packet asks.
    """

    def __init__(self, most: int) -> None:
        """Hold at least `most` bytes at a time."""
        self._store = pages(most + _PIECE)
        self._start = 0
        self.size = 0

    def fill(self, sock: socket.socket) -> int:
        """Read once, and return how many bytes were added.

        Raises:
            EOFError: the other end has closed.
            OSError: as the socket says; TimeoutError and BlockingIOError among them.
        """
        end = self._start + self.size
        if not self.size:
            self._start = end = 0
        elif len(self._store) - end < _PIECE:
            self._store[: self.size] = bytes(self._store[self._start : end])
            self._start, end = 0, self.size
        added = sock.recv_into(self._store[end:], _PIECE)
        if not added:
            raise EOFError
        self.size += added
        return added

    def length(self) -> int:
        """Return the number that the next four bytes are, which are there."""
        return int(_LENGTH.unpack_from(self._store, self._start)[0])

    def take(self, n: int) -> memoryview:
        """Return the next `n` bytes, which are there, and go past them; valid until `fill`."""
        start = self._start
        self._start = end = start + n
        self.size -= n
        return self._store[start:end]

    def last(self, n: int) -> memoryview:
        """Return the `n` bytes that were read last and not taken; valid until `fill`."""
        end = self._start + self.size
        return self._store[end - n : end]

    def take_line(self) -> bytes | None:
        """Return the bytes up to and with the next line feed; None where there is none yet."""
        head, feed, _ = bytes(self.last(self.size)).partition(b"\n")
        return bytes(self.take(len(head) + 1)) if feed else None
