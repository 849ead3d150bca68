"""Whether a run may go on: the lease that the laptop renews, idle time, and the limit.

All of it counts on the monotonic clock. A laptop in sight touches RUN/lease; the supervisor looks
whether its time *changed*, never which it is, so that a clock that jumps for hours ends no run.
"""

from pathlib import Path
from typing import NamedTuple, Optional

from remote import wire
from remote.metrics import Metrics
from remote.terms import Terms

# Metrics that cannot be read may hide a request; but not for ever, or a bill would grow unseen.
BLIND_SECONDS = 600.0


class Activity(NamedTuple):
    """What the engine's own figures have shown so far.

    Attributes:
        last: when a request ran, or may have run, last; monotonic seconds.
        seen: when the figures could be read last.
        metrics: as they were then.
    """

    last: float
    seen: float
    metrics: Optional[Metrics] = None


class Lease(NamedTuple):
    """The laptop's sign of life.

    Attributes:
        renewed: when the supervisor saw it last; monotonic seconds.
        stamp: the file's time then, in nanoseconds; None where there was no file.
    """

    renewed: float
    stamp: Optional[int]


def verdict(now: float, renewed: float, active: float, began: float, terms: Terms) -> str:
    """Return why the run has to end now (`wire.LIMIT`, `IDLE` or `LEASE`), "" while it may go on.

    Args:
        now: monotonic seconds, as all that follow.
        renewed: when the laptop was in sight last.
        active: when a request ran last.
        began: when the run began.
        terms: what was agreed on.
    """
    if 0 < terms.limit_seconds <= now - began:
        return wire.LIMIT
    if 0 < terms.idle_seconds <= now - active:
        return wire.IDLE
    if 0 < terms.lease_seconds <= now - max(renewed, active):
        return wire.LEASE
    return ""


def after_look(activity: Activity, metrics: Optional[Metrics], now: float) -> Activity:
    """Return what is known after a look at the figures; None where they could not be read."""
    if metrics is None:
        blind = now - activity.seen < BLIND_SECONDS
        return activity._replace(last=now) if blind else activity
    before = activity.metrics
    idle = not metrics.busy and (before is None or metrics.counters == before.counters)
    return Activity(activity.last if idle else now, now, metrics)


def after_glance(lease: Lease, stamp: Optional[int], now: float) -> Lease:
    """Return the lease after a look at its file's time."""
    return lease if stamp == lease.stamp else Lease(now, stamp)


def stamp(path: Path) -> Optional[int]:
    """Return the time of a lease's file in nanoseconds, or None where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
