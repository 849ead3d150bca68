"""vLLM's command line and environment as one pure function of what was found out and asked for.

What is left out is as deliberate as what is there: `--quantization` stays unset, because every
version picks its fastest AWQ kernel then, and `-q awq` forces a slow one up to 0.22.
"""

import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from remote.engine.choice import Version, parse_version
from remote.packages.places import Places, engine_caches
from remote.packages.programs import PLAIN_PYTHON
from remote.spec import Spec

HOST = "127.0.0.1"  # the laptop comes through its SSH connection; nobody else is to come
# One person talks to it: few sequences make fewer CUDA graphs and leave more memory for the cache.
MAX_NUM_SEQS = 8
CPU_KV_CACHE_GIB = 1

AUTO_LENGTH_SINCE = (0, 14, 1)
QUIET_ENDPOINTS_SINCE = (0, 19, 1)

# Options of the user's own that take the place of ours.
_LENGTH = ("--max-model-len", "--max_model_len")


class Serving(NamedTuple):
    """What one attempt to serve is made with.

    Attributes:
        argv: the command that starts the engine (the fact `engine.argv`).
        env: the engine's environment folder, "" where there is none.
        version: of the engine; () is taken for a new one.
        model_path: the folder of the model's files.
        gpu_count: 0 makes it a CPU engine.
        port: where it will listen.
        places: where its caches go.
        fitted_length: the longest context that the last attempt said would fit, 0 for none.
        port_tries: how often another port was taken because this one was not free after all.
    """

    argv: Tuple[str, ...]
    env: str
    version: Version
    model_path: str
    gpu_count: int
    port: int
    places: Places
    fitted_length: int = 0
    port_tries: int = 0


def serving(facts: Mapping[str, Any], port: int) -> Serving:
    """Return the first attempt's serving, from the facts that the earlier tasks left."""
    return Serving(
        argv=tuple(facts["engine.argv"]),
        env=facts.get("engine.env") or "",
        version=parse_version(facts.get("engine.version") or ""),
        model_path=facts["model.path"],
        gpu_count=facts.get("gpu.count") or 0,
        port=port,
        places=Places(Path(facts["data_dir"])),
    )


def build(what: Serving, spec: Spec, path: str) -> Tuple[List[str], Dict[str, str]]:
    """Return argv, and the variables to add to the host's environment.

    The API key is in the environment only: argv is seen by everybody on the host.

    Args:
        what: this attempt.
        spec: the run's spec; its engine_args come last, and so win.
        path: the host's PATH, which the environment's programs (ninja, for one) go before.
    """
    argv = [*what.argv, *_model(what.argv, what.model_path)]
    argv += ["--host", HOST, "--port", str(what.port), "--served-model-name", spec.model]
    argv += _length(what, spec)
    argv += ["--max-num-seqs", str(MAX_NUM_SEQS)]
    if what.gpu_count == 0:
        argv.append("--enforce-eager")  # ready in 60 s instead of 130 s (measured)
    if _is_since(what.version, QUIET_ENDPOINTS_SINCE):
        argv += ["--disable-access-log-for-endpoints", "/health,/metrics"]
    return argv + list(spec.engine_args), _variables(what, spec, path)


def _model(argv: Sequence[str], model_path: str) -> List[str]:
    """`vllm serve` takes the model as its first argument, the module it wraps takes an option."""
    return [model_path] if argv[-1] == "serve" else ["--model", model_path]


def _length(what: Serving, spec: Spec) -> List[str]:
    if any(arg.partition("=")[0] in _LENGTH for arg in spec.engine_args):
        return []
    asked = str(what.fitted_length) if what.fitted_length else spec.max_model_len
    if asked in ("", "auto"):
        asked = "auto" if _is_since(what.version, AUTO_LENGTH_SINCE) else ""
    return ["--max-model-len", asked] if asked else []


def _is_since(version: Version, first: Version) -> bool:
    return not version or version >= first


def _variables(what: Serving, spec: Spec, path: str) -> Dict[str, str]:
    variables = dict(PLAIN_PYTHON)
    variables.update(engine_caches(what.places))
    variables.update(
        {
            "VLLM_API_KEY": spec.api_key,
            # On by default from 0.20 on, and compiled with an nvcc that most hosts have not.
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


def with_fitting_length(what: Serving, fitting: Optional[int]) -> Optional[Serving]:
    """Return an attempt with the length that the engine says fits; None after one such try."""
    if not fitting or what.fitted_length:
        return None
    return what._replace(fitted_length=fitting)
