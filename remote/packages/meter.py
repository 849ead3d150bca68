"""Speed and time left of something that counts bytes."""

import time
from collections import deque
from typing import Callable, Deque, Optional, Tuple

WINDOW_SECONDS = 15.0


class Meter:
    """Tells the speed over the last seconds, so that a stall shows and a start does not mislead."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: Deque[Tuple[float, float]] = deque()

    def rate(self, done: float) -> Optional[float]:
        """Return units per second at this count, or None until two counts are apart in time."""
        now = self._clock()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # something is fetched again
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()
        began, first = self._seen[0]
        return (done - first) / (now - began) if now > began else None


def seconds_left(done: float, total: float, rate: Optional[float]) -> Optional[float]:
    """Return the seconds left at this speed, or None where nothing moves."""
    return (total - done) / rate if rate else None
