"""What the start sheet says about a journey: pure functions from values to sentences."""

from __future__ import annotations

from collections.abc import Mapping

from desktop.core import providers
from desktop.core.account import account
from desktop.core.amounts import amount, duration, joined, pace, size
from desktop.core.bill import cost, money
from desktop.core.explain import explain
from desktop.core.forecast import Leg, seconds_to_ready
from desktop.core.phases import Phase
from desktop.core.providers import Provider
from desktop.core.remedies import Remedy, asks_for_address, named_length, remedies
from desktop.core.texts import Texts
from desktop.ui.intents import Target
from desktop.ui.start.journey import Journey, Row, Step
from remote import wire

ON_THE_WAY = (Phase.CONNECTING, Phase.CHECKING, Phase.PREPARING, Phase.LOADING)
CAN_CANCEL = (*ON_THE_WAY, Phase.RECONNECTING)
_LEAST_SHOWN = 0.01  # of a currency: less is noise
_ROOM_WAS_MADE = (Remedy.RETRY, Remedy.TIDY)
NAMED_ELSEWHERE = {
    Remedy.RETRY: "action.retry",
    Remedy.COMPARE_KEYS: "notice.compare",
    Remedy.OTHER_HOST: "notice.change",
    Remedy.ADDRESS: "address.use",
}


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
    following = None if journey.surveys else journey.following()
    if following is None:
        return sentence
    return texts("now.and-next", now=sentence, next=texts[f"next.{following.value}"])


def remark(journey: Journey, texts: Texts) -> str:
    """Return what happened that nobody asked for: a crash, a stop by the host itself; else ""."""
    if journey.crash is not None:
        cause = explain(journey.crash, texts.language).title
        return texts("now.restarting", cause=cause)
    if journey.phase is Phase.OFF:
        cancelled = texts["wait.cancelled"] if journey.was_cancelled else ""
        return texts.word("ended", journey.because) or cancelled
    return ""


def forecast(journey: Journey, target: Target, texts: Texts) -> str:
    """Return how long it takes until ready and what that costs; "" where nobody can tell."""
    if journey.phase not in ON_THE_WAY:
        return ""
    rows = journey.rows
    seconds = seconds_to_ready(
        _leg(rows[Step.INSTALL], wire.ENGINE_ENVIRONMENT),
        _leg(rows[Step.DOWNLOAD], wire.MODEL_FILES),
        _leg(rows[Step.LOAD], wire.SERVE),
    )
    if not seconds:
        return ""
    time = roughly(seconds, texts)
    if price := _price(target, seconds):
        return texts("wait.ready-in-for", time=time, money=price)
    return texts("wait.ready-in", time=time)


def _leg(row: Row, last_task: str) -> Leg:
    """Return a row as a leg; what comes before its last task says nothing about that."""
    progress = row.progress
    told = progress is not None and progress.task == last_task
    return Leg(row.state, progress.eta_s if told and progress is not None else None)


def roughly(seconds: float, texts: Texts) -> str:
    """Return a time as one says it ahead: "40 s", "6 min", "1 h 20 min"."""
    minutes = round(seconds / 60)
    if seconds < 50:
        return texts("wait.seconds", seconds=10 * max(round(seconds / 10), 1))
    if minutes < 60:
        return texts("wait.minutes", minutes=max(minutes, 1))
    hours, left = divmod(5 * round(minutes / 5), 60)
    return texts("wait.hours", hours=hours, minutes=left)


def _price(target: Target, seconds: float) -> str:
    spent = cost(target.rate, seconds)
    return money(spent, target.currency) if spent >= _LEAST_SHOWN else ""


def row_cost(row: Row, now: float, target: Target) -> str:
    """Return what a step has cost so far, "" where nobody can tell or it is next to nothing."""
    elapsed = row.elapsed(now)
    if elapsed is None or row.state in (wire.SKIPPED, wire.WAITING):
        return ""
    return _price(target, elapsed)


def provider_of(journey: Journey, target: Target) -> Provider | None:
    """Return who rents the host out, by its own marks or else by its name; None: nobody knows."""
    host = target.host.rpartition("@")[2].rpartition(":")[0]
    return providers.find(journey.facts.get("provider")) or providers.of_host(host)


def offers(journey: Journey, target: Target, texts: Texts) -> Mapping[Remedy, str]:
    """Return what a button can do about a failure and how it is called, the best first.

    Once room was made on the host, going on is the best.
    """
    error = journey.error
    if error is None:
        return {}
    provider = provider_of(journey, target)
    found = remedies(error, has_console=provider is not None)
    if journey.tidied is not None and journey.tidied.error is None:
        found = (Remedy.RETRY, *(each for each in found if each not in _ROOM_WAS_MADE))
    has_lines = bool(error.facts.get("last_lines"))  # they are shown right there
    more = () if has_lines else (Remedy.LOG,)
    facts = {
        "provider": provider.name[texts.language] if provider else "",
        "tokens": f"{named_length(error):,}",
    }
    return {
        each: texts(NAMED_ELSEWHERE.get(each, f"remedy.{each.value}"), **facts)
        for each in dict.fromkeys((*found, *more, Remedy.OTHER_HOST, Remedy.REPORT))
    }


def tidying(journey: Journey, texts: Texts) -> str:
    """Return what came of making room on the host, "" where nobody asked for that."""
    tidied = journey.tidied
    if journey.is_tidying:
        return texts["remedy.tidying"]
    if tidied is None:
        return ""
    if tidied.error is not None:
        why = explain(tidied.error, texts.language)
        return texts("remedy.not-tidied", why=joined(why.title, why.detail))
    if not tidied.bytes:
        return texts["remedy.tidied-nothing"]
    return texts("remedy.tidied", size=size(tidied.bytes))


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
    return journey.asks or (
        journey.phase is Phase.FAILED and error is not None and asks_for_address(error)
    )


def speed(tokens_per_s: float | None, texts: Texts) -> str:
    """Return how fast a model writes, "" while it does not."""
    return texts("amount.speed", speed=f"{tokens_per_s:.0f}") if tokens_per_s else ""


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
