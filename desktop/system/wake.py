"""Told that the computer slept: by its clocks, which need nothing of any system.

A thread that waits a second and finds that much more went by was not running meanwhile. While a
computer sleeps the monotonic clock stops on Linux and macOS, and the wall clock goes on; on
Windows both may. So the clock that went furthest decides. logind, IOKit and WM_POWERBROADCAST
would tell the same thing in three ways, each with its own way to be missing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

INTERVAL = 1.0  # seconds between two looks: how late a wake-up may be seen
SLACK = 3.0  # a busy computer is late too; seconds beyond that were a sleep (facts on resuming)

Clocks = tuple[float, ...]


class Watcher(Protocol):
    """Looks for one kind of change from `start` to `stop`, and calls back on a thread of its own.

    The callback must return at once. `stop` ends the thread; neither raises, and a watcher that
    cannot work on this system does nothing.
    """

    def start(self) -> None:
        """Begin to watch."""
        ...

    def stop(self) -> None:
        """End it; safe without a start and more than once."""
        ...


def has_slept(before: Clocks, after: Clocks, interval: float = INTERVAL) -> bool:
    """Return whether the computer slept between two readings `interval` seconds apart.

    A clock that was set forward looks the same; a needless probe is what that costs.
    """
    gone = max(now - then for then, now in zip(before, after, strict=True))
    return gone > interval + SLACK


def read_clocks() -> Clocks:
    """Return the wall clock and the monotonic one, in seconds."""
    return time.time(), time.monotonic()


class SleepWatcher:
    """Calls back each time the computer has slept."""

    def __init__(
        self,
        on_event: Callable[[], None],
        clocks: Callable[[], Clocks] = read_clocks,
        interval: float = INTERVAL,
    ) -> None:
        """Take the callback; `clocks` and `interval` (seconds) are for tests."""
        self._on_event = on_event
        self._clocks = clocks
        self._interval = interval
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="sleep-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        before = self._clocks()
        while not self._stopped.wait(self._interval):
            after = self._clocks()
            if has_slept(before, after, self._interval):
                self._on_event()
            before = after
