"""What the terminal events of a run say, and `ready`: pure, from results and errors."""

import errno
from typing import Any, Dict, List, NamedTuple, Tuple

from remote.engine import failures
from remote.spec import Spec
from remote.task import TaskFailed

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
    found = failures.failure(failures.ending(status, log), log)
    if found.code == "engine.exited":  # it is known no better
        found.code = "engine.crashed"
    return found


def told(error: BaseException) -> Tuple[str, str, Dict[str, Any]]:
    """Return the code, the detail and the facts of what a task raised."""
    if isinstance(error, TaskFailed):
        return error.code, error.detail, dict(error.facts)
    if isinstance(error, OSError) and error.errno in FULL:
        return "run.disk-full", str(error), {"path": str(error.filename or "")}
    return "run.bug", "%s: %s" % (type(error).__name__, error), {}
