"""What a hub can do wrong on purpose, and the pace at which it sends."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Faults:
    """How a test wants the hub to misbehave; as it is made, it does everything right.

    Attributes:
        bytes_per_s: of all file bodies together; None is as fast as it goes.
        cut_after: path → bytes of one body after which the connection is cut.
        cut_always: cut every body of those files, not just the first.
        wrong_bytes: paths whose bytes are not the listed ones, though as many.
        wrong_first: those of which only the first body is wrong.
        empty: paths whose bodies hold no byte, whatever the listing says.
        hang_after: path → bytes of the first body after which no more come, and no end either.
        token: what a request for a model has to bring, as a bearer's or a session's; "" is nothing.
        unauthorised: answer every request for a model with 401.
        mute: take every connection and answer nothing.
    """

    bytes_per_s: int | None = None
    cut_after: Mapping[str, int] = field(default_factory=dict)
    cut_always: bool = False
    wrong_bytes: frozenset[str] = frozenset()
    wrong_first: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    hang_after: Mapping[str, int] = field(default_factory=dict)
    token: str = ""
    unauthorised: bool = False
    mute: bool = False


class Pace:
    """Spreads the bytes of all threads over time."""

    def __init__(self, bytes_per_s: int | None, stopped: threading.Event) -> None:
        self._bytes_per_s = bytes_per_s
        self._stopped = stopped
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait_for(self, count: int) -> None:
        """Return when `count` more bytes may have been sent, or at once when all is stopped."""
        if self._bytes_per_s is None:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + count / self._bytes_per_s
            wait = self._free_at - now
        self._stopped.wait(wait)
