"""How a model can be shared out over a host's cards: vLLM's rules, in the host's order.

See remote/engine/split.py for why: tensor parallelism first, groups where it cannot use all cards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from desktop.core.catalogue import Model
from desktop.core.planner.machine import Card
from desktop.core.planner.memory import Way

CAPABILITY = (7, 5)  # of the oldest card that an engine runs on
_ALIKE = 0.9  # cards with so much of the largest one's memory count as equal


def is_too_old(card: Card) -> bool:
    """Tell whether no engine runs on a card; one that does not tell is not old."""
    return card.capability is not None and card.capability < CAPABILITY


def ways(model: Model, cards: Sequence[Card]) -> list[Way]:
    """Return the ways over the freest of the equal cards, then over all, the preferred one first.

    A card that does not tell its memory is only used alone.
    """
    young = [card for card in cards if not is_too_old(card)] or list(cards)
    young.sort(key=lambda card: -card.free)
    usable = [card for card in young if card.memory] or young[:1]
    largest = max(card.total for card in usable)
    alike = [card for card in usable if card.total >= _ALIKE * largest]
    found = [
        Way(tensor, groups, tuple(pool[: tensor * groups]))
        for pool in (alike, usable)
        for count in range(len(pool), 0, -1)
        for tensor, groups in _splits(model, count)
    ]
    return list(dict.fromkeys(found))


def _splits(model: Model, count: int) -> Iterator[tuple[int, int]]:
    most = 0
    for tensor in range(count, 0, -1):
        if not _divides(model, tensor):
            continue
        for groups in sorted({1, count // tensor}):
            if groups <= model.layers and tensor * groups > most:
                most = tensor * groups
                yield tensor, groups


def _divides(model: Model, tensor: int) -> bool:
    """Tell whether vLLM can share each layer over so many cards."""
    heads, kv_heads = model.heads, model.kv_heads
    if heads % tensor or (kv_heads % tensor and tensor % kv_heads):
        return False
    cut = (heads * model.head_dim, model.intermediate)
    group = model.group_size or 1
    return all(width % tensor == 0 and (width // tensor) % group == 0 for width in cut)
