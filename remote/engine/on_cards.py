"""The part of vLLM's command line that depends on the cards: memory, attention, parallelism."""

import re
from typing import Dict, List, Tuple

from remote.engine import options
from remote.engine.fit import FP8_CAPABILITY, asked_kv_cache_dtype
from remote.engine.options import Option
from remote.engine.serving import Serving
from remote.spec import Spec

KEEP_ALIVE_SECONDS = 15  # a line in a stream that is silent for so long: tunnels close silent ones

ATTENTION_BACKEND_SINCE = (0, 14, 1)  # before it was a variable
STARTUP_PLAN_SINCE = (0, 27)
KEEP_ALIVE_SINCE = (0, 32)

# FlashAttention 2 and bfloat16 begin there; below, attention would be compiled with an nvcc.
AMPERE = (8, 0)
# Cards without NVLink between them: vLLM's own all-reduce would test and warn, or trust a driver
# that promises what a GeForce does not keep.
_PCIE_ONLY = re.compile(r"GeForce|RTX|TITAN|PCIe|\b(?:T4|L4|L40S?|A10|A16|A30|A40)\b", re.I)
# With one of these the user chooses the cards, ...
_CARDS = ("--device-ids", "--data-parallel-size")
# ... and with one of these, where there is no plan that follows it.
_SHARES = ("--tensor-parallel-size", "--pipeline-parallel-size")
# vLLM refuses expandable segments beside a KV connector (`config/vllm.py`).
_CONNECTORS = ("--kv-transfer-config", "--kv-offloading-size")


def arguments(what: Serving, spec: Spec) -> List[Option]:
    """Return the options that only an engine on cards gets, each with its values."""
    found: List[Option] = []
    dtype = what.dtype or ("half" if _is_before_ampere(what) else spec.dtype)
    if dtype:
        found.append(("--dtype", dtype))
    share = what.utilization or (what.fit.utilization if what.fit else 0.0)
    if share:
        found.append(("--gpu-memory-utilization", "%.4g" % share))
    found += _attention(what, spec)
    found += _parallel(what, spec)
    # An unknown flag ends the engine, so a version that is not known gets none of this.
    if what.version >= KEEP_ALIVE_SINCE:
        found.append(("--sse-keep-alive-interval", str(KEEP_ALIVE_SECONDS)))
    return found


def _attention(what: Serving, spec: Spec) -> List[Option]:
    """Keep attention away from FlashInfer, which compiles its kernels with nvcc.

    It is what vLLM takes for an fp8 cache, because FlashAttention 2 cannot read one (and on Hopper
    FlashAttention 3 dies of one beside float16), and for any cache on cards before Ampere.
    """
    found: List[Option] = []
    is_fp8 = _kv_cache_dtype(what, spec) == "fp8"
    if is_fp8:
        found.append(("--kv-cache-dtype", "fp8"))
    elif not _is_before_ampere(what) or what.has_nvcc:
        return found
    if what.is_since(ATTENTION_BACKEND_SINCE):
        found.append(("--attention-backend", "TRITON_ATTN"))
    return found


def _kv_cache_dtype(what: Serving, spec: Spec) -> str:
    if what.fit is not None:
        return what.fit.kv_cache_dtype
    able = what.capability is None or what.capability >= FP8_CAPABILITY
    return asked_kv_cache_dtype(spec) if able else "auto"


def _parallel(what: Serving, spec: Spec) -> List[Option]:
    if _are_chosen(what, spec):
        return []
    tensor, pipeline = _parallelism(what, spec)
    found: List[Option] = []
    if tensor > 1:
        found.append(("--tensor-parallel-size", str(tensor)))
        if any(_PCIE_ONLY.search(card.name) for card in what.cards):
            found.append(("--disable-custom-all-reduce",))
    if pipeline > 1:
        found.append(("--pipeline-parallel-size", str(pipeline)))
    if tensor * pipeline > 1:
        found.append(("--distributed-executor-backend", "mp"))
    return found


def _parallelism(what: Serving, spec: Spec) -> Tuple[int, int]:
    """Without a plan every host gives one card."""
    if what.fit is None:
        return 1, spec.node_count
    return what.fit.tensor_parallel, what.fit.pipeline_parallel


def _are_chosen(what: Serving, spec: Spec) -> bool:
    """Tell whether the user chooses the cards; how they share them out, a plan follows."""
    names = _CARDS if what.fit is not None else (*_CARDS, *_SHARES)
    return any(options.is_given(spec.engine_args, option) for option in names)


def _is_before_ampere(what: Serving) -> bool:
    return what.capability is not None and what.capability < AMPERE


def variables(what: Serving, spec: Spec) -> Dict[str, str]:
    """Return the variables that only an engine on cards gets."""
    found = {}
    if what.is_since(STARTUP_PLAN_SINCE):
        found["VLLM_ENABLE_STARTUP_PLAN"] = "1"  # 71 s to ready instead of 86 s (measured)
    if _are_chosen(what, spec):
        return found
    if what.cards:
        # CUDA counts the fastest first, nvidia-smi by bus.
        found["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        found["CUDA_VISIBLE_DEVICES"] = ",".join(str(card.number) for card in what.cards)
    # Not where several cards reduce together: their graphs share memory by handles, which
    # expandable segments have not.
    alone = _parallelism(what, spec) == (1, 1)
    if alone and not any(options.is_given(spec.engine_args, option) for option in _CONNECTORS):
        found["PYTORCH_CUDA_ALLOC_CONF"] = "expandable_segments:True"
    return found
