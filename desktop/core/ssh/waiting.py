"""Connections that wait for the host to be reached again: watched, each for a bounded time.

A request that a person sends while the string is cut should be answered once it holds again. One
thread watches all that wait, and is there only as long as one does; whoever hangs up is let go at
once. A client that half-closes counts as one that hangs up: on a socket both look the same.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from desktop.core.ssh.pair import Pair


class Waiting:
    """Those in wait; bounded by whoever adds them."""

    def __init__(
        self, name: str, call: Callable[[Pair], None], let_go: Callable[[Pair], None]
    ) -> None:
        """Wait for nobody yet.

        Args:
            name: of the thread.
            call: gets each one that was waited with long enough, from that thread; never waits.
            let_go: gets each one that has hung up or run out of time, from that thread.
        """
        self._name = name
        self._call = call
        self._let_go = let_go
        self._lock = threading.Lock()
        self._added: list[Pair] = []
        self._is_called = self._is_closed = False
        self._thread: threading.Thread | None = None
        self._bell: socket.socket | None = None

    def add(self, pair: Pair) -> None:
        """Have it wait. From any thread; never waits itself."""
        with self._lock:
            self._added.append(pair)
            if self._thread is None:
                ear, self._bell = socket.socketpair()
                self._bell.setblocking(False)
                self._thread = threading.Thread(
                    target=self._watch, args=(ear,), name=self._name, daemon=True
                )
                self._thread.start()
            self._ring()

    def call_all(self) -> None:
        """Call those that wait by now."""
        with self._lock:
            self._is_called = self._thread is not None
            self._ring()

    def close(self, timeout: float) -> None:
        """Let all of them go, and wait for the thread."""
        with self._lock:
            self._is_closed = True
            self._ring()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _ring(self) -> None:
        """Wake the thread, if there is one. The lock is held."""
        if self._bell is not None:
            with suppress(BlockingIOError):  # full of bells: it will wake up
                self._bell.send(b".")

    def _watch(self, ear: socket.socket) -> None:
        waiting: set[Pair] = set()
        with ear, selectors.DefaultSelector() as selector:
            selector.register(ear, selectors.EVENT_READ)
            while True:
                self._take_up(selector, waiting)
                if not waiting and self._is_over():
                    return
                for key, _ in selector.select(_seconds_left(waiting)):
                    if key.fileobj is ear:
                        ear.recv(4096)
                    else:
                        self._hear(key.data, selector, waiting)

    def _take_up(self, selector: selectors.BaseSelector, waiting: set[Pair]) -> None:
        """Do what was asked for, and let those go whose time is over."""
        with self._lock:
            added, self._added = self._added, []
            is_called, self._is_called = self._is_called, False
            is_closed = self._is_closed
        for pair in added:
            waiting.add(pair)
            if not pair.is_full:
                selector.register(pair, selectors.EVENT_READ, pair)
        now = time.monotonic()
        for pair in [one for one in waiting if is_called or is_closed or one.until <= now]:
            waiting.discard(pair)
            if not pair.is_full:
                selector.unregister(pair)
            (self._call if is_called and not is_closed else self._let_go)(pair)

    def _hear(self, pair: Pair, selector: selectors.BaseSelector, waiting: set[Pair]) -> None:
        is_there = pair.hear()
        if not is_there or pair.is_full:
            selector.unregister(pair)
        if not is_there:
            waiting.discard(pair)
            self._let_go(pair)

    def _is_over(self) -> bool:
        """Return whether nobody waits any more; the next one to wait gets another thread."""
        with self._lock:
            if self._added:
                return False
            assert self._bell is not None  # it was there when the thread began
            self._bell.close()
            self._bell = self._thread = None
            return True


def _seconds_left(waiting: set[Pair]) -> float:
    """Return the seconds until the first one's time is over; 0 where nobody waits."""
    return max(0.0, min((pair.until for pair in waiting), default=0.0) - time.monotonic())
