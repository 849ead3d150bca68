"""Speed and time left of something that counts bytes."""

import time
from collections import deque
from typing import Callable, Deque, Optional, Tuple

WINDOW_SECONDS = 15.0
_TELLING_SECONDS = 1.0
_TELLING_SHARE = 0.01
_MUCH = 0.1  # tells of the rest however fast it came


class Meter:
    """Tells the speed over the last seconds, so that a stall shows and a start does not mislead."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: Deque[Tuple[float, float]] = deque()
        self._began: Optional[Tuple[float, float]] = None

    def rate(self, done: float) -> Optional[float]:
        """Return units per second at this count, or None until two counts are apart in time."""
        now = self._clock()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # something is fetched again
        self._seen.append((now, done))
        self._began = self._began or (now, done)
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()
        began, first = self._seen[0]
        return (done - first) / (now - began) if now > began else None

    def seconds_left(self, total: float) -> Optional[float]:
        """Return the seconds left at the speed told last, or None where nobody can tell.

        A download begins with small files and name look-ups: its first second says nothing about
        the rest, nor do the next ones until a hundredth of that has moved, or a whole window has
        passed.
        """
        if not self._seen or self._began is None:
            return None
        (since, before), (now, done), began = self._seen[0], self._seen[-1], self._began
        waited, share = now - began[0], (done - began[1]) / max(total - began[1], 1.0)
        settled = waited >= _TELLING_SECONDS and share >= _TELLING_SHARE
        if not (settled or share >= _MUCH or waited >= WINDOW_SECONDS):
            return None
        rate = (done - before) / (now - since) if now > since else 0.0
        return (total - done) / rate if rate > 0 else None
