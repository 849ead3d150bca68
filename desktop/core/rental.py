"""Since when a host has been paid for: from the first look or start that reached it.

It outlives a session: one that failed goes on with the next try, and who chose a model for ten
minutes while the host was up has paid for them. The diary counts in the same way.
"""

from __future__ import annotations

from collections.abc import Callable

from desktop.core.spending import SAME_RENTAL_S
from desktop.core.steady_clock import lasting


class Rental:
    """What is known of one host's rental, for the spending limit.

    Told by one thread at a time: a host is looked at, or a session works on it.
    """

    def __init__(self, clock: Callable[[], float] = lasting) -> None:
        """Take a clock that never jumps, and goes on while the laptop sleeps."""
        self._clock = clock
        self._since: float | None = None
        self._left: float | None = None  # when nobody saw the host any more; None while one does

    def reached(self) -> None:
        """The host is there: it costs money from now on, if it did not before."""
        now = self._clock()
        is_another = self._left is not None and now - self._left > SAME_RENTAL_S
        if self._since is None or is_another:
            self._since = now
        self._left = None

    def left(self) -> None:
        """A look is over, or a session has failed: the host may go on."""
        if self._left is None:
            self._left = self._clock()

    def begin_anew(self) -> None:
        """Count from now on: a person has seen the bill and goes on."""
        self._since, self._left = self._clock(), None

    def ended(self) -> None:
        """The session is over: the next one is another one."""
        self._since = self._left = None

    @property
    def spent_s(self) -> float:
        """The seconds since the host was first reached; 0 where it never was."""
        return 0.0 if self._since is None else self._clock() - self._since
