"""What a model takes of each card, in the terms of the host's planner (remote/engine/memory.py).

The host decides; these are its formulas for the models of the catalogue, so that a person hears the
verdict before there is a connection. Where each figure comes from is said there; a contract test
holds both to the same answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.catalogue import Model
from desktop.core.planner.machine import MIB, Card, Machine

GIB = 1 << 30

CONTEXT = 600 * MIB  # of the process, outside vLLM's budget
SEQUENCES = 8

_LOADED_PER_FILE_BYTE = 1.024
_INNER_WIDTHS, _OUTER_WIDTHS = 3.0, 3.4
_LOGIT_BYTES = 4 * 4
_NON_TORCH, _BETWEEN_CARDS, _GRAPHS = 230 * MIB, 600 * MIB, 115 * MIB
_PICTURES = 1536 * MIB
_STATE_BYTES = 4
_BATCHED, _BATCHED_FROM = 2048, ((160 * GIB, 16384), (70 * GIB, 8192))
_UNPACKING_SINCE = (0, 27)
_APART = 0.02
_CUDA_12_ENGINE, _CUDA_13_ENGINE = (0, 19, 1), (0, 33, 0)  # remote/engine/versions.py


@dataclass(frozen=True, slots=True)
class Way:
    """How a model is shared out: over which cards, how many to a layer, in how many groups."""

    tensor: int
    pipeline: int
    cards: tuple[Card, ...]

    @property
    def world(self) -> int:
        """All cards together."""
        return self.tensor * self.pipeline


@dataclass(frozen=True, slots=True)
class Share:
    """What the fullest card of a way takes, in bytes.

    Attributes:
        weights: of the model, when loaded.
        overhead: what the engine takes beside weights and cache.
        loading: needed for a moment while the weights are unpacked, beside them.
        kv_per_token: of the cache, with 16 bits.
    """

    weights: int
    overhead: int
    loading: int
    kv_per_token: int


def engines_of(machine: Machine) -> tuple[tuple[int, ...], ...]:
    """Return the versions of vLLM that may run there: more than one where nobody has said."""
    if machine.engine:
        return (machine.engine,)
    if machine.cuda_major is None:
        return (_CUDA_12_ENGINE, _CUDA_13_ENGINE)
    return (_CUDA_12_ENGINE,) if machine.cuda_major < 13 else (_CUDA_13_ENGINE,)


def share_of(model: Model, way: Way, engine: tuple[int, ...]) -> Share:
    """Return what each card takes where a model is shared out like this."""
    smallest = min(way.cards, key=lambda card: card.free)
    layers = -(-(model.attention_layers or model.layers) // way.pipeline)
    between = _BETWEEN_CARDS if way.world > 1 else 0
    states = SEQUENCES * model.state * _STATE_BYTES // way.world
    activation = _activation(model, way.tensor, _batched_tokens(smallest))
    unpacks = not engine or engine >= _UNPACKING_SINCE
    unpacking = 2 * model.hidden * 2 * model.intermediate * 4 // way.tensor
    return Share(
        weights=_weights(model, way),
        overhead=activation + _NON_TORCH + between + _GRAPHS + states,
        loading=unpacking if unpacks else 0,
        kv_per_token=2 * layers * max(1, model.kv_heads // way.tensor) * model.head_dim * 2,
    )


def loaded(model: Model) -> int:
    """Return the bytes of all weights when loaded."""
    return round(model.weight_bytes * _LOADED_PER_FILE_BYTE)


def _weights(model: Model, way: Way) -> int:
    total = loaded(model)
    if way.pipeline == 1:
        return total // way.tensor
    ends = min(total, 2 * model.vocab * model.hidden * 2)
    layers = -(-model.layers // way.pipeline)
    return ((total - ends) * layers // model.layers + ends // 2) // way.tensor


def _activation(model: Model, tensor: int, batched_tokens: int) -> int:
    widths = _INNER_WIDTHS * model.intermediate / tensor + _OUTER_WIDTHS * model.hidden
    peak = max(
        batched_tokens * 2 * widths,
        (model.vocab / tensor + 2 * batched_tokens) * model.hidden * 2,
        SEQUENCES * model.vocab * _LOGIT_BYTES,
    )
    return int(peak) + (_PICTURES if model.sees else 0)


def _batched_tokens(card: Card) -> int:
    for least, tokens in _BATCHED_FROM:
        if card.total >= least and ("a100" not in card.name.lower() or least > 70 * GIB):
            return tokens
    return _BATCHED


def budget_share(card: Card, engine: tuple[int, ...]) -> float:
    """Return the share of a card that vLLM may plan with, in hundredths, rounded down."""
    if not card.total:
        return 0.0
    most = 0.92 if engine and engine < (0, 20) else 0.95
    outside = CONTEXT + _GRAPHS
    share = min(most, card.free / card.total - _APART, (card.free - outside) / card.total)
    return max(0, int(share * 100 + 1e-9)) / 100
