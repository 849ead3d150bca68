"""Whether a model fits on a machine, with which context, and what takes its memory: pure.

The host plans once more, and its word counts; it is never more generous than this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from desktop.core.catalogue import Model
from desktop.core.planner.machine import Card, Machine
from desktop.core.planner.memory import (
    CONTEXT,
    GIB,
    Way,
    budget_share,
    engines_of,
    loaded,
    share_of,
)
from desktop.core.planner.ways import is_too_old, ways

SHORTEST = 2048  # tokens below which nobody can talk
COMFORTABLE = 32768  # enough not to give up speed for more
BLOCK = 16  # tokens: the cache is given out in blocks
_FP8_CAPABILITY = (8, 9)
_CPU_CACHE = 1 * GIB
_NOISE = 256 << 20  # a desktop's or the driver's own


class Verdict(Enum):
    """What comes of it."""

    FITS = "fits"
    TOO_LONG = "too-long"  # the model fits, and the context that was asked for does not
    TOO_LARGE = "too-large"
    BUSY = "busy"  # it would fit, did others not hold the cards' memory
    CARD_TOO_OLD = "card-too-old"
    DRIVER_TOO_OLD = "driver-too-old"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is put on a machine. Bytes are of all used cards together.

    Attributes:
        verdict: whether it can be served, with the length that was asked for.
        length: the context that is served, in tokens: the one asked for, else the longest.
        longest: the longest context that fits, 0 where none does.
        kv_cache_dtype: "auto" (16 bits) or "fp8".
        cards: how many are used; 0 = the processor.
        weights: of the model, when loaded.
        kv: the KV cache of that length.
        overhead: what the engine takes beside.
        held: what others hold.
        total: the memory of the cards, as CUDA counts it.
        needed: for the model, its shortest useful context and the engine.
        room: what the cards can give to these.
    """

    verdict: Verdict
    length: int = 0
    longest: int = 0
    kv_cache_dtype: str = "auto"
    cards: int = 0
    weights: int = 0
    kv: int = 0
    overhead: int = 0
    held: int = 0
    total: int = 0
    needed: int = 0
    room: int = 0

    @property
    def fits(self) -> bool:
        """Whether it can be served as it was asked for."""
        return self.verdict is Verdict.FITS

    @property
    def free(self) -> int:
        """The bytes that nobody takes."""
        return max(0, self.total - self.held - self.weights - self.overhead - self.kv)

    @property
    def short(self) -> int:
        """The bytes that are missing, 0 where it fits."""
        return 0 if self.fits else max(0, self.needed - self.room)


@dataclass(frozen=True, slots=True)
class _Fit:
    """One way, and whether the model can be served like that.

    `needed` and `room` are of all cards together, the other bytes of each card.
    """

    fits: bool
    length: int
    dtype: str
    way: Way
    weights: int
    overhead: int
    kv_per_token: int
    needed: int
    room: int


def plan(model: Model, machine: Machine | None, length: int = 0, kv_cache_dtype: str = "") -> Plan:
    """Return how a model is put on a machine; never raises.

    Args:
        model: of the catalogue.
        machine: None where nothing is known.
        length: the context that is asked for, in tokens; 0 = the longest that fits.
        kv_cache_dtype: "auto" (16 bits), "fp8", or "" for what makes it fit.
    """
    refused = _refusal(model, machine)
    if machine is None or refused is Verdict.UNKNOWN:
        return Plan(Verdict.UNKNOWN, weights=loaded(model))
    if machine.is_cpu:
        return _on_cpu(model, length)
    best = _worst_engine(model, machine, machine.cards, length, kv_cache_dtype)
    longest = _worst_engine(model, machine, machine.cards, 0, kv_cache_dtype)
    verdict = refused or _verdict(model, machine, best, length, kv_cache_dtype)
    return _plan(verdict, best, longest.length if longest.fits else 0)


def _refusal(model: Model, machine: Machine | None) -> Verdict | None:
    """Return what stands against every length."""
    if machine is None or machine.is_without_gpu:
        return Verdict.UNKNOWN
    if machine.is_cpu:
        return None
    if not machine.cards or not any(card.memory for card in machine.cards):
        return Verdict.UNKNOWN
    if all(is_too_old(card) for card in machine.cards):
        return Verdict.CARD_TOO_OLD
    cuda = machine.cuda_major
    if not machine.has_engine or (cuda is not None and cuda < model.cuda_major):
        return Verdict.DRIVER_TOO_OLD
    return None


def _verdict(
    model: Model, machine: Machine, best: _Fit, length: int, kv_cache_dtype: str
) -> Verdict:
    if best.fits:
        return Verdict.FITS
    emptied = [replace(card, memory_free=None) for card in machine.cards]
    if _worst_engine(model, machine, emptied, length, kv_cache_dtype).fits and any(
        card.total - card.free > _NOISE for card in machine.cards
    ):
        return Verdict.BUSY
    return Verdict.TOO_LONG if best.length else Verdict.TOO_LARGE


def _plan(verdict: Verdict, best: _Fit, longest: int) -> Plan:
    cards, world = best.way.cards, best.way.world
    return Plan(
        verdict=verdict,
        length=best.length,
        longest=max(longest, best.length),  # in 8 bits perhaps, where that was too long
        kv_cache_dtype=best.dtype,
        cards=world,
        weights=best.weights * world,
        kv=best.length * best.kv_per_token * world,
        overhead=(best.overhead + CONTEXT) * world,
        held=sum(card.total - card.free for card in cards),
        total=sum(card.total for card in cards),
        needed=best.needed,
        room=best.room,
    )


def _worst_engine(
    model: Model, machine: Machine, cards: Sequence[Card], length: int, kv_cache_dtype: str
) -> _Fit:
    """Return the best way with the engine that leaves the least, where several may run there."""
    tried = [_best(model, cards, each, length, kv_cache_dtype) for each in engines_of(machine)]
    return min(tried, key=lambda fit: (fit.fits, fit.length))


def _best(
    model: Model, cards: Sequence[Card], engine: tuple[int, ...], length: int, kv_cache_dtype: str
) -> _Fit:
    """Return the first way with a comfortable length, else the one with the longest."""
    enough = length or min(model.native_length, COMFORTABLE)
    found = ways(model, cards)
    tried: list[_Fit] = []
    for dtype in (kv_cache_dtype,) if kv_cache_dtype else ("auto", "fp8"):
        fits = [_on_cards(model, way, engine, length, dtype) for way in found]
        longest = max(fits, key=lambda fit: (fit.fits, fit.length, fit.room - fit.needed))
        first = (fit for fit in fits if fit.fits and fit.length >= enough)
        tried.append(next(first, longest))
        if tried[-1].fits:
            return tried[-1]
    return max(tried, key=lambda fit: fit.length)


def _on_cards(model: Model, way: Way, engine: tuple[int, ...], asked: int, dtype: str) -> _Fit:
    """Return how a model fits in one way; the card with the least memory decides for all."""
    dtype = dtype if all(map(_can_fp8, way.cards)) else "auto"
    share = share_of(model, way, engine)
    per_token = share.kv_per_token // 2 if dtype == "fp8" else share.kv_per_token
    free = min(card.free for card in way.cards)
    part = min(budget_share(card, engine) for card in way.cards)
    budget = int(min(card.total for card in way.cards) * part)
    at_load = share.weights + share.loading + CONTEXT
    room = budget - share.weights - share.overhead if at_load <= free else 0
    length, fits = _length(model, max(0, room) // (per_token * BLOCK) * BLOCK, asked)
    shortest = -(-min(SHORTEST, model.native_length) // BLOCK) * BLOCK * per_token
    return _Fit(
        fits=fits,
        length=length,
        dtype=dtype,
        way=way,
        weights=share.weights,
        overhead=share.overhead,
        kv_per_token=per_token,
        needed=max(share.weights + share.overhead + shortest, at_load + budget - free) * way.world,
        room=max(0, budget) * way.world,
    )


def _can_fp8(card: Card) -> bool:
    return card.capability is None or card.capability >= _FP8_CAPABILITY


def _length(model: Model, capacity: int, asked: int) -> tuple[int, bool]:
    """Return the length that is served, and whether that is what was asked for."""
    longest = min(model.native_length, capacity)
    if 0 < asked <= longest:
        return asked, True
    is_useful = longest >= min(SHORTEST, model.native_length)
    return (longest if is_useful else 0), is_useful and not asked


def _on_cpu(model: Model, asked: int) -> Plan:
    """Without a card the cache has a fixed size; the host's own memory is the host's business."""
    layers = model.attention_layers or model.layers
    per_token = 2 * layers * model.kv_heads * model.head_dim * 2
    longest = min(model.native_length, _CPU_CACHE // (per_token * BLOCK) * BLOCK)
    fits = asked <= longest
    return Plan(
        verdict=Verdict.FITS if fits else Verdict.TOO_LONG,
        length=asked if asked and fits else longest,
        longest=longest,
        weights=loaded(model),
        kv=(asked or longest) * per_token,
        total=loaded(model) + _CPU_CACHE,
        needed=loaded(model) + _CPU_CACHE,
        room=loaded(model) + _CPU_CACHE,
    )
