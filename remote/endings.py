"""What the terminal events of a run say, and `ready`: pure, from results and errors."""

import errno
import re
from typing import Any, Dict, List, NamedTuple, Tuple

from remote.engine import failures
from remote.spec import Spec
from remote.task import TaskFailed

# All that the server knows of an engine that vanished; and what one says that had time for a word.
_GONE = re.compile("EngineDeadError|EngineCore died")
_FELL = re.compile("Segmentation fault|Segfault|Fatal Python error|SIG(?:SEGV|ABRT|BUS|ILL)")

FULL = (errno.ENOSPC, errno.EDQUOT)  # of an OSError: there is no room


class Ending(NamedTuple):
    """How a run ends: its terminal event."""

    kind: str
    fields: Dict[str, Any]


class BadResult(Exception):
    """The graph went through, but the engine's facts are not there: our own mistake."""


def endpoint_of(spec: Spec, facts: Dict[str, Any]) -> Dict[str, Any]:
    """Return the fields of `ready` from what serve found out; raises BadResult without them."""
    port, longest = facts.get("engine.port"), facts.get("engine.max_model_len")
    version = facts.get("engine.version")
    if not isinstance(port, int) or not isinstance(longest, int) or not isinstance(version, str):
        raise BadResult("engine.port, engine.max_model_len and engine.version are needed")
    return {
        "port": port,
        "model": spec.model,
        "max_model_len": longest,
        "engine_version": version,
    }


def crashed(status: int, log: List[str]) -> TaskFailed:
    """Return the failure of an engine that ended by itself after it had served."""
    end = failures.ending(status, log)
    if failures.ending(0, log).code == "engine.exited":  # the log itself names no cause
        end = _unexplained(end, any(_FELL.search(line) for line in log))
    return failures.failure(end, log)


def _unexplained(end: failures.Ending, fell: bool) -> failures.Ending:
    """Return how an engine ended whose log has no cause, `fell` where it tells of a bad access.

    Killed are the first process, whose status says so, or the engine's own, of which the first one
    only sees that it is gone (measured with 0.26 and 0.32: it then ends with status 0).
    """
    if end.exit_status in failures.KILLED:
        return end._replace(code="engine.killed", cause="signal 9")
    if _GONE.search(end.cause) and not fell:
        return end._replace(code="engine.killed", cause="it ended without a word")
    return end._replace(code="engine.crashed")


def told(error: BaseException) -> Tuple[str, str, Dict[str, Any]]:
    """Return the code, the detail and the facts of what a task raised."""
    if isinstance(error, TaskFailed):
        return error.code, error.detail, dict(error.facts)
    if isinstance(error, OSError) and error.errno in FULL:
        return "run.disk-full", str(error), {"path": str(error.filename or "")}
    return "run.bug", "%s: %s" % (type(error).__name__, error), {}
