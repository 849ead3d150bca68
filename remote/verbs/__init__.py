"""What the agent can be asked: a table of verbs, one module each, imported when it is asked for.

`hello` runs on every connect and must be quick, so that nothing here imports a verb's needs.
"""

import importlib
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence

from remote import runs

if TYPE_CHECKING:
    from remote.task import Task

USAGE = """\
usage: python AGENT.pyz VERB [OPTIONS]   (PROTOCOL.md; stdout is for programs)

  hello
  start [--join-only]                          a spec on stdin
  watch --after SEQ [--run ID]
  status
  endpoint
  stop [--grace SECONDS] [--power-off]
  logs [--task NAME] [--lines N] [--follow]
  doctor                                       a spec on stdin, or nothing
  clean --partial [--data-dir DIR]
"""

# Verb → option → its type; a bool is a flag.
OPTIONS: Dict[str, Dict[str, type]] = {
    "hello": {},
    "start": {"join-only": bool},
    "watch": {"after": int, "run": str},
    "status": {},
    "endpoint": {},
    "stop": {"grace": float, "power-off": bool},
    "logs": {"task": str, "lines": int, "follow": bool},
    "doctor": {},
    "clean": {"partial": bool, "data-dir": str},
}


class UsageError(Exception):
    """A command line that is none of ours."""


class Request(NamedTuple):
    """One call of the agent.

    Attributes:
        verb: a key of `OPTIONS`.
        options: those that were given, by name.
        graph: the tasks to work through; None means the real ones.
    """

    verb: str
    options: Dict[str, Any]
    graph: Optional[Sequence["Task"]] = None


def parse(arguments: Sequence[str]) -> Request:
    """Return the request in a command line; raises UsageError."""
    if not arguments or arguments[0] not in OPTIONS:
        raise UsageError("a verb is needed")
    known, options, rest = OPTIONS[arguments[0]], {}, list(arguments[1:])
    while rest:
        name = rest.pop(0)
        if not name.startswith("--") or name[2:] not in known:
            raise UsageError("%s does not know %s" % (arguments[0], name))
        options[name[2:]] = _value(known[name[2:]], name, rest)
    return Request(arguments[0], options)


def _value(kind: type, name: str, rest: List[str]) -> Any:
    if kind is bool:
        return True
    try:
        value = kind(rest.pop(0))
    except (IndexError, ValueError):
        raise UsageError("%s needs a value" % name) from None
    if kind is not str and not 0 <= value < float("inf"):
        raise UsageError("%s: a number from 0 on is needed" % name)
    return value


def answer(request: Request) -> int:
    """Carry a request out, its lines on stdout, and return the exit status.

    Whoever asks is a laptop in sight: that renews the newest run's lease.
    """
    newest = runs.newest(runs.runs_folder())
    if newest is not None:
        runs.renew_lease(newest)
    verb = importlib.import_module("remote.verbs." + request.verb)
    status: int = verb.run(request)
    return status


def tasks_of(request: Request) -> Sequence["Task"]:
    """Return the graph that a request is about, with every module that its tasks need imported."""
    if request.graph is not None:
        return request.graph
    from remote.tasks import TASK_GRAPH  # noqa: PLC0415 - a test brings its own graph

    return TASK_GRAPH
