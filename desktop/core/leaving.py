"""Whether quitting is worth a question, and what becomes of the hosts then: pure decisions.

The hosts work on without the app. That is what people want of a download over night, and what they
pay for when they forget it: so they are asked only while something costs money, and told what ends
it without them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from desktop.core.phases import Phase
from desktop.core.session.wishes import Wishes
from desktop.core.stopping import Rung, Standing, offer

# From CHECKING on there is, or may be, a run on the host.
_LIVING = (
    Phase.CHECKING,
    Phase.PREPARING,
    Phase.LOADING,
    Phase.READY,
    Phase.RECONNECTING,
    Phase.STOPPING,
)


class Choice(Enum):
    """What a person can do about it."""

    LEAVE = "leave"  # quit, and leave everything running
    STOP = "stop"  # stop the servers, then quit
    POWER_OFF = "power-off"  # that, and power off where it is safe, then quit


class Ends(Enum):
    """What ends a run that nobody looks after."""

    LEASE = "lease"
    IDLE = "idle"
    LIMIT = "limit"
    NEVER = "never"
    UNKNOWN = "unknown"  # it failed: whether something runs is not known
    WAS_LEFT = "was-left"  # an earlier start of the app left it running: nobody has looked since
    NOTHING_RUNS = "nothing-runs"


@dataclass(frozen=True, slots=True)
class Left:
    """One host that goes on costing money.

    Attributes:
        standing: how it stands.
        ends: what ends its run first, as far as that can be told.
        seconds: how long that takes without anybody; of a limit, from the run's beginning.
        then_off: the host powers itself off after it.
        limit: it is ended by a limit too, at the latest.
    """

    standing: Standing
    ends: Ends
    seconds: int = 0
    then_off: bool = False
    limit: bool = False

    @property
    def lives(self) -> bool:
        """Whether something runs there, or may run, that a session of ours can stop."""
        return self.ends not in (Ends.NOTHING_RUNS, Ends.WAS_LEFT)

    @property
    def may_power_off(self) -> bool:
        """Whether the host can be powered off from here."""
        return Rung.POWER_OFF in offer(self.standing).rungs


def costs(standing: Standing) -> bool:
    """Tell whether a host still costs money: something may run, or it is on and has a price."""
    may_run = standing.phase in _LIVING or standing.was_left
    return may_run or (standing.is_on and standing.rate > 0)


def left_behind(hosts: Iterable[tuple[Standing, Wishes | None]]) -> tuple[Left, ...]:
    """Return the hosts that quitting leaves at a cost; none: nobody need be asked.

    Args:
        hosts: each with the terms of its run, None where it was never started from here.
    """
    return tuple(_left(standing, wishes) for standing, wishes in hosts if costs(standing))


def choices(left: Iterable[Left]) -> tuple[Choice, ...]:
    """Return what can be done about these hosts, besides not to quit."""
    hosts = tuple(left)
    told = (
        (Choice.LEAVE, True),
        (Choice.STOP, any(host.lives for host in hosts)),
        (Choice.POWER_OFF, any(host.may_power_off for host in hosts)),
    )
    return tuple(choice for choice, offered in told if offered)


def _left(standing: Standing, wishes: Wishes | None) -> Left:
    if standing.phase not in _LIVING:
        if standing.phase is Phase.FAILED:
            return Left(standing, Ends.UNKNOWN)
        return Left(standing, Ends.WAS_LEFT if standing.was_left else Ends.NOTHING_RUNS)
    if wishes is None:
        return Left(standing, Ends.NEVER)
    safe = Rung.POWER_OFF in offer(standing).rungs
    then_off = wishes.power_off and safe
    limit = min(filter(None, (wishes.limit_seconds, wishes.spending_seconds)), default=0)
    unwatched = [
        (seconds, ends)
        for seconds, ends in (
            (wishes.lease_seconds, Ends.LEASE),
            (wishes.idle_seconds, Ends.IDLE),
        )
        if seconds
    ]
    if not unwatched:
        ends = Ends.LIMIT if limit else Ends.NEVER
        return Left(standing, ends, limit, then_off and bool(limit))
    seconds, ends = min(unwatched, key=lambda each: each[0])
    return Left(standing, ends, seconds, then_off, bool(limit))
