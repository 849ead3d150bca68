"""How a session's events fill its entry: pure, `after(entry, event, at)`.

`at` is a steady time of day (`steady_clock`). The bill runs from the moment the host was first
reached to the last moment at which something of the run was seen to be alive: what happens to the
rental after that nobody here knows, and the entry does not pretend to.

Silence proves nothing, and neither does a single message after it: a laptop that wakes up finds
messages from before it slept, and a host that was rebooted tells the journal of a dead run. So
after a gap what comes counts only once it has been coming for a while, or the model answers.
"""

from __future__ import annotations

import calendar
import math
import re
import time
from dataclasses import dataclass, replace

from desktop.core.diary.entry import FAILED, LEFT, LOST, POWERED_OFF, STOPPED, About, Entry
from desktop.core.diary.totals import NOTHING, Totals, added, newest, plus
from desktop.core.errors import AppError, ConnectionFailed
from desktop.core.events import (
    Ended,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    Restarting,
    Sample,
    TaskChanged,
)
from desktop.core.phases import Phase
from desktop.core.spending import SAME_RENTAL_S
from remote import wire

_OVER = (Phase.OFF, Phase.FAILED)
_GAP_S = 60.0  # a silence longer than this is a gap
_PROOF_S = 10.0  # messages of the past come at once, those of the present go on coming
_BRIDGED_S = 10.0  # between two samples, where the engine has no counters to compare
_SKEW_S = 600.0  # clocks of host and laptop may differ by as much
_LONGEST = 200
_CARD = re.compile(r"gpu\.(\d{1,2})\.name")


@dataclass(frozen=True, slots=True)
class Look:
    """Looks at a host, with no session yet: it is paid for all the same.

    Attributes:
        since: when it was first reached by one, or None.
        seen: when it was heard of last.
    """

    since: float | None = None
    seen: float = -math.inf


def looked(look: Look, event: Event, at: float) -> Look:
    """Return what is known of looks at a host after an event of one; as `Rental` has it."""
    if look.since is not None and at - look.seen <= SAME_RENTAL_S:
        return replace(look, seen=max(at, look.seen))
    match event:
        case TaskChanged(task="connect", state=wire.DONE):
            return Look(at, at)
    return Look()


def paid_since_look(entry: Entry, look: Look) -> Entry:
    """Return an entry that has just reached its host, with the time from the look on."""
    if look.since is None or entry.reached is None or entry.reached - look.seen > SAME_RENTAL_S:
        return entry
    since = min(look.since, entry.reached)
    return replace(entry, began=min(entry.began, since), reached=since)


def begins(event: Event) -> bool:
    """Tell whether an event begins a session where none goes on."""
    return isinstance(event, PhaseChanged) and event.phase is Phase.CONNECTING


def begun(name: str, host: str, about: About, at: float) -> Entry:
    """Return a new entry, with this id."""
    return Entry(
        name, host, about.model, at, at, rate=about.rate, currency=about.currency, heard=at
    )


def priced(entry: Entry, about: About) -> Entry:
    """Return the entry with the rate as it was typed last: it counts for the whole session."""
    if not about.rate or (entry.rate, entry.currency) == (about.rate, about.currency):
        return entry
    return replace(entry, rate=about.rate, currency=about.currency)


def after(entry: Entry, event: Event, at: float) -> Entry:
    """Return an open entry after an event of its session at steady time `at`."""
    at = max(at, entry.heard)
    match event:
        case TaskChanged(task="connect", state=wire.DONE):
            return _connected(entry, at)
        case TaskChanged(task="connect" | "deploy"):
            return entry  # our own doing proves nothing about the run
        case PhaseChanged(phase=Phase.RECONNECTING):
            return replace(entry, doubted=math.inf)
        case PhaseChanged(phase=phase, error=error) if phase in _OVER:
            return _over(entry, error, at)
        case Ended():
            return _run_ended(entry, event, at)
        case Ready():
            return _ready(entry, event, at)
        case Sample():
            return _sampled(entry, event, at)
        case Restarting():
            return replace(_heard(entry, at), quiet_at=None)
        case Fact(name=name, value=value):
            return _found(_heard(entry, at), name, value)
        case TaskChanged() | Progress():
            return _heard(entry, at)
    return entry


def named(entry: Entry, run: str) -> Entry:
    """Return the entry of a run that was in no entry before.

    What an engine did before this laptop came to it is none of this session's: where the run is
    older than the entry (its name begins with its time, UTC), its counters count from the first.
    """
    began = _time_of(run)
    is_joined = began is not None and began < entry.began - _SKEW_S
    return replace(entry, run=run, engine=Totals() if is_joined else NOTHING)


def continued(earlier: Entry, fresh: Entry) -> Entry:
    """Return an earlier entry of the same run, which goes on: the run was there all the time."""
    ahead = max(earlier.seen - fresh.began, 0.0)  # the clock was set back between two starts
    kept = _moved(earlier, -ahead)
    return replace(
        kept,
        rate=fresh.rate or kept.rate,
        currency=fresh.currency if fresh.rate else kept.currency,
        card=fresh.card or kept.card,
        seen=fresh.seen,
        heard=fresh.heard,
        doubted=None,
        ended=None,
        because="",
        code="",
    )


def tried_again(failed: Entry, fresh: Entry) -> Entry | None:
    """Return a session that failed, and goes on with another try that has reached its host.

    None where that is another session: the host was not there when it failed, or that was too long
    ago to say what it did since. The host counts a spending limit in the same way.
    """
    if not failed.code or failed.ended is None or failed.doubted is not None:
        return None
    if fresh.reached is None or fresh.reached - failed.ended > SAME_RENTAL_S:
        return None
    return replace(continued(failed, fresh), run="", engine=NOTHING, quiet_at=None)


def closed(entry: Entry, because: str, at: float) -> Entry:
    """Return an open entry as it is left at `at`; what was told of its end before stays."""
    told = entry if entry.because else replace(entry, because=because)
    seen = _heard(told, max(at, told.heard))
    return replace(seen, ended=seen.seen)


def powered_off(entry: Entry, at: float) -> Entry:
    """Return an entry whose host was seen to be off at `at`: the rental ran until then."""
    seen = max(at, entry.seen)
    return replace(entry, seen=seen, ended=seen, because=POWERED_OFF)


# -- parts -----------------------------------------------------------------------------------------


def _connected(entry: Entry, at: float) -> Entry:
    if entry.reached is None:
        return replace(entry, reached=at, seen=at, heard=at, doubted=None)
    return replace(entry, heard=at, doubted=at)


def _heard(entry: Entry, at: float, *, sure: bool = False) -> Entry:
    """Note that something came; it moves `seen` where it proves that the run is alive."""
    doubted = entry.doubted
    if doubted is None and at - entry.heard > _GAP_S:
        doubted = at
    if sure or doubted is None or at - doubted >= _PROOF_S:
        return replace(entry, heard=at, seen=at, doubted=None)
    return replace(entry, heard=at, doubted=doubted)


def _ready(entry: Entry, event: Ready, at: float) -> Entry:
    return replace(
        _heard(entry, at, sure=True),
        model=event.endpoint.model[:_LONGEST] or entry.model,
        ready=at if entry.ready is None else entry.ready,
        quiet_at=at if entry.quiet_at is None else entry.quiet_at,
    )


def _found(entry: Entry, name: str, value: object) -> Entry:
    number = _CARD.fullmatch(name)
    if number is None or not isinstance(value, str):
        return entry
    found, index = " ".join(value[:_LONGEST].split()), int(number.group(1))
    before = entry.card if index else ""
    if before and before.endswith(found):
        return replace(entry, card=f"{index + 1} × {found}")
    return replace(entry, card=f"{before} + {found}"[:_LONGEST] if before else found)


def _run_ended(entry: Entry, event: Ended, at: float) -> Entry:
    if event.reason == wire.RUN_LOST:
        return replace(entry, because=LOST)  # since when, nobody knows
    because = FAILED if event.reason == wire.RUN_FAILED else event.because or STOPPED
    because = POWERED_OFF if event.powered_off else because
    return replace(entry, seen=at, heard=at, doubted=None, because=because)


def _over(entry: Entry, error: AppError | None, at: float) -> Entry:
    code = "" if error is None else error.code
    if isinstance(error, ConnectionFailed) or entry.because == LOST:
        entry = replace(entry, doubted=math.inf)
    return closed(replace(entry, code=code), FAILED if code else LEFT, at)


def _sampled(entry: Entry, sample: Sample, at: float) -> Entry:
    heard = _heard(entry, at)
    if heard.doubted is not None:
        return heard
    now = Totals(sample.generation_tokens, sample.prompt_tokens, sample.requests_done)
    more = added(entry.engine, now)
    is_quiet = not (sample.running or sample.waiting)
    idle = _idle(entry, at, more) if is_quiet else 0.0
    return replace(
        heard,
        generated=plus(entry.generated, more.generated),
        prompt=plus(entry.prompt, more.prompt),
        requests=plus(entry.requests, more.requests),
        engine=newest(entry.engine, now),
        idle_s=entry.idle_s + idle,
        quiet_at=at if is_quiet else None,
    )


def _idle(entry: Entry, at: float, more: Totals) -> float:
    """Return the seconds without a request that end at `at`: between two looks that found none.

    A longer gap was quiet only where the engine's counters say so.
    """
    if entry.quiet_at is None or any((more.generated, more.prompt, more.requests)):
        return 0.0
    gone = max(at - entry.quiet_at, 0.0)
    return gone if gone <= _BRIDGED_S or more.generated is not None else 0.0


def _moved(entry: Entry, by: float) -> Entry:
    """Return the entry at another time, as long as it was."""
    if not by:
        return entry

    def moved(moment: float | None) -> float | None:
        return None if moment is None else moment + by

    return replace(
        entry,
        began=entry.began + by,
        seen=entry.seen + by,
        reached=moved(entry.reached),
        ready=moved(entry.ready),
        ended=moved(entry.ended),
        quiet_at=moved(entry.quiet_at),
    )


def _time_of(run: str) -> float | None:
    try:
        return calendar.timegm(time.strptime(run[:14], "%Y%m%d%H%M%S"))
    except ValueError:
        return None
