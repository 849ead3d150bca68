"""Waiting for a host that was just powered on: `running` in a console does not mean sshd is ready.

Only failures that a starting host shows are waited out (facts: 3 to 15 s apart, for two minutes);
a refused password or a changed host key never is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from desktop.core.errors import Cancelled, HostUnreachable

Result = TypeVar("Result")

BOOT_SECONDS = 120.0
_FIRST_PAUSE, _LONGEST_PAUSE = 3.0, 15.0
_OF_A_STARTING_HOST = frozenset(
    {
        "host-refused",
        "host-silent",
        "host-unreachable",
        "host-not-found",
        "greeting-silent",
        "greeting-closed",
        "handshake-failed",
        "host-booting",
        "jump-failed",
    }
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a host that may still be starting.

    Attributes:
        seconds: in all; 0 tries once. `BOOT_SECONDS` after a power-on.
        stop: ends the waiting at once.
        waiting: told before each pause what failed and how many seconds are left.
        first_pause: seconds before the second try; each pause is 1.5 times the one before.
    """

    seconds: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    waiting: Callable[[HostUnreachable, float], None] = lambda _error, _left: None
    first_pause: float = _FIRST_PAUSE

    def until(self, attempt: Callable[[], Result]) -> Result:
        """Return what the first attempt that succeeds returns.

        Raises:
            HostUnreachable: `host-booting` when it did not come up in time, with the last failure
                in `reason`; any other at once.
            Cancelled: `stop` was set.
        """
        begin, pause = time.monotonic(), self.first_pause
        while True:
            try:
                return attempt()
            except HostUnreachable as error:
                left = self.seconds - (time.monotonic() - begin)
                if not self.seconds or error.code not in _OF_A_STARTING_HOST:
                    raise
                if left <= 0:
                    raise self._over(error) from error
                self.waiting(error, left)
            if self.stop.wait(min(pause, max(left, 0.0))):
                raise Cancelled
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _over(self, error: HostUnreachable) -> HostUnreachable:
        facts = error.facts | {"seconds": round(self.seconds), "reason": error.code}
        return HostUnreachable("host-booting", **facts)


ONCE = Patience()  # what fails has failed
