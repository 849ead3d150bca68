"""The wire between laptop and host: the one file that both ends import.

stdout of the agent is this protocol and nothing else; `PROTOCOL.md` documents every verb, line
and exit status in prose. Standard library only, Python 3.8.
"""

import json
from typing import Any, Dict, Optional

PROTOCOL = 1

# Login shells print banners before the agent speaks; the reader skips all lines up to this one.
MARKER = "@paperkite-agent-1@"

# One line may carry the last lines of a log; more than this is not ours.
MAX_LINE_BYTES = 256 * 1024

# A greater number is a mistake or an attack; Python's integers know no end, its floats do.
_MAX_INTEGER = 2**63 - 1

# `watch` says it is alive this often when nothing happens.
KEEPALIVE_SECONDS = 5.0

# Exit statuses of the agent. 1 and 126-128 belong to Python and the shell, 255 to ssh.
EXIT_OK = 0
EXIT_USAGE = 2
EXIT_REFUSED = 64
EXIT_NOTHING_RUNNING = 73
EXIT_STORAGE = 74

# Task names, in the order in which people meet them.
PREFLIGHT = "preflight"
ENGINE_ENVIRONMENT = "engine-environment"
HUB_ENVIRONMENT = "hub-environment"
MODEL_FILES = "model-files"
SERVE = "serve"
TASKS = (PREFLIGHT, ENGINE_ENVIRONMENT, HUB_ENVIRONMENT, MODEL_FILES, SERVE)

# States of a task in a `task` event.
WAITING = "waiting"
RUNNING = "running"
DONE = "done"
SKIPPED = "skipped"
FAILED = "failed"
CANCELLED = "cancelled"

# States of a run in `status` and `hello`.
RUN_WORKING = "working"
RUN_READY = "ready"
RUN_STOPPED = "stopped"
RUN_FAILED = "failed"
RUN_LOST = "lost"  # its supervisor is gone and it never said why

# Why a run was stopped: the `reason` of the event `stopped`.
ASKED = "asked"
LEASE = "lease"  # no laptop and no request for as long as was agreed
IDLE = "idle"  # no request for as long as was agreed
LIMIT = "limit"  # it was there for as long as was agreed

# What a wish to power the host off came to.
POWER_OFF_BEGUN = "begun"
POWER_OFF_UNKNOWN = "not-known-safe"  # the provider's own way, or none, is not known to be safe
POWER_OFF_FAILED = "failed"


class WireError(ValueError):
    """A line that is not one JSON object with a `kind`, or is too long."""


def encode(message: Dict[str, Any]) -> str:
    """Return one protocol line, newline included; it is ASCII, so any locale can print it."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")) + "\n"


def decode(line: str) -> Dict[str, Any]:
    """Return the object of one line; raises WireError on anything else."""
    if len(line) > MAX_LINE_BYTES:
        raise WireError("a line of %d characters" % len(line))
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON: %s" % error) from None
    if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
        raise WireError("not an object with a kind")
    return message


def text(message: Dict[str, Any], key: str, limit: int = 2000) -> Optional[str]:
    """Return the string under `key`, cut to `limit`, or None: the host is not trusted."""
    value = message.get(key)
    return value[:limit] if isinstance(value, str) else None


def integer(message: Dict[str, Any], key: str) -> Optional[int]:
    """Return the non-negative integer under `key`, or None; one beyond 64 bits is none of ours."""
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MAX_INTEGER else None


def number(message: Dict[str, Any], key: str) -> Optional[float]:
    """Return the finite, non-negative number under `key`, or None."""
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= _MAX_INTEGER else None


def plain(value: Any, limit: int = 500) -> Any:
    """Return a fact's value bounded: a scalar that any JSON can hold, or text cut to `limit`.

    A number that is not finite or beyond 64 bits becomes None.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if abs(value) <= _MAX_INTEGER else None
    return str(value)[:limit]
