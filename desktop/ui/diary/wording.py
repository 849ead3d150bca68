"""What is said of a session's bill: pure functions from entries to sentences."""

from __future__ import annotations

from datetime import datetime
from typing import TypeGuard

from desktop.core.amounts import duration, joined
from desktop.core.bill import fine_money, money
from desktop.core.diary.entry import Entry
from desktop.core.diary.sums import WITHOUT_RATE, Sum
from desktop.core.texts import Texts

NOTHING = "–"  # in a cell where nothing is known
_MINUTE = 60
_MILLION = 1_000_000


def bill(entry: Entry | None, now: float, texts: Texts) -> str:
    """Return what a session has cost so far, "" where nobody can tell: for header and tray."""
    if not _has_bill(entry):
        return ""
    spent = money(entry.cost(now), entry.currency)
    if entry.is_open or entry.bill_ended:
        return texts("header.bill" if entry.is_open else "diary.bill-over", money=spent)
    return texts("diary.bill-goes-on", money=spent)


def bill_explained(entry: Entry | None, now: float, texts: Texts) -> str:
    """Return how that figure came about, what it is not, and what the tokens cost."""
    if not _has_bill(entry):
        return ""
    rate = texts("amount.per-hour", money=money(entry.rate, entry.currency))
    time = duration(entry.rented_s(now), texts)
    figures = joined(
        money(entry.cost(now), entry.currency), per_thousand(entry, now, texts), idle(entry, texts)
    )
    return "\n".join((figures, texts("header.bill-help", rate=rate, time=time)))


def per_thousand(entry: Entry, now: float, texts: Texts) -> str:
    """Return "¥0.43/1k tokens", "" where that is not known."""
    price = entry.per_thousand(now)
    if price is None:
        return ""
    return texts("diary.per-thousand", money=fine_money(price, entry.currency))


def idle(entry: Entry, texts: Texts) -> str:
    """Return how long a session was idle and what that cost, "" for less than a minute."""
    spent = money(entry.idle_cost, entry.currency) if entry.rate else ""
    return _idle(entry.idle_s, spent, texts)


def sum_lines(found: Sum, texts: Texts) -> tuple[str, ...]:
    """Return the lines under a sum of money: time, tokens, idle time."""
    spent = money(found.idle_money, found.currency) if found.currency != WITHOUT_RATE else ""
    price = found.per_thousand
    each = "" if price is None else fine_money(price, found.currency)
    tokens = texts("diary.tokens", count=count(found.generated)) if found.generated else ""
    return tuple(
        line
        for line in (
            joined(span(found.rented_s, texts), sessions(found.sessions, texts)),
            joined(tokens, texts("diary.per-1k", money=each) if each else ""),
            _idle(found.idle_s, spent, texts),
        )
        if line
    )


def sum_line(found: Sum, texts: Texts) -> str:
    """Return the same in one line: what it cost, for how long, and what tokens cost."""
    price = found.per_thousand
    each = "" if price is None else fine_money(price, found.currency)
    return joined(
        money(found.money, found.currency),
        span(found.rented_s, texts),
        texts("diary.per-1k", money=each) if each else "",
    )


def unpriced(found: Sum, texts: Texts) -> str:
    """Return what is said of sessions whose price nobody knows."""
    return joined(sessions(found.sessions, texts), texts["diary.no-price"])


def sum_money(found: Sum, texts: Texts) -> str:
    """Return a sum; of sessions whose price nobody knows, that."""
    if found.currency == WITHOUT_RATE and not found.money:
        return texts["diary.no-price"]
    return money(found.money, found.currency)


def sessions(count: int, texts: Texts) -> str:
    """Return "1 session", "3 sessions"."""
    return texts("diary.session" if count == 1 else "diary.sessions", count=count)


def span(seconds: float, texts: Texts) -> str:
    """Return a time to the minute, as long ones are read: "45 min", "3 h 20 min"."""
    if seconds < _MINUTE:
        return duration(seconds, texts)
    minutes = round(seconds / _MINUTE)
    if minutes < _MINUTE:
        return texts("diary.minutes", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    if not rest:
        return texts("diary.whole-hours", hours=hours)
    return texts("amount.hours", hours=hours, minutes=rest)


def count(number: float) -> str:
    """Return a number of tokens: "12,340", from a million on "1.28M"."""
    return f"{number:,.0f}" if number < _MILLION else f"{number / _MILLION:,.2f}M"


def end(entry: Entry, texts: Texts) -> str:
    """Return why a session ended, or that it goes on."""
    if entry.is_open:
        return texts["diary.goes-on"]
    return texts.word("diary.end", entry.because) or texts["diary.end.stopped"]


def moment(at: float, now: float) -> str:
    """Return a time on this laptop's clock, with its year where that is another one."""
    when = datetime.fromtimestamp(at)
    is_this_year = when.year == datetime.fromtimestamp(now).year
    return when.strftime("%m-%d %H:%M" if is_this_year else "%Y-%m-%d %H:%M")


def _idle(seconds: float, spent: str, texts: Texts) -> str:
    if seconds < _MINUTE:
        return ""
    time = span(seconds, texts)
    return (
        texts("diary.idle-cost", time=time, money=spent)
        if spent
        else texts("diary.idle", time=time)
    )


def _has_bill(entry: Entry | None) -> TypeGuard[Entry]:
    return entry is not None and entry.rate > 0 and entry.reached is not None
