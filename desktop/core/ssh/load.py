"""What a tunnel carries, a stream or bulk, and how much the host may send ahead of it.

What the host has sent ahead on one channel lies in front of all that comes after it on the same
connection: an event waits for window / rate of the link, 83 ms behind a full window at 100 Mbit/s
and 9 ms behind 128 KiB (measured). So bulk gets a narrow window while a stream is beside it, and
the full one, which a long fat link needs, while it is alone. Nothing here has an effect.
"""

from __future__ import annotations

from collections.abc import Iterable

# A prompt with its pictures stays below it; a link of 20 Mbit/s brings it within a second.
BULK_BYTES = 2 << 20
# What never adds up: a stream of 500 events/s has less, a bulk transfer at 2 Mbit/s has more.
STREAM_BYTES_PER_S = 128 << 10
ACTIVE_SECONDS = 5.0  # without a byte: longer than a pause between tokens, shorter than keep-alive

FULL = 2**32 - 1  # RFC 4254 §5.2: no window is wider
NARROW = 128 << 10


class Load:
    """How much one tunnel moves, both ways together: a leaky bucket.

    Two threads count without a lock: a lost count makes no difference to a guess.
    """

    def __init__(self) -> None:
        self._level = 0.0  # bytes, at `_counted`
        self._counted = float("-inf")

    def count(self, size: int, now: float) -> None:
        """Take `size` bytes that were moved by `now`, in seconds of the monotonic clock."""
        level = max(0.0, self._level_at(now)) + size
        # No higher: a second after its last byte it is bulk no more.
        self._level = min(level, BULK_BYTES + STREAM_BYTES_PER_S)
        self._counted = now

    def is_bulk(self, now: float) -> bool:
        """Return whether it moves more than a stream would, and has for 2 MiB."""
        return self._level > BULK_BYTES and self._level_at(now) > BULK_BYTES

    def is_active(self, now: float) -> bool:
        """Return whether it moved anything of late."""
        return now - self._counted < ACTIVE_SECONDS

    def _level_at(self, now: float) -> float:
        return self._level - (now - self._counted) * STREAM_BYTES_PER_S


def most_ahead(bulk: Load, all_loads: Iterable[Load], now: float) -> int:
    """Return how many bytes the host may send ahead on a tunnel with bulk.

    Little while a stream on the same connection would wait behind it. Another bulk transfer does
    not count: both would be slower, and nobody the better for it.
    """
    waits = (load.is_active(now) and not load.is_bulk(now) for load in all_loads if load != bulk)
    return NARROW if any(waits) else FULL


def due(owed: int, window: int, most: int) -> int:
    """Return how much window to give back now; SSH can only narrow a window by giving back less.

    Args:
        owed: bytes that were taken from the host and not given back.
        window: bytes that the host may have sent ahead when nothing is owed.
        most: bytes that it should have.
    """
    width = min(window, most)
    extra = owed - (window - width)
    # In thirds, not in tenths as paramiko does: fewer hand-overs to the outbox (measured, 1.15 x).
    return extra if extra > width // 3 else 0
