"""How much of a card vLLM may plan with: CUDA's count, less what others hold and what lies outside.

vLLM takes its budget as a share of the card's total memory (--gpu-memory-utilization) and refuses
to start where less than that is free.
"""

from remote.engine.choice import Engine
from remote.engine.memory import GRAPHS, MIB
from remote.host.gpus import Gpu

# nvidia-smi counts what the driver keeps, CUDA does not: an H100's 81,559 MiB are 79.19 GiB to
# vLLM, an H200's 143,771 MiB are 139.80 GiB, a 4090's 24,564 MiB are 23.5 to 23.65 GiB.
DRIVER_RESERVE = 480 * MIB
_DRIVER_SHARE = 0.0045
# The process's CUDA context (0.3 to 0.6 GiB) and the graphs lie outside vLLM's budget.
CONTEXT = 600 * MIB
UTILIZATION = 0.95  # with few sequences it may go so far on a card that nobody else uses
UTILIZATION_UP_TO_0_19 = 0.92  # there the graphs are not even estimated
_APART = 0.02  # of a card's total memory, kept from what others leave free


def cuda_total(card: Gpu) -> int:
    """Return a card's memory as CUDA counts it, 0 where the driver does not tell."""
    total = card.memory_total or 0
    return max(0, total - max(DRIVER_RESERVE, int(total * _DRIVER_SHARE)))


def cuda_free(card: Gpu) -> int:
    """Return what CUDA can give of it now; all of it where the driver does not tell."""
    total = cuda_total(card)
    return total if card.memory_free is None else min(total, card.memory_free)


def held_bytes(card: Gpu) -> int:
    """Return what others hold of a card."""
    return cuda_total(card) - cuda_free(card)


def utilization(card: Gpu, engine: Engine) -> float:
    """Return the share of a card's memory that vLLM may plan with, in hundredths, rounded down."""
    total, free = cuda_total(card), cuda_free(card)
    if not total:
        return 0.0
    is_old_engine = bool(engine.version) and engine.version < (0, 20)
    most = UTILIZATION_UP_TO_0_19 if is_old_engine else UTILIZATION
    outside = CONTEXT + GRAPHS
    share = min(most, free / total - _APART, (free - outside) / total)
    return max(0, int(share * 100 + 1e-9)) / 100
