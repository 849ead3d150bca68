"""What is tried next after an engine ended: each remedy once, but for the port; a few in all.

A remedy never takes back what the user asked for: where an option of their own says otherwise, it
is left out, and the failure is told instead.
"""

from typing import Callable, Dict, Optional, Sequence, Tuple

from remote.engine import options, signatures
from remote.engine.failures import Ending
from remote.engine.serving import Serving

MOST = 4  # remedies for one run of the task: each costs a start of one to three minutes

# Whoever else starts on this host may look for a port in the same moment, and more than once. That
# a port is taken is mostly known after some 15 s: three more tries cost less than one start.
_TRIES = {signatures.NEXT_PORT: 3}

_APART = 0.02  # of a card's memory, kept from what others leave free
_LEAST_UTILIZATION = 0.3  # below this no model that is rented a card for is left room
_FEW_SEQUENCES = 2

# What is tried when a remedy was of no use: without graphs and compilation an engine needs less
# memory, and no compiler.
_THEN: Dict[str, Tuple[str, ...]] = {
    signatures.FEWER_SEQUENCES: (signatures.EAGER,),
    signatures.WITHOUT_NVCC: (signatures.EAGER,),
}

_OPTION_OF = {
    signatures.NAMED_LENGTH: "--max-model-len",
    signatures.LESS_MEMORY: "--gpu-memory-utilization",
    signatures.FEWER_SEQUENCES: "--max-num-seqs",
    signatures.EAGER: "--enforce-eager",
    signatures.HALF: "--dtype",
    signatures.PLAIN_CACHE: "--kv-cache-dtype",
}


def following(what: Serving, end: Ending, engine_args: Sequence[str] = ()) -> Optional[Serving]:
    """Return what is tried next, or None where nothing is left to try.

    Args:
        what: the attempt that failed.
        end: how it ended.
        engine_args: the user's own options; what they say is not overruled.
    """
    if len(what.remedies) >= MOST:
        return None
    for remedy in (end.remedy, *_THEN.get(end.remedy, ())):
        is_used_up = what.remedies.count(remedy) >= _TRIES.get(remedy, 1)
        if is_used_up or options.is_given(engine_args, _OPTION_OF.get(remedy, "?")):
            continue
        changed = REMEDIES[remedy](what, end) if remedy in REMEDIES else None
        if changed is not None and not _is_users(remedy, end, engine_args):
            return changed._replace(remedies=(*what.remedies, remedy))
    return None


def _is_users(remedy: str, end: Ending, engine_args: Sequence[str]) -> bool:
    """Tell whether an option that the engine does not know came from the user."""
    is_argument = remedy == signatures.WITHOUT_ARGUMENT
    unknown = _unknown_options(end) if is_argument else ()
    return any(options.is_given(engine_args, option) for option in unknown)


def _unknown_options(end: Ending) -> Tuple[str, ...]:
    """Return the options, without their values, that argparse names all in one line."""
    words = str(end.facts.get("argument", "")).split()
    return tuple(filter(None, map(options.name, words)))


def _next_port(what: Serving, _end: Ending) -> Serving:
    return what._replace(port=what.port + 1)


def _named_length(what: Serving, end: Ending) -> Optional[Serving]:
    fits = end.facts.get("fits")
    return what._replace(fitted_length=fits) if isinstance(fits, int) and fits > 0 else None


def _less_memory(what: Serving, end: Ending) -> Optional[Serving]:
    """What others hold stays theirs: take what is free, less a little for their moods."""
    free, total = end.facts.get("free_gib"), end.facts.get("total_gib")
    if not isinstance(free, (int, float)) or not isinstance(total, (int, float)) or total <= 0:
        return None
    share = int((free / total - _APART) * 100) / 100
    return what._replace(utilization=share) if share >= _LEAST_UTILIZATION else None


def _same_again(what: Serving, _end: Ending) -> Serving:
    return what


def _fewer_sequences(what: Serving, _end: Ending) -> Serving:
    return what._replace(max_num_seqs=_FEW_SEQUENCES)


def _without_nvcc(what: Serving, _end: Ending) -> Optional[Serving]:
    return what._replace(has_nvcc=False) if what.has_nvcc else None


def _eager(what: Serving, _end: Ending) -> Optional[Serving]:
    return None if what.eager else what._replace(eager=True)


def _half(what: Serving, _end: Ending) -> Serving:
    return what._replace(dtype="half")


def _plain_cache(what: Serving, _end: Ending) -> Optional[Serving]:
    """16 bits for each key and value take twice the room: half the length is left."""
    fit = what.fit
    if fit is None or fit.kv_cache_dtype != "fp8":
        return None
    plain = fit._replace(
        kv_cache_dtype="auto",
        kv_per_token=fit.kv_per_token * 2,
        max_model_len=min(fit.max_model_len, fit.kv_room // (fit.kv_per_token * 2)),
    )
    return what._replace(fit=plain)


def _without_argument(what: Serving, end: Ending) -> Optional[Serving]:
    unknown = _unknown_options(end)
    return what._replace(dropped=(*what.dropped, *unknown)) if unknown else None


REMEDIES: Dict[str, Callable[[Serving, Ending], Optional[Serving]]] = {
    signatures.NEXT_PORT: _next_port,
    signatures.LISTEN_AGAIN: _next_port,
    signatures.NAMED_LENGTH: _named_length,
    signatures.LESS_MEMORY: _less_memory,
    signatures.SAME_AGAIN: _same_again,
    signatures.FEWER_SEQUENCES: _fewer_sequences,
    signatures.WITHOUT_NVCC: _without_nvcc,
    signatures.EAGER: _eager,
    signatures.HALF: _half,
    signatures.PLAIN_CACHE: _plain_cache,
    signatures.WITHOUT_ARGUMENT: _without_argument,
}
