"""Bytes from a socket, read in large pieces and taken in small ones without copying them."""

from __future__ import annotations

import socket

from desktop.core.ssh.pages import pages

_PIECE = 256 << 10


class Inbox:
    """A buffer of a fixed size between one reading and one parsing thread: the same thread.

    Packets are taken by way of the attributes, as `take` does it: it is on the way of each event.

    Attributes:
        store: what is there lies in it; valid until `fill`.
        start: where in it.
        size: how many bytes are there to be taken.
    """

    def __init__(self, most: int) -> None:
        """Hold at least `most` bytes at a time."""
        self.store = pages(most + _PIECE)
        self.start = 0
        self.size = 0

    def fill(self, sock: socket.socket) -> int:
        """Read once, and return how many bytes were added.

        Raises:
            EOFError: the other end has closed.
            OSError: as the socket says; TimeoutError and BlockingIOError among them.
        """
        end = self.start + self.size
        if not self.size:
            self.start = end = 0
        elif len(self.store) - end < _PIECE:
            self.store[: self.size] = bytes(self.store[self.start : end])
            self.start, end = 0, self.size
        added = sock.recv_into(self.store[end:], _PIECE)
        if not added:
            raise EOFError
        self.size += added
        return added

    def take(self, n: int) -> memoryview:
        """Return the next `n` bytes, which are there, and go past them; valid until `fill`."""
        start = self.start
        self.start = end = start + n
        self.size -= n
        return self.store[start:end]

    def last(self, n: int) -> memoryview:
        """Return the `n` bytes that were read last and not taken; valid until `fill`."""
        end = self.start + self.size
        return self.store[end - n : end]

    def take_line(self) -> bytes | None:
        """Return the bytes up to and with the next line feed; None where there is none yet."""
        head, feed, _ = bytes(self.last(self.size)).partition(b"\n")
        return bytes(self.take(len(head) + 1)) if feed else None
