"""A clock for bills: it says the time of day, goes on while the laptop sleeps, and never jumps.

The wall clock is set by networks and by hand; the monotonic one stops on Linux while the laptop
sleeps, and a rental does not.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def lasting() -> float:
    """Return seconds since some moment in the past, those of sleep included.

    Linux: CLOCK_BOOTTIME (clock_gettime(2)). macOS: its CLOCK_MONOTONIC goes on in sleep, unlike
    `time.monotonic` there. Windows: the counter behind `time.monotonic` goes on in sleep.
    """
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    elif sys.platform == "darwin":  # noqa: RET505 - mypy knows platforms by their branches
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    else:
        return time.monotonic()


class SteadyClock:
    """Calling it returns seconds since the epoch, as the wall clock had them when it was made."""

    def __init__(
        self, wall: Callable[[], float] = time.time, lasting: Callable[[], float] = lasting
    ) -> None:
        """Take the time of day from `wall` once, and how much went by from `lasting`."""
        self._lasting = lasting
        self._ahead = wall() - lasting()

    def __call__(self) -> float:
        """Return the time; differences are exact whatever happens to the wall clock."""
        return self._ahead + self._lasting()
