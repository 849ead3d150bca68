"""One session in the diary: when, where, what it cost, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core import bill
from desktop.core.diary.totals import NOTHING, Totals

# Why an entry ended, beside the reasons of `remote.wire` (asked, lease, idle, limit).
LEFT = "left"  # the app was closed or let go of it; the host works on
CUT = "cut"  # the app was killed
FAILED = "failed"
LOST = "lost"  # the run vanished from the host, or another one is there
STOPPED = "stopped"
SAID_OFF = "said-off"  # a person said that the host is off: nobody of us saw it
POWERED_OFF = "powered-off"  # the only end of which it is known that it ends the bill

# Ends that say nothing of what else runs on the host, where the session had no run of its own.
UNTOLD = ("", LEFT, CUT, FAILED)


@dataclass(frozen=True, slots=True)
class About:
    """What the laptop knows of a host whose session speaks.

    Attributes:
        model: `OWNER/NAME`.
        rate: of the rental, an hour; 0 where nobody typed it.
        currency: of the rate.
    """

    model: str
    rate: float = 0.0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One session. Times are seconds since the epoch.

    Attributes:
        id: names it in the file.
        host: the name under which it is listed.
        model: `OWNER/NAME`.
        began: when somebody pressed Start, or looked at the host before that.
        seen: when something of the run was last seen to be alive.
        card: the GPU's name, "2 × …" for several; "" where none was found.
        run: the host's name of the run; "" before there is one.
        rate: of the rental, an hour, as typed last; 0 where it is not known.
        currency: of the rate.
        reached: when the host was first reached, or None.
        ready: when the model first answered, or None.
        ended: when the session was over, as far as is known; None while it goes on.
        because: why it ended, "" while it goes on.
        code: of the error that ended it, or "".
        generated: tokens written, None where nobody counted.
        prompt: tokens read, likewise.
        requests: likewise.
        idle_s: seconds in which the model was ready and nobody asked it anything.
        engine: the engine's counters when they were last heard.
        quiet_at: when the engine was last seen without a request, None where it had one.
        heard: when the last event came, whatever it proves.
        doubted: since when what comes proves nothing yet; None where it does.
    """

    id: str
    host: str
    model: str
    began: float
    seen: float
    card: str = ""
    run: str = ""
    rate: float = 0.0
    currency: str = ""
    reached: float | None = None
    ready: float | None = None
    ended: float | None = None
    because: str = ""
    code: str = ""
    generated: int | None = None
    prompt: int | None = None
    requests: int | None = None
    idle_s: float = 0.0
    engine: Totals = NOTHING
    quiet_at: float | None = None
    heard: float = 0.0
    doubted: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the session goes on."""
        return self.ended is None

    @property
    def bill_ended(self) -> bool:
        """Whether the rental itself was seen to end; everywhere else it may go on."""
        return self.because == POWERED_OFF

    @property
    def is_left(self) -> bool:
        """Whether its run was left at work: the app was closed, or killed, and saw no end of it."""
        return bool(self.run) and self.because in (LEFT, CUT)

    @property
    def tells_of_run(self) -> bool:
        """Whether it tells what became of whatever ran on the host before it."""
        return self.reached is not None and (bool(self.run) or self.because not in UNTOLD)

    def rented_s(self, now: float | None = None) -> float:
        """Return the seconds that are paid for; of one that goes on until `now`, or as seen."""
        if self.reached is None:
            return 0.0
        until = self.seen if now is None else now
        return max((until if self.ended is None else self.ended) - self.reached, 0.0)

    def cost(self, now: float | None = None) -> float:
        """Return what those seconds cost, in `currency`."""
        return bill.cost(self.rate, self.rented_s(now))

    @property
    def idle_cost(self) -> float:
        """What the time without a request has cost."""
        return bill.cost(self.rate, self.idle_s)

    def per_thousand(self, now: float | None = None) -> float | None:
        """Return the cost of a thousand written tokens; None where that is not known."""
        return bill.per_thousand(self.cost(now), self.generated) if self.rate else None
