"""What the desktop is told of while the window is not in front: ready, failed, back, ended. Pure.

`follow` folds events: a Watch and an event give the next Watch, and perhaps a News.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from desktop.core.errors import AppError
from desktop.core.events import Ended, Event, PhaseChanged, Surveying
from desktop.core.phases import Phase

OUTAGE_SECONDS = 20.0  # a shorter one is over before anybody has looked
_ON_THE_WAY = (Phase.CONNECTING, Phase.CHECKING, Phase.PREPARING, Phase.LOADING)


@dataclass(frozen=True, slots=True)
class News:
    """Something worth a notification.

    Attributes:
        kind: "ready", "failed", "back" or "ended".
        error: why it failed.
        because: why the host ended it: remote.wire's "lease", "idle", "limit".
    """

    kind: str
    error: AppError | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of one host between two events.

    Attributes:
        phase: of its session.
        lost_at: clock time at which the connection broke, or None.
        looks: it is only looked at: whoever does so sits in front of the window.
    """

    phase: Phase = Phase.OFF
    lost_at: float | None = None
    looks: bool = False


def follow(watch: Watch, event: Event, now: float) -> tuple[Watch, News | None]:
    """Return the watch after one more event at clock time `now` in seconds, and what is news."""
    if isinstance(event, Ended):
        by_itself = event.because not in ("", "asked")
        return watch, News("ended", because=event.because) if by_itself else None
    if isinstance(event, Surveying):
        return replace(watch, looks=True), None
    if not isinstance(event, PhaseChanged) or event.phase is watch.phase:
        return watch, None
    if event.phase is Phase.CONNECTING:
        watch = replace(watch, looks=False)
    lost_at = watch.lost_at
    if event.phase is Phase.RECONNECTING:
        lost_at = now
    elif event.phase in (Phase.READY, Phase.FAILED, Phase.OFF):
        lost_at = None
    return replace(watch, phase=event.phase, lost_at=lost_at), _news(watch, event, now)


def _news(watch: Watch, event: PhaseChanged, now: float) -> News | None:
    if watch.looks:
        return None
    if event.phase is Phase.FAILED:
        return News("failed", error=event.error)
    if event.phase is not Phase.READY:
        return None
    if watch.lost_at is not None:
        return News("back") if now - watch.lost_at >= OUTAGE_SECONDS else None
    return News("ready") if watch.phase in _ON_THE_WAY else None
