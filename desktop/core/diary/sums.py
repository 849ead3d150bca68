"""What several sessions come to: by period, by day, and never two currencies in one sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from desktop.core import bill
from desktop.core.diary.entry import Entry

WITHOUT_RATE = ""  # the currency of sessions whose rate nobody typed


@dataclass(frozen=True, slots=True)
class Sum:
    """What sessions in one currency come to, those parts of them that fall into a period.

    Attributes:
        currency: of `money`; `WITHOUT_RATE` where the rate is not known, and `money` is 0 then.
        sessions: how many have a part in it.
        rented_s: seconds paid for.
        money: what they cost.
        generated: tokens written, spread evenly over each session.
        idle_s: seconds in which a ready model was asked nothing, likewise.
        idle_money: what those cost.
    """

    currency: str
    sessions: int = 0
    rented_s: float = 0.0
    money: float = 0.0
    generated: float = 0.0
    idle_s: float = 0.0
    idle_money: float = 0.0

    @property
    def per_thousand(self) -> float | None:
        """The cost of a thousand written tokens; None where that is not known."""
        known = self.generated >= 1 and self.currency != WITHOUT_RATE
        return bill.per_thousand(self.money, self.generated) if known else None


@dataclass(frozen=True, slots=True)
class Day:
    """What one day has cost, in one currency."""

    date: date
    money: float


def sums(
    entries: Iterable[Entry], now: float, since: float = float("-inf"), until: float = float("inf")
) -> tuple[Sum, ...]:
    """Return a sum for each currency in the period, the dearest first; none for nothing."""
    found: dict[str, Sum] = {}
    for entry in entries:
        share, seconds = _share(entry, now, since, until)
        if share <= 0:
            continue
        currency = entry.currency if entry.rate else WITHOUT_RATE
        found[currency] = _with(found.get(currency, Sum(currency)), entry, share, seconds)
    return tuple(sorted(found.values(), key=lambda each: (-each.money, each.currency)))


def days(
    entries: Sequence[Entry], now: float, count: int, currency: str, zone: tzinfo | None = None
) -> tuple[Day, ...]:
    """Return what each of the last `count` days has cost in one currency, the oldest first.

    Args:
        entries: any; those in other currencies are left out.
        now: the time; its day is the last one.
        count: how many days.
        currency: as in the entries.
        zone: in which days begin; None: where the laptop is.
    """
    today = _local(now, zone).date()
    first = day_begins(today - timedelta(days=count - 1), zone)
    mine = [
        entry
        for entry in entries
        if entry.rate and entry.currency == currency and _share(entry, now, first, now)[0]
    ]
    told = []
    for back in range(count - 1, -1, -1):
        day = today - timedelta(days=back)
        since, until = day_begins(day, zone), day_begins(day + timedelta(days=1), zone)
        found = sums(mine, now, since, until)
        told.append(Day(day, found[0].money if found else 0.0))
    return tuple(told)


def day_begins(day: date, zone: tzinfo | None = None) -> float:
    """Return when a day begins, in seconds since the epoch; days of 23 and 25 hours are right."""
    return datetime.combine(day, time(), zone).timestamp()


def period_begins(now: float, days_back: int, zone: tzinfo | None = None) -> float:
    """Return when the day began that is so many days before today; 0 is today."""
    return day_begins(_local(now, zone).date() - timedelta(days=days_back), zone)


def currencies(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the currencies in which something was paid, the one used last first."""
    paid = sorted(
        (entry for entry in entries if entry.rate), key=lambda entry: entry.began, reverse=True
    )
    return tuple(dict.fromkeys(entry.currency for entry in paid))


def _share(entry: Entry, now: float, since: float, until: float) -> tuple[float, float]:
    """Return which share of a session's paid time falls into a period, and how many seconds."""
    if entry.reached is None:
        return 0.0, 0.0
    whole = entry.rented_s(now)
    begin, end = entry.reached, entry.reached + whole
    inside = min(end, until) - max(begin, since)
    if whole <= 0:
        return (1.0, 0.0) if since <= begin < until else (0.0, 0.0)
    return (inside / whole, inside) if inside > 0 else (0.0, 0.0)


def _with(before: Sum, entry: Entry, share: float, seconds: float) -> Sum:
    return Sum(
        before.currency,
        before.sessions + 1,
        before.rented_s + seconds,
        before.money + bill.cost(entry.rate, seconds),
        before.generated + share * (entry.generated or 0),
        before.idle_s + share * entry.idle_s,
        before.idle_money + share * entry.idle_cost,
    )


def _local(moment: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(moment, zone)
