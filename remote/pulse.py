"""Whether an engine whose process lives still answers: a frozen one costs as much as a busy one.

It is never taken for frozen while it may work on a request: without an answer it must not have used
the CPU either, or have been silent for so long that nobody can be waiting for it any more.
"""

import time
from typing import Callable, NamedTuple, Optional

from remote import loopback, processes

LOOK_SECONDS = 5.0
FROZEN_SECONDS = 60.0  # without an answer and without using the CPU, or saying that it is dead
SILENT_SECONDS = 600.0  # without an answer, whatever it does
_IDLE_SHARE = 0.05  # of one CPU
_ANSWER_SECONDS = 2.0
# So late a look tells that the whole host stood still (a paused container, a moved machine).
MISSED_SECONDS = 30.0
_DEAD = 503  # what vLLM's /health answers when its engine has died


class Beat(NamedTuple):
    """The last sign of life.

    Attributes:
        time: when it came; monotonic seconds.
        cpu: CPU seconds that the engine had used by then, None where that cannot be told.
    """

    time: float
    cpu: Optional[float]


def frozen(last: Beat, now: float, cpu: Optional[float], says_dead: bool) -> bool:
    """Tell whether an engine that did not answer at `now` has to be given up.

    Args:
        last: its last sign of life.
        now: monotonic seconds.
        cpu: CPU seconds that it has used by now, None where that cannot be told.
        says_dead: whether it answered, but that its engine has died.
    """
    silent = now - last.time
    is_still = idle(last, now, cpu) or says_dead
    return silent >= SILENT_SECONDS or (silent >= FROZEN_SECONDS and is_still)


def idle(last: Beat, now: float, cpu: Optional[float]) -> bool:
    """Tell whether an engine has used no CPU since a sign of life; False where nobody can tell."""
    if cpu is None or last.cpu is None:
        return False
    return cpu - last.cpu < _IDLE_SHARE * (now - last.time)


class Pulse:
    """Feels an engine's pulse every few seconds."""

    def __init__(self, port: int, group: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take where it listens and its process group; it has just answered.

        Port 0 is a node's that is not the head: it listens nowhere, and is never taken for frozen.
        """
        self._port = port
        self._group = group
        self._clock = clock
        self._last = Beat(clock(), processes.cpu_seconds(group))
        self._next = clock() + LOOK_SECONDS

    def silence(self) -> float:
        """Return for how many seconds a frozen engine has not answered; 0.0 when it is not one."""
        if not self._port or self._clock() < self._next:
            return 0.0
        if self._clock() - self._next > MISSED_SECONDS:  # we were frozen too, not it alone
            self._last = Beat(self._clock(), processes.cpu_seconds(self._group))
        answer = loopback.get(self._port, "/health", _ANSWER_SECONDS)
        now, cpu = self._clock(), processes.cpu_seconds(self._group)
        self._next = now + LOOK_SECONDS
        if answer is not None and answer.status == 200:
            self._last = Beat(now, cpu)
        elif frozen(self._last, now, cpu, answer is not None and answer.status == _DEAD):
            return now - self._last.time
        return 0.0
