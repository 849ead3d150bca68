"""The way down of a tunnel: what the host sends, written to a local socket without another thread.

The thread that reads the SSH connection writes it itself, as far as the socket takes it: an event
is not handed from thread to thread, which costs a bulk transfer processor time and an event its
quickness (`tests/bench/bench_forward.py`). What a slow reader does not take waits here for the
drain; the host's window bounds it, because window is given back only for what was written.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

_MOST_PIECES = 1000  # a host that sends single bytes would cost us hundreds for each
_MOST_AT_ONCE = 1 << 20  # bytes in one call: more than a local socket takes
# To account for each event would take half as long as its whole way through here (measured). One
# small event a second is still enough for `load.ACTIVE_SECONDS`.
_TOLD_BYTES = 1 << 10

Bytes = bytes | bytearray | memoryview


class Downflow:
    """Bytes under way to one local socket, in order, and then their end.

    Attributes:
        done: set when everything is written, or nobody reads any more; the socket is not used
            after that.
        sock: is written to, never waited for.
    """

    def __init__(self, sock: socket.socket, drain: Drain) -> None:
        self.sock = sock.dup()  # shares the descriptor's state, but not Python's timeout
        self.sock.setblocking(False)
        self.done = threading.Event()
        self._drain = drain
        self._tell: Callable[[int], None] = lambda _: None
        self._untold = 0  # bytes that were written
        self._waiting: deque[Bytes] = deque()
        self._has_ended = False
        self._lock = threading.Lock()
        self._is_draining = False

    def when_written(self, tell: Callable[[int], None]) -> None:
        """Have this called with the number of bytes that were written, a KiB or more at a time."""
        self._tell = tell

    def feed(self, data: Bytes) -> None:
        """Take bytes; `flush` writes them. Never waits."""
        self._waiting.append(data)
        if len(self._waiting) > _MOST_PIECES:
            with self._lock:
                whole = b"".join(self._waiting)
                self._waiting.clear()
                self._waiting.append(whole)

    def end(self) -> None:
        """Take the end: nothing is fed after it. Never waits."""
        self._has_ended = True

    def flush(self) -> None:
        """Write what the socket takes now, and leave the rest to the drain. Never waits."""
        self._lock.acquire()  # after a pause `with` takes an event 4 µs more (measured)
        try:
            if self._is_draining:
                return
            written = self._write()
            self._is_draining = bool(self._waiting)
        finally:
            self._lock.release()
        if self._is_draining:
            self._drain.take(self)
        if written:
            self._tell(written)

    def drain(self) -> bool:
        """Write what the socket takes now, and return whether something is left."""
        with self._lock:
            written = self._write()
            self._is_draining = bool(self._waiting)
        if written:
            self._tell(written)
        return self._is_draining

    def _write(self) -> int:
        """Return how many written bytes are now to be told of. The lock is held."""
        try:
            while self._waiting:
                data = self._waiting.popleft()
                if self._waiting:
                    data = self._with_next(data)
                sent = self.sock.send(data)
                self._untold += sent
                if sent < len(data):
                    self._waiting.appendleft(memoryview(data)[sent:])
            if self._has_ended and not self.done.is_set():
                self.sock.shutdown(socket.SHUT_WR)
                self.done.set()
        except BlockingIOError:
            self._waiting.appendleft(data)
        except OSError:  # nobody reads any more
            self._waiting.clear()
            self.done.set()
        if self._untold < _TOLD_BYTES:
            return 0
        told, self._untold = self._untold, 0
        return told

    def _with_next(self, first: Bytes) -> Bytes:
        """Return it and what waits behind it as one: a call for each packet would cost more."""
        pieces, size = [first], len(first)
        while self._waiting and size < _MOST_AT_ONCE:
            pieces.append(self._waiting.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)


class Drain:
    """One thread that writes for all slow readers of a forward."""

    def __init__(self, name: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._taken: deque[Downflow | None] = deque()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def take(self, flow: Downflow) -> None:
        """Go on writing this one until nothing of it is left. Never waits."""
        self._taken.append(flow)
        with suppress(OSError):  # full of bells: it will wake up
            self._bell.send(b".")

    def close(self, timeout: float) -> None:
        """End the thread; every flow has ended."""
        self._taken.append(None)
        with suppress(OSError):
            self._bell.send(b".")
        self._thread.join(timeout)

    def _run(self) -> None:
        is_open = True
        while is_open:
            for key, _ in self._selector.select():
                if key.fileobj is not self._ear:
                    self._write(key.data)
            is_open = self._take_up()
        self._selector.close()
        self._ear.close()
        self._bell.close()

    def _write(self, flow: Downflow) -> None:
        # Out of the selector first: the socket may be closed as soon as the flow is done.
        self._selector.unregister(flow.sock)
        if flow.drain():
            self._selector.register(flow.sock, selectors.EVENT_WRITE, flow)

    def _take_up(self) -> bool:
        """Watch what was taken; return whether to go on."""
        with suppress(BlockingIOError):
            self._ear.recv(4096)
        while self._taken:
            flow = self._taken.popleft()
            if flow is None:
                return False
            self._selector.register(flow.sock, selectors.EVENT_WRITE, flow)
        return True
