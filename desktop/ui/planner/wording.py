"""What the planner says: pure functions from plans and facts to sentences."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from desktop.core.amounts import gibibytes, joined, size
from desktop.core.bill import cost, money
from desktop.core.planner.machine import Card, Machine
from desktop.core.planner.offers import Offer
from desktop.core.planner.plan import Plan, Verdict
from desktop.core.texts import Texts

_KIB = 1024
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the memory: its key ("weights", "kv", …) and its bytes."""

    name: str
    size: int


def parts(plan: Plan) -> list[Part]:
    """Return what the memory is used for, from left to right; nothing where nobody knows."""
    if not plan.total:
        return []
    told = (
        Part("held", plan.held),
        Part("weights", plan.weights),
        Part("kv", plan.kv),
        Part("overhead", plan.overhead),
        Part("free", plan.free if plan.fits else 0),
    )
    return [part for part in told if part.size]


def tokens(count: int) -> str:
    """Return a length as people say it: "4k", "32k", "1.5k", "900"."""
    if count < _KIB:
        return str(count)
    thousands = count / _KIB
    return f"{thousands:.0f}k" if thousands >= 10 or count % _KIB == 0 else f"{thousands:.1f}k"


def named(part: Part, plan: Plan, texts: Texts) -> str:
    """Return a part of the memory with its amount: "KV cache for 8k tokens 2.0 GiB"."""
    name = texts(f"plan.part-{part.name}", tokens=tokens(plan.length))
    return f"{name} {gibibytes(part.size)}"


def verdict(plan: Plan, texts: Texts) -> str:
    """Return what comes of a model on the card, in a few words."""
    found = plan.verdict
    key = f"plan.{found.value}"
    if found is Verdict.FITS:
        key = "plan.fits-cpu" if not plan.cards else f"plan.fits-{plan.kv_cache_dtype}"
    elif found is Verdict.TOO_LONG and not plan.longest:
        key = "plan.too-large"
    return texts(
        key,
        tokens=tokens(plan.length or plan.longest),
        longest=tokens(plan.longest),
        needed=gibibytes(plan.needed),
        room=gibibytes(plan.room),
    )


def about(offer: Offer, texts: Texts) -> str:
    """Return the quiet line under a model's name."""
    model = offer.model
    description = model.description.get(texts.language) or texts["plan.not-in-catalogue"]
    weight = size(model.weight_bytes) if model.weight_bytes else ""
    return joined(description, weight, model.licence)


def card_line(machine: Machine, texts: Texts) -> str:
    """Return the cards as they were found: "RTX 4090 ⋅ 23.6 of 24.0 GiB free ⋅ driver works"."""
    if machine.is_without_gpu:
        return texts["plan.no-gpu-boot"]
    if not machine.cards:
        return texts["plan.no-cards"]
    said = [_card(card, texts) for card in machine.cards]
    cards = "; ".join(
        each if (count := len(list(alike))) == 1 else f"{count} × {each}"
        for each, alike in groupby(said)
    )
    driver = "plan.driver-ok" if machine.has_engine else "plan.driver-bad"
    return joined(cards, texts[driver])


def _card(card: Card, texts: Texts) -> str:
    if not card.memory:
        return card.short_name
    free = card.memory if card.memory_free is None else min(card.memory_free, card.memory)
    memory = texts("plan.card-memory", free=f"{free / (1 << 30):.1f}", total=gibibytes(card.memory))
    return joined(card.short_name, memory)


def checked(at: float, now: float, texts: Texts) -> str:
    """Return when the host was looked at: minutes ago, or on which day."""
    ago = now - at
    if ago < 60:
        return texts["plan.checked-now"]
    if ago < _DAY_S:
        hours, minutes = divmod(int(ago) // 60, 60)
        key = "plan.checked-hours" if hours else "plan.checked-minutes"
        return texts(key, hours=hours, minutes=minutes)
    day = time.strftime("%Y-%m-%d", time.localtime(at))
    return texts("plan.checked-on", day=day)


def download(offer: Offer, rate: float, currency: str, pace: float | None, texts: Texts) -> str:
    """Return what is downloaded, and how long that takes and costs where it is known.

    Args:
        offer: the model.
        rate: what the host costs an hour, 0 where that is not known.
        currency: of the rate.
        pace: bytes a second of the last download there, None where there was none.
        texts: the reader's.
    """
    count = offer.model.weight_bytes
    if not count:
        return ""
    said = texts("plan.download", size=size(count))
    if not pace:
        return said
    seconds = count / pace
    time_ = texts("plan.about", minutes=max(1, round(seconds / 60)))
    spent = money(cost(rate, seconds), currency) if rate else ""
    return joined(said, time_, spent)


def room(offer: Offer, free: int | None, texts: Texts) -> str:
    """Return what the disk has where that is less than the model; "" where it is enough.

    A warning and no verdict: a part of the model, or all of it, may lie there already.
    """
    if free is None or free >= offer.model.weight_bytes:
        return ""
    return texts("plan.disk-short", free=size(free))


def lengths(longest: int) -> Sequence[int]:
    """Return the contexts to choose from, up to the longest one that a model was made for."""
    steps = [2048 << shift for shift in range(8)]
    fitting = [step for step in steps if step <= longest]
    return fitting or steps[:1]


def pace_of(facts: Mapping[str, object], name: str) -> float | None:
    """Return a rate among the facts, None where there is no useful one."""
    value = facts.get(name)
    is_rate = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if is_rate else None  # type: ignore[arg-type]
