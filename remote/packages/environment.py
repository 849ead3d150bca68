"""Make one environment: find a Python and an installer, install, and say truthfully how it failed.

An interrupted installation is started afresh in an empty folder; what was downloaded is in the
installer's cache, so nothing is fetched twice.
"""

import contextlib
import errno
import os
import re
import shutil
from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Type

from remote.packages import installer, interpreters, pip_settings
from remote.packages.growth import Growth
from remote.packages.installer import Installer
from remote.packages.interpreters import Interpreter, Minor
from remote.packages.meter import Meter
from remote.packages.places import Places, free_bytes
from remote.task import Cancelled, Context, TaskFailed

# Pauses before another attempt after a network failure, in seconds.
PAUSES = (2.0, 10.0, 30.0)

_REASONS = (
    ("disk-full", re.compile(r"No space left on device|os error 28|Disk quota exceeded")),
    (
        "unresolved",
        re.compile(
            r"No solution found|No matching distribution|ResolutionImpossible|"
            r"is not a supported wheel on this platform"
        ),
    ),
    (
        "network",
        re.compile(
            r"error sending request|Failed to (?:fetch|download)|timed? ?out|dns error|"
            r"[Cc]onnection (?:reset|refused|closed|aborted|broken)|Temporary failure|"
            r"HTTP status server error|[Hh]ash mismatch|DO NOT MATCH THE HASHES|ProxyError"
        ),
    ),
)


class Unresolved(TaskFailed):
    """No Python of this host finds a version that fits: another version may."""


class Plan(NamedTuple):
    """An environment to be made.

    Attributes:
        label: "engine" or "hub", for messages.
        folder: where it goes.
        requirements: what is installed together.
        pythons: the oldest Python that does, and the first that does not.
        expected_bytes: what it takes on the disk, for the progress.
        resort: uv's options for a last try when no Python finds all requirements.
    """

    label: str
    folder: Path
    requirements: Tuple[str, ...]
    pythons: Tuple[Minor, Minor]
    expected_bytes: int
    resort: Tuple[str, ...] = ()


class Way(NamedTuple):
    """One way to try: a Python, and options of the installer."""

    python: Interpreter
    options: Tuple[str, ...] = ()


def make(ctx: Context, plan: Plan, places: Places) -> Installer:
    """Make the environment; returns the installer that was used.

    Raises:
        TaskFailed: `environment.no-interpreter` and `.install-failed` (as `Unresolved` where
            another version may do), `.no-installer`, `.disk-full`.
        Cancelled: the run is being stopped.
    """
    ctx.progress(0, None, "bytes", "find-uv")
    pythons = interpreters.find(os.environ)
    settings = pip_settings.read([python.path for python in pythons], os.environ)
    with told_when_full(plan):
        tool = installer.find(ctx, pythons, settings, places)
        for folder in (plan.folder.parent, places.cache("tmp")):
            folder.mkdir(parents=True, exist_ok=True)
    lines: List[str] = []
    for way in ways(plan, pythons, bool(tool.uv)):
        _create(ctx, tool, way, plan)
        lines = _install(ctx, tool, way, plan, places)
        if not lines:
            return tool
    shutil.rmtree(str(plan.folder), ignore_errors=True)
    raise _failed(plan, lines, Unresolved)


@contextlib.contextmanager
def told_when_full(plan: Plan) -> Iterator[None]:
    """Raise `environment.disk-full` where the block finds the disk full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _disk_full(plan) from error


def ways(plan: Plan, pythons: Sequence[Interpreter], has_uv: bool) -> List[Way]:
    """Return the ways to try in order; the next one counts only where one cannot be resolved.

    An index, or a folder of wheels, may have a package for one Python and not for another.

    Raises:
        Unresolved: `environment.no-interpreter`.
    """
    fitting = interpreters.fitting(pythons, *plan.pythons)
    if not fitting:
        needed = ">=%d.%d,<%d.%d" % (*plan.pythons[0], *plan.pythons[1])
        raise Unresolved("environment.no-interpreter", needed=needed)
    if not plan.resort:
        return [Way(fitting[0])]
    last = [Way(fitting[0], plan.resort)] if has_uv else []
    return [*map(Way, fitting), *last]


def why(lines: Sequence[str]) -> str:
    """Return what an installer's last lines say: "disk-full", "unresolved", "network" or ""."""
    text = "\n".join(lines)
    return next((reason for reason, pattern in _REASONS if pattern.search(text)), "")


def _create(ctx: Context, tool: Installer, way: Way, plan: Plan) -> None:
    shutil.rmtree(str(plan.folder), ignore_errors=True)
    status, lines = _run(ctx, tool, tool.create(way.python.path, plan.folder))
    if status == 0:
        return
    if why(lines) == "disk-full":
        raise _disk_full(plan)
    if not tool.uv:  # Debian's Python without ensurepip, and no way to uv either
        raise TaskFailed("environment.no-installer", _last(lines), last_lines=lines)
    raise _failed(plan, lines)


def _install(ctx: Context, tool: Installer, way: Way, plan: Plan, places: Places) -> List[str]:
    """Install; returns nothing when it is done, the last lines when it cannot be resolved."""
    pauses = list(PAUSES)
    while True:
        lines = _attempt(ctx, tool, way, plan, places)
        reason = why(lines)
        if not lines or reason == "unresolved":
            return lines
        if reason == "disk-full":
            raise _disk_full(plan)
        if reason != "network" or not pauses:
            raise _failed(plan, lines)
        if ctx.cancelled.wait(pauses.pop(0)):
            raise Cancelled


def _attempt(ctx: Context, tool: Installer, way: Way, plan: Plan, places: Places) -> List[str]:
    """Install once; returns the last lines of a failure, nothing after a success."""
    steps = ["resolve"]

    def read(line: str) -> None:
        if line.startswith(("Resolved ", "Collecting ")):
            steps.append("install")

    meter, total = Meter(), plan.expected_bytes

    def report(grown: int) -> None:
        done = min(grown, total)
        rate = meter.rate(done)
        left = meter.seconds_left(total)
        ctx.progress(done, total, "bytes", steps[-1], rate, left)

    report(0)
    argv = [*tool.install(plan.folder, plan.requirements), *way.options]
    with Growth([plan.folder, places.cache("uv"), places.cache("pip")], report):
        status, lines = _run(ctx, tool, argv, read)
    return [] if status == 0 else (lines or ["exit status %d" % status])


def _run(
    ctx: Context,
    tool: Installer,
    argv: List[str],
    on_line: Optional[Callable[[str], None]] = None,
) -> Tuple[int, List[str]]:
    try:
        return ctx.run(argv, tool.variables, on_line)
    except OSError as error:  # the program went away meanwhile
        return 127, [str(error)]


def _disk_full(plan: Plan) -> TaskFailed:
    return TaskFailed("environment.disk-full", path=str(plan.folder), free=free_bytes(plan.folder))


def _failed(plan: Plan, lines: List[str], kind: Type[TaskFailed] = TaskFailed) -> TaskFailed:
    return kind(
        "environment.install-failed",
        _last(lines),
        environment=plan.label,
        requirement=plan.requirements[0],
        last_lines=lines,
    )


def _last(lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
