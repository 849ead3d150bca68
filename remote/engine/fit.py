"""Whether a model fits on the cards, how it is split, and how long a context is left."""

from typing import NamedTuple, Sequence, Tuple

from remote.engine.choice import Engine
from remote.engine.shape import Shape
from remote.host.gpus import Gpu
from remote.spec import Spec


class Fit(NamedTuple):
    """How a model is put on a host's cards. Bytes are of all used cards together.

    Attributes:
        fits: whether it can be served at all, with the length that was asked for.
        max_model_len: the context that is served, in tokens (0 where nothing fits).
        weights: bytes that the loaded weights take.
        kv_per_token: bytes of KV cache for one token of context, with `kv_cache_dtype`.
        kv_room: bytes left for the KV cache.
        needed: bytes that the model and its shortest useful context need.
        room: bytes that the cards could give to weights and KV cache.
        kv_cache_dtype: "auto" (as the weights) or "fp8".
        utilization: vLLM's --gpu-memory-utilization.
        cards: indexes of the cards to use, as nvidia-smi counts them; () = CPU.
        tensor_parallel: cards that share each layer.
        pipeline_parallel: groups of cards that share the layers out.
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


def plan(shape: Shape, cards: Sequence[Gpu], engine: Engine, spec: Spec) -> Fit:
    """Return the best way to serve a model on these cards; never raises."""
    raise NotImplementedError


def check(fit: Fit, shape: Shape, cards: Sequence[Gpu], spec: Spec) -> None:
    """Raise where the model does not fit, with what a person needs to know.

    Raises:
        TaskFailed: `preflight.model-does-not-fit` {model, needed, room}, `preflight.card-busy`
            {card, free, needed, holders} or `preflight.length-does-not-fit` {asked, fits}.
    """
    raise NotImplementedError
