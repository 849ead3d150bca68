"""What a spending limit means in time: how long it pays for, and how long a run may go on for it.

Money is counted from when the host was first reached, the host counts a run's time from the run's
beginning: what was spent before a run began comes off what is left for it.
"""

from __future__ import annotations

from dataclasses import dataclass

_SECONDS_PER_HOUR = 3600
_MOST_SECONDS = 366 * 24 * 3600  # as the host's spec has it
_LEAST_SECONDS = 1  # 0 would be "never"

# A person reads why it failed, or which models there are, and goes on: within an hour it is the
# same rental. After that nobody knows what the host did meanwhile.
SAME_RENTAL_S = 3600.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a run may be there.

    Attributes:
        seconds: from the run's beginning; 0 = for ever.
        is_spending: it is what the spending limit pays for, and not the limit of time.
    """

    seconds: int
    is_spending: bool = False


def affordable_s(spending_limit: float, rate: float) -> int:
    """Return the seconds that so much money pays for at so much an hour.

    0, which is never, where there is no limit or the rate is not known.
    """
    if spending_limit <= 0 or rate <= 0:
        return 0
    seconds = int(min(spending_limit / rate * _SECONDS_PER_HOUR, _MOST_SECONDS))
    return max(seconds, _LEAST_SECONDS)


def run_limit(limit_s: int, affordable_s: int, spent_s: float = 0.0, age_s: float = 0.0) -> Limit:
    """Return how long a run may be there: the smaller of its two limits.

    Args:
        limit_s: the limit of time, from the run's beginning; 0 = never.
        affordable_s: what the spending limit pays for; 0 = never.
        spent_s: how long the host has been paid for: since it was first reached.
        age_s: how long ago the run began, 0 for a new one. A run that is older than what we have
            seen of the host was paid for from its beginning.
    """
    if not affordable_s:
        return Limit(limit_s)
    before = max(spent_s - age_s, 0.0)
    left = max(int(affordable_s - before), _LEAST_SECONDS)
    return Limit(limit_s) if 0 < limit_s <= left else Limit(left, is_spending=True)


def is_used_up(affordable_s: int, spent_s: float) -> bool:
    """Tell whether there is a spending limit, and it has been reached."""
    return 0 < affordable_s <= spent_s
