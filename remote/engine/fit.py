"""Whether a model fits on the cards, how it is split, and how long a context is left."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

from remote.engine import memory, options
from remote.engine.budget import CONTEXT, cuda_free, cuda_total, held_bytes, utilization
from remote.engine.choice import Engine, is_old
from remote.engine.memory import GIB, MIB
from remote.engine.shape import Shape
from remote.engine.split import Split, splits
from remote.host.gpus import Gpu, describe_holders
from remote.spec import Spec
from remote.task import TaskFailed

# Below this a chat is no use; a model made for less is served with what it was made for.
SHORTEST_LENGTH = 2048
# Long enough not to give up speed for more: see `remote.engine.split`.
COMFORTABLE_LENGTH = 32768
BLOCK = 16  # tokens: the cache is given out in blocks

_NOISE = 256 * MIB  # a desktop's or the driver's own; not a holder to speak of
_ALIKE = 0.9  # cards with so much of the largest card's memory count as equal

FP8_CAPABILITY = (8, 9)  # Triton's attention takes fp8 from there on (triton_attn.py, 0.32)
CPU_KV_CACHE_GIB = 1


class Fit(NamedTuple):
    """How a model is put on a host's cards. Bytes are of all used cards together.

    Attributes:
        fits: whether it can be served at all, with the length that was asked for.
        max_model_len: the context that is served, in tokens. Where the asked length does not fit,
            the longest that does. 0 where nothing fits, or where it fits but cannot be told.
        weights: bytes that the loaded weights take.
        kv_per_token: bytes of KV cache for one token of context, with `kv_cache_dtype`.
        kv_room: bytes left for the KV cache.
        needed: bytes that the model, its shortest useful context and the engine need.
        room: bytes that the cards can give to them.
        kv_cache_dtype: "auto" (as the weights) or "fp8".
        utilization: vLLM's --gpu-memory-utilization; 0.0 = its own default.
        cards: the cards to use, by their places in the list that was planned with; () = CPU.
        tensor_parallel: cards that share each layer.
        pipeline_parallel: groups of cards that share the layers out.
        held: the cards that would be enough, did other processes not hold their memory.
    """

    fits: bool
    max_model_len: int
    weights: int
    kv_per_token: int
    kv_room: int
    needed: int
    room: int
    kv_cache_dtype: str = "auto"
    utilization: float = 0.0
    cards: Tuple[int, ...] = ()
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    held: Tuple[int, ...] = ()


class _Way(NamedTuple):
    """One split, and the cards of this host that it would use."""

    split: Split
    cards: Tuple[int, ...]


def plan(shape: Shape, cards: Sequence[Gpu], engine: Engine, spec: Spec) -> Fit:
    """Return the best way to serve a model on these cards; never raises.

    The keys and values are kept in 16 bits where the length that was asked for, or the shortest
    useful one, fits like that, and in 8 bits where only that makes it fit or the user said so.
    """
    if engine.build == "cpu" or not cards:
        return _on_cpu(shape, spec)
    best = _best(shape, cards, engine, spec)
    if best.fits:
        return best
    emptied = _best(shape, [card._replace(memory_free=None) for card in cards], engine, spec)
    held = [index for index in emptied.cards if held_bytes(cards[index]) > _NOISE]
    return best._replace(held=tuple(held)) if emptied.fits else best


def check(fit: Fit, cards: Sequence[Gpu], spec: Spec) -> None:
    """Raise where the model does not fit, with what a person needs to know.

    Raises:
        TaskFailed: `preflight.model-does-not-fit` {model, needed, room}, `preflight.card-busy`
            {card, index, free, needed, holders} or `preflight.length-does-not-fit` {asked, fits}.
    """
    if fit.fits:
        return
    if fit.held:
        card = cards[fit.held[0]]
        raise TaskFailed(
            "preflight.card-busy",
            card=card.name,
            index=card.number,
            free=card.memory_free,
            needed=fit.needed // (fit.tensor_parallel * fit.pipeline_parallel) + CONTEXT,
            holders=describe_holders(card.holders) or "?",  # outside of the container
        )
    if fit.max_model_len:
        raise TaskFailed(
            "preflight.length-does-not-fit", asked=asked_length(spec), fits=fit.max_model_len
        )
    raise TaskFailed(
        "preflight.model-does-not-fit", model=spec.model, needed=fit.needed, room=fit.room
    )


def asked_length(spec: Spec) -> int:
    """Return the context length that the user asked for as a number, else 0."""
    written = options.number(spec.engine_args, "--max-model-len")
    if written is not None:
        return int(written)
    return int(spec.max_model_len) if spec.max_model_len.isdigit() else 0


def asked_kv_cache_dtype(spec: Spec) -> str:
    """Return how the user wants keys and values kept: "auto", "fp8" or "" for no wish."""
    written = options.value(spec.engine_args, "--kv-cache-dtype")
    if written is None:
        return spec.kv_cache_dtype
    return "fp8" if written.startswith("fp8") else "auto"


def tokens_in(room: int, bytes_per_token: int) -> int:
    """Return the tokens that a cache of so many bytes holds, in whole blocks."""
    return max(0, room) // (bytes_per_token * BLOCK) * BLOCK


def _best(shape: Shape, cards: Sequence[Gpu], engine: Engine, spec: Spec) -> Fit:
    """Return the first way that gives a comfortable length, else the one with the longest."""
    ways = _ways(shape, cards, spec)
    enough = asked_length(spec) or min(shape.native_length, COMFORTABLE_LENGTH)
    tried: List[Fit] = []
    for dtype in _kv_cache_dtypes(spec):
        fits = [_on_cards(shape, way, cards, engine, spec, dtype) for way in ways]
        longest = max(fits, key=lambda fit: (fit.fits, fit.max_model_len, fit.room - fit.needed))
        tried.append(
            next((one for one in fits if one.fits and one.max_model_len >= enough), longest)
        )
        if tried[-1].fits:
            return tried[-1]
    return max(tried, key=lambda fit: fit.max_model_len)


def _ways(shape: Shape, cards: Sequence[Gpu], spec: Spec) -> List[_Way]:
    """Return the ways over the freest of the equal cards, then over all: the smallest decides.

    A card that does not tell its memory is only used alone: of those that are cut into parts a
    process sees no more than one.
    """
    young = [index for index, card in enumerate(cards) if not is_old(card)]
    indexes = sorted(young or range(len(cards)), key=lambda index: -cuda_free(cards[index]))
    indexes = [index for index in indexes if cards[index].memory_total] or indexes[:1]
    largest = max(cuda_total(cards[index]) for index in indexes)
    asked = _asked_split(spec)
    if asked is not None:
        return [_Way(asked, tuple(sorted(indexes[: asked.cards])))]
    alike = [index for index in indexes if cuda_total(cards[index]) >= _ALIKE * largest]
    found: List[_Way] = []
    for pool in (alike, indexes):
        for count in range(len(pool), 0, -1):
            ways = splits(shape, count, spec.node_count)
            found += [_Way(split, tuple(sorted(pool[: split.cards]))) for split in ways]
    return list(dict.fromkeys(found))


def _asked_split(spec: Spec) -> Optional[Split]:
    """Return how the user shares the model out, None without such a wish."""
    tensor, pipeline = (
        options.number(spec.engine_args, name)
        for name in ("--tensor-parallel-size", "--pipeline-parallel-size")
    )
    if tensor is None and pipeline is None:
        return None
    split = Split(int(tensor or 1), int(pipeline or 1), 0)
    return split._replace(cards=max(1, split.world // spec.node_count))


def _kv_cache_dtypes(spec: Spec) -> Tuple[str, ...]:
    """Return the ways to keep keys and values that may be tried, the preferred one first."""
    asked = asked_kv_cache_dtype(spec)
    return (asked,) if asked else ("auto", "fp8")


def _can_fp8(card: Gpu) -> bool:
    return card.capability is None or card.capability >= FP8_CAPABILITY


def _on_cards(
    shape: Shape, way: _Way, cards: Sequence[Gpu], engine: Engine, spec: Spec, dtype: str
) -> Fit:
    """Return how a model fits in one way; the card with the least memory decides for all."""
    chosen = [cards[index] for index in way.cards]
    dtype = dtype if all(map(_can_fp8, chosen)) else "auto"
    smallest = min(chosen, key=cuda_free)
    total, free = min(map(cuda_total, chosen)), cuda_free(smallest)
    share = options.number(spec.engine_args, "--gpu-memory-utilization") or min(
        utilization(card, engine) for card in chosen
    )
    needs = memory.needs(shape, way.split, *_batch(smallest, spec))
    per_token = needs.kv_per_token // 2 if dtype == "fp8" else needs.kv_per_token
    budget = int(total * share)
    unpacks = not engine.version or engine.version >= memory.UNPACKING_SINCE
    at_load = needs.weights + needs.loading * unpacks + CONTEXT
    room = budget - needs.weights - needs.overhead if at_load <= free else 0
    length, fits = _length(shape, tokens_in(room, per_token), spec)
    shortest = -(-min(SHORTEST_LENGTH, shape.native_length) // BLOCK) * BLOCK * per_token
    needed = max(needs.weights + needs.overhead + shortest, at_load + budget - free)
    if not all(card.memory_total for card in chosen):
        length, fits, share = asked_length(spec), True, 0.0  # nothing to reckon with
    world = way.split.world
    return Fit(
        fits=fits,
        max_model_len=length,
        weights=memory.loaded(shape),
        kv_per_token=memory.kv_per_token(shape, dtype),
        kv_room=max(0, room) * world,
        needed=needed * world,
        room=max(0, budget) * world,
        kv_cache_dtype=dtype,
        utilization=share,
        cards=way.cards,
        tensor_parallel=way.split.tensor,
        pipeline_parallel=way.split.pipeline,
    )


def _batch(card: Gpu, spec: Spec) -> Tuple[int, int]:
    """Return the tokens and the sequences of the largest forward pass."""
    tokens = options.number(spec.engine_args, "--max-num-batched-tokens")
    sequences = options.number(spec.engine_args, "--max-num-seqs")
    default = memory.batched_tokens(cuda_total(card), card.name)
    return int(tokens or default), int(sequences or memory.MAX_NUM_SEQS)


def _length(shape: Shape, capacity: int, spec: Spec) -> Tuple[int, bool]:
    """Return the length that is served, and whether that is what was asked for."""
    asked, native = asked_length(spec), shape.native_length
    longest = min(native, capacity)
    if 0 < asked <= longest:
        return asked, True
    is_useful = longest >= min(SHORTEST_LENGTH, native)
    return (longest if is_useful else 0), is_useful and not asked


def _on_cpu(shape: Shape, spec: Spec) -> Fit:
    """Without a card the cache has a fixed size, and the host's own memory is not known here."""
    per_token, room = memory.kv_per_token(shape, "auto"), CPU_KV_CACHE_GIB * GIB
    longest = min(shape.native_length, tokens_in(room, per_token))
    asked = asked_length(spec)
    fits = asked <= longest
    return Fit(
        fits=fits,
        max_model_len=asked if asked and fits else longest,
        weights=memory.loaded(shape),
        kv_per_token=per_token,
        kv_room=room,
        needed=memory.loaded(shape) + room,
        room=memory.loaded(shape) + room,
    )
