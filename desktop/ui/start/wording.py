"""What the start sheet says about a journey: pure functions from values to sentences."""

from __future__ import annotations

from desktop.core.account import account
from desktop.core.amounts import amount, duration, joined, pace
from desktop.core.bill import cost, money
from desktop.core.explain import explain
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.intents import Target
from desktop.ui.start.journey import Journey, Row, Step
from remote import wire

# What a host says, or does not, that got another port, password or key while it was off.
_OF_ANOTHER_ADDRESS = frozenset(
    {
        "authentication-failed",
        "host-key-changed",
        "host-key-unknown",
        "host-not-found",
        "host-refused",
        "password-needed",
    }
)
ON_THE_WAY = (Phase.CONNECTING, Phase.CHECKING, Phase.PREPARING, Phase.LOADING)


def now_and_next(journey: Journey, texts: Texts) -> str:
    """Return one sentence: what is happening and what comes after it."""
    if said := remark(journey, texts):
        return said
    running = set(journey.running())
    if journey.phase not in ON_THE_WAY or not running:
        return texts[f"now.{journey.phase.value}"]
    if {Step.INSTALL, Step.DOWNLOAD} <= running:
        sentence = texts["now.both"]
    else:
        sentence = texts[f"now.{max(running, key=list(Step).index).value}"]
    following = journey.following()
    if following is None:
        return sentence
    return texts("now.and-next", now=sentence, next=texts[f"next.{following.value}"])


def remark(journey: Journey, texts: Texts) -> str:
    """Return what happened that nobody asked for: a crash, a stop by the host itself; else ""."""
    if journey.crash is not None:
        cause = explain(journey.crash, texts.language).title
        return texts("now.restarting", cause=cause)
    if journey.phase is Phase.OFF:
        return texts.word("ended", journey.because)
    return ""


def findings(journey: Journey, texts: Texts) -> str:
    """Return what the check of the host found, in one line; "" before it is done."""
    if journey.rows[Step.CHECK].state not in (wire.DONE, wire.SKIPPED):
        return ""
    return joined(*(said for _label, said in account(journey.facts, texts)))


def countdown(journey: Journey, now: float, texts: Texts) -> str:
    """Return what is said while the connection is gone."""
    left = None if journey.next_try is None else journey.next_try - now
    if left is None or left < 0.5:
        return texts["reconnect.trying"]
    return texts("reconnect.waiting", time=duration(left, texts))


def waits(journey: Journey) -> bool:
    """Tell whether the host cannot be reached just now and is tried again."""
    first_connect = journey.phase is Phase.CONNECTING and journey.next_try is not None
    return journey.phase is Phase.RECONNECTING or first_connect


def waiting_hint(journey: Journey, now: float, texts: Texts) -> str:
    """Return what a person may think of a host that cannot be reached just now."""
    if journey.phase is Phase.RECONNECTING:
        return texts["reconnect.hint"]
    if journey.gives_up is None:
        return ""
    return texts("reconnect.starting", time=duration(journey.gives_up - now, texts))


def asks_for_line(journey: Journey) -> bool:
    """Tell whether the host may have another address now, so that a person should be asked."""
    error = journey.error
    failed = journey.phase is Phase.FAILED and error is not None
    return journey.asks or (failed and error is not None and error.code in _OF_ANOTHER_ADDRESS)


def bill(target: Target, seconds: float | None, texts: Texts) -> str:
    """Return what the rental has cost in so many seconds, "" where nobody can tell."""
    if seconds is None or not target.rate:
        return ""
    spent = money(cost(target.rate, seconds), target.currency)
    return texts("header.bill", money=spent)


def bill_explained(target: Target, seconds: float | None, texts: Texts) -> str:
    """Return how that figure came about, and what it is not."""
    if seconds is None or not target.rate:
        return ""
    rate = texts("amount.per-hour", money=money(target.rate, target.currency))
    return texts("header.bill-help", rate=rate, time=duration(seconds, texts))


def row_figures(row: Row, texts: Texts) -> tuple[str, str]:
    """Return a step's details: how far, and at what pace."""
    progress = row.progress
    if row.state == wire.SKIPPED:
        return texts["row.skipped"], ""
    if progress is None:
        return texts[f"row.{row.state}"], ""
    if row.state != wire.RUNNING:
        reached = amount(progress) if row.state in (wire.FAILED, wire.CANCELLED) else ""
        return joined(texts[f"row.{row.state}"], reached), ""
    what = texts.word("step", progress.step)
    how_far = amount(progress)
    return joined(what, how_far), pace(progress, texts)


def row_time(row: Row, now: float, texts: Texts) -> str:
    """Return how long a step has taken, "" before it begins and where nothing was to be done."""
    elapsed = row.elapsed(now)
    if elapsed is None or row.state in (wire.SKIPPED, wire.WAITING):
        return ""
    return duration(elapsed, texts)


def fraction(row: Row) -> float | None:
    """Return how far a step is, 0 to 1, or None where nobody can tell."""
    if row.state in (wire.DONE, wire.SKIPPED):
        return 1.0
    progress = row.progress
    if progress is None or not progress.total or progress.unit == "seconds":
        return None if row.state == wire.RUNNING else 0.0
    return min(progress.done / progress.total, 1.0)
