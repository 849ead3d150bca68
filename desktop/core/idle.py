"""When to ask whether a model that nobody asks anything should be stopped: pure, no timers.

Whoever has the events folds them in (`after`) and looks every few seconds whether it is time to
ask (`due`). It is asked once in a stretch of quiet; a request begins a new one. Nothing is asked
while a request runs or waits, and nothing while the connection is gone: what the engine does then
nobody here can know. Times are those of a steady clock, which goes on while the laptop sleeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from desktop.core.events import Event, PhaseChanged, Ready, Sample
from desktop.core.phases import Phase

SNOOZE_S = 30 * 60.0
_FRESH_S = 30.0  # samples come every two seconds; an older one says nothing about now


@dataclass(frozen=True, slots=True)
class Quiet:
    """What is known of the quiet on one host.

    Attributes:
        since: when the model was last asked something, or became ready; None where it is busy, or
            was never ready.
        confirmed: when a look last found no request; None while there is no connection.
        done: the engine's counters at that look: they tell of what ran between two looks.
        asked: whether a person was asked in this stretch.
        until: a person wants no question before this moment.
        muted: a person wants none in this session.
    """

    since: float | None = None
    confirmed: float | None = None
    done: tuple[int | None, ...] = ()
    asked: bool = False
    until: float = 0.0
    muted: bool = False


def after(quiet: Quiet, event: Event, at: float) -> Quiet:
    """Return what is known after an event of the host's session at time `at`."""
    match event:
        case Ready():
            return quiet if quiet.since is not None else replace(quiet, since=at)
        case Sample():
            return _looked(quiet, event, at)
        case PhaseChanged(phase=Phase.READY):
            return quiet
        case PhaseChanged(phase=Phase.OFF | Phase.FAILED | Phase.CONNECTING):
            return Quiet()  # another session begins with another mind
        case PhaseChanged(phase=Phase.RECONNECTING):
            return replace(quiet, confirmed=None)
        case PhaseChanged():
            return replace(quiet, since=None, confirmed=None, asked=False)
    return quiet


def quiet_s(quiet: Quiet, at: float) -> float:
    """Return for how many seconds nobody has asked anything, 0 where somebody does."""
    return 0.0 if quiet.since is None else max(at - quiet.since, 0.0)


def due(quiet: Quiet, at: float, minutes: int) -> bool:
    """Tell whether a person should be asked now.

    Args:
        quiet: what is known.
        at: now.
        minutes: of quiet before the question, as in the settings; 0 = never.
    """
    if minutes <= 0 or quiet.muted or quiet.asked or at < quiet.until:
        return False
    return stands(quiet, at) and quiet_s(quiet, at) >= minutes * 60


def stands(quiet: Quiet, at: float) -> bool:
    """Tell whether the host is known to be quiet just now: a question that is open still holds."""
    return quiet.confirmed is not None and at - quiet.confirmed <= _FRESH_S


def asked(quiet: Quiet) -> Quiet:
    """Return the same once a person is being asked."""
    return replace(quiet, asked=True)


def snoozed(quiet: Quiet, at: float, seconds: float = SNOOZE_S) -> Quiet:
    """Return the same where the next question may come after `seconds`, if it stays quiet."""
    return replace(quiet, asked=False, until=at + seconds)


def muted(quiet: Quiet) -> Quiet:
    """Return the same where nothing is asked any more in this session."""
    return replace(quiet, muted=True)


def _looked(quiet: Quiet, sample: Sample, at: float) -> Quiet:
    done = (sample.generation_tokens, sample.prompt_tokens, sample.requests_done)
    if sample.running or sample.waiting:
        return replace(quiet, since=None, confirmed=None, done=done, asked=False, until=0.0)
    worked = bool(quiet.done) and done != quiet.done
    unseen = quiet.confirmed is None and sample.generation_tokens is None  # nobody counted
    if quiet.since is None or worked or unseen:  # what ran is over now, or ran between two looks
        return replace(quiet, since=at, confirmed=at, done=done, asked=False, until=0.0)
    return replace(quiet, confirmed=at, done=done)
