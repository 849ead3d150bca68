"""An engine's counters of what it has done: they only grow, until it is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Totals:
    """An engine's counters; None where nothing is known."""

    generated: int | None = None
    prompt: int | None = None
    requests: int | None = None


NOTHING = Totals(0, 0, 0)
_MOST = 2**53  # a host may say anything; a database and a sum of floats take this much


def added(before: Totals, now: Totals) -> Totals:
    """Return what was done between two looks."""
    return Totals(
        _more(before.generated, now.generated),
        _more(before.prompt, now.prompt),
        _more(before.requests, now.requests),
    )


def _more(before: int | None, now: int | None) -> int | None:
    """Return what a counter has gained; one that went back belongs to an engine begun since."""
    if now is None:
        return None
    if before is None:
        return 0
    return now - before if now >= before else now


def plus(total: int | None, added: int | None) -> int | None:
    """Return a sum that stays unknown as long as nothing is known."""
    return total if added is None else min((total or 0) + added, _MOST)


def newest(before: Totals, now: Totals) -> Totals:
    """Return the counters as they were told last."""
    return Totals(
        _told(before.generated, now.generated),
        _told(before.prompt, now.prompt),
        _told(before.requests, now.requests),
    )


def _told(before: int | None, now: int | None) -> int | None:
    return before if now is None else min(now, _MOST)
