"""The last hour of one host: what it was seen to do, as lines that can be drawn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from desktop.core.events import Sample

HOUR = 3600.0
_MOST = 2400  # an hour of samples two seconds apart, with room


@dataclass(frozen=True, slots=True)
class Moment:
    """One sample as it is drawn; None where it was not told.

    Attributes:
        at: clock time in seconds.
        use: of the cards, mean, 0 to 1.
        memory: of the cards that is used, 0 to 1.
        kv: of the KV cache that is used, 0 to 1.
        tokens_per_s: written.
        ttft_s: mean seconds to the first token.
        running: requests that were answered.
        waiting: requests in the queue.
    """

    at: float
    use: float | None
    memory: float | None
    kv: float
    tokens_per_s: float | None
    ttft_s: float | None
    running: int
    waiting: int


class History:
    """Moments of the last hour, oldest first.

    Attributes:
        newest: the last sample as it came, or None.
    """

    def __init__(self) -> None:
        self.newest: Sample | None = None
        self._moments: deque[Moment] = deque(maxlen=_MOST)

    def add(self, sample: Sample, at: float) -> None:
        """Take one more sample, at clock time `at`."""
        self.newest = sample
        self._moments.append(moment(sample, at))

    def rest(self) -> None:
        """Nothing is told any more: what was newest is old now."""
        self.newest = None

    def since(self, at: float) -> list[Moment]:
        """Return what was seen since a clock time, within the last hour."""
        return [each for each in self._moments if each.at >= at]


def moment(sample: Sample, at: float) -> Moment:
    """Return a sample as one moment of the history."""
    uses = [card.utilization for card in sample.cards if card.utilization is not None]
    used = [card.memory_used for card in sample.cards if card.memory_used is not None]
    total = [card.memory_total for card in sample.cards if card.memory_total]
    return Moment(
        at=at,
        use=sum(uses) / len(uses) / 100 if uses else None,
        memory=min(sum(used) / sum(total), 1.0) if used and total else None,
        kv=sample.kv_use,
        tokens_per_s=sample.tokens_per_s,
        ttft_s=sample.ttft_s,
        running=sample.running,
        waiting=sample.waiting,
    )


def buckets(
    points: list[tuple[float, float | None]], begin: float, end: float, count: int
) -> list[float | None]:
    """Return the largest value in each of `count` equal spans of time; None where there is none.

    A plot has fewer columns than an hour has samples; the largest is what one looks for.

    Args:
        points: clock times and values.
        begin: clock time at which the first span begins.
        end: clock time at which the last one ends.
        count: how many spans.
    """
    largest: list[float | None] = [None] * count
    width = (end - begin) / count
    for at, value in points:
        if value is not None and begin <= at < end:
            index = min(int((at - begin) / width), count - 1)
            before = largest[index]
            largest[index] = value if before is None else max(before, value)
    return largest
