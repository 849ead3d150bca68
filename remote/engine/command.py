"""vLLM's command line and environment as one pure function of what was found out and asked for.

What is left out is as deliberate as what is there: `--quantization` stays unset, because every
version picks its fastest AWQ kernel then, and `-q awq` forces a slow one up to 0.22.
"""

import hashlib
import os
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from remote.engine import nodes, on_cards, options
from remote.engine.fit import CPU_KV_CACHE_GIB
from remote.engine.options import Option
from remote.engine.serving import Serving
from remote.packages.places import engine_caches
from remote.packages.programs import PLAIN_PYTHON
from remote.spec import Spec

HOST = "127.0.0.1"  # the laptop comes through its SSH connection; nobody else is to come

AUTO_LENGTH_SINCE = (0, 14, 1)
QUIET_ENDPOINTS_SINCE = (0, 19, 1)
ONE_AWQ_SINCE = (0, 27)  # "awq" and "awq_marlin" mean the same
ENABLE_REASONING = ((0, 8), (0, 10))  # a switch that the parser needed then


def build(what: Serving, spec: Spec, path: str) -> Tuple[List[str], Dict[str, str]]:
    """Return argv, and the variables to add to the host's environment.

    The API key is in the environment only: argv is seen by everybody on the host.

    Args:
        what: this attempt.
        spec: the run's spec; its engine_args come last, and in the place of ours.
        path: the host's PATH, which the environment's programs (ninja, for one) go before.
    """
    argv = [*what.argv, *_model(what.argv, what.model_path)]
    ours = [*_common(what, spec), *_for_model(what, spec)]
    if what.gpu_count:
        ours += [*on_cards.arguments(what, spec), *nodes.arguments(spec)]
    for option in ours:
        if option[0] not in what.dropped and not options.is_given(spec.engine_args, option[0]):
            argv += option
    return argv + list(spec.engine_args), _variables(what, spec, path)


def template_path(what: Serving, spec: Spec) -> Optional[Path]:
    """Return the file that the spec's chat template has to be written to, None where none is used.

    vLLM notices a missing file only when the engine is up, minutes later. The name tells the
    content, so what is there already is right.
    """
    if what.has_template or not spec.chat_template:
        return None
    digest = hashlib.sha256(spec.chat_template.encode("utf-8")).hexdigest()[:16]
    return what.places.home / "templates" / (digest + ".jinja")


def _model(argv: Sequence[str], model_path: str) -> List[str]:
    """`vllm serve` takes the model as its first argument, the module it wraps takes an option."""
    return [model_path] if argv[-1] == "serve" else ["--model", model_path]


def _common(what: Serving, spec: Spec) -> List[Option]:
    found: List[Option] = [
        ("--host", HOST),
        ("--port", str(what.port)),
        ("--served-model-name", spec.model),
        *_length(what, spec),
        ("--max-num-seqs", str(what.max_num_seqs)),
    ]
    # On a CPU: ready in 60 s instead of 130 s (measured).
    if what.eager or what.gpu_count == 0 or not what.has_compiler:
        found.append(("--enforce-eager",))
    if what.is_since(QUIET_ENDPOINTS_SINCE):
        found.append(("--disable-access-log-for-endpoints", "/health,/metrics"))
    return found


def _length(what: Serving, spec: Spec) -> List[Option]:
    """The engine's own word goes before the plan, the plan before what was asked for."""
    fitted = what.fitted_length
    if not fitted and what.fit is not None and what.gpu_count:
        fitted = what.fit.max_model_len
    asked = str(fitted) if fitted else spec.max_model_len
    if asked in ("", "auto"):
        asked = "auto" if what.is_since(AUTO_LENGTH_SINCE) else ""
    return [("--max-model-len", asked)] if asked else []


def _for_model(what: Serving, spec: Spec) -> List[Option]:
    found: List[Option] = []
    if what.has_old_quantization:
        name = "awq" if what.is_since(ONE_AWQ_SINCE) else "awq_marlin"
        found.append(("--quantization", name))
    if spec.trust_remote_code:
        found.append(("--trust-remote-code",))
    if spec.reasoning_parser:
        if ENABLE_REASONING[0] <= what.version < ENABLE_REASONING[1]:
            found.append(("--enable-reasoning",))
        found.append(("--reasoning-parser", spec.reasoning_parser))
    template = template_path(what, spec)
    if template is not None:
        found.append(("--chat-template", str(template)))
    return found


def _variables(what: Serving, spec: Spec, path: str) -> Dict[str, str]:
    variables = dict(PLAIN_PYTHON)
    variables.update(engine_caches(what.places))
    variables.update(
        {
            "VLLM_API_KEY": spec.api_key,
            # On by default from 0.20 on, and compiled with nvcc: most hosts have none, some have
            # one newer than their driver, and for a few sequences it gains nothing.
            "VLLM_USE_FLASHINFER_SAMPLER": "0",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
        }
    )
    if what.env:
        variables["PATH"] = os.pathsep.join([str(Path(what.env, "bin")), path])
    if what.gpu_count == 0:
        variables["VLLM_CPU_KVCACHE_SPACE"] = str(CPU_KV_CACHE_GIB)
        return variables
    variables.update(on_cards.variables(what, spec))
    variables.update(nodes.variables(spec, what.own_address))
    return variables
