"""The times of one reply, and the event that closes it."""

from __future__ import annotations

import time

from desktop.core.events import ReplyDone, Usage


class Clock:
    """Started with the request.

    Attributes:
        usage: what the engine said it took, once it has.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._began = time.monotonic()
        self._first: float | None = None
        self._last = self._began
        self._thinking: tuple[float, float] | None = None

    def thought(self) -> None:
        """Note a piece of reasoning."""
        self.token()
        began = self._last if self._thinking is None else self._thinking[0]
        self._thinking = (began, self._last)

    def token(self) -> None:
        """Note a piece of the reply, or of the reasoning before it."""
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last

    def done(self, number: int, finish: str) -> ReplyDone:
        """Return the closing event, with what could be measured."""
        ttft = None if self._first is None else self._first - self._began
        later = 0 if self.usage is None else self.usage.completion_tokens - 1
        speed = None
        if self._first is not None and later > 0 and self._last > self._first:
            speed = later / (self._last - self._first)
        thinking = None if self._thinking is None else self._thinking[1] - self._thinking[0]
        return ReplyDone(number, finish, self.usage, ttft, speed, thinking)
