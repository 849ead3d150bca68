"""The two ends of the SSH channel, as a verb sees them: lines out on stdout, the end of stdin."""

import errno
import os
import select
import sys
from pathlib import Path
from typing import Any, Dict, Optional

from remote import wire

_STDIN = 0
_FULL = (errno.ENOSPC, errno.EDQUOT)


def say(kind: str, **fields: Any) -> None:
    """Print one protocol line."""
    write(wire.encode(dict({"kind": kind}, **fields)))


def write(text: str) -> None:
    """Print text that is protocol lines already, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def refuse(code: str, detail: str = "", **facts: Any) -> int:
    """Print why the verb cannot be done, and return its exit status."""
    say("refused", **dict(facts, code=code, detail=detail))
    if code == "run.disk-full":
        return wire.EXIT_STORAGE
    return wire.EXIT_NOTHING_RUNNING if code == "nothing-running" else wire.EXIT_REFUSED


def refuse_disk(error: OSError, folder: Path) -> int:
    """Print that our own small files could not be written in `folder`; return the exit status."""
    path = str(error.filename or folder)
    code = "run.disk-full" if error.errno in _FULL else "preflight.not-writable"
    return refuse(code, detail=str(error.strerror or error), path=path)


def read_object() -> Optional[Dict[str, Any]]:
    """Return the JSON object in the one line on stdin, or None where there is no line.

    Raises:
        wire.WireError: it is something else.
    """
    line = sys.stdin.buffer.readline(wire.MAX_LINE_BYTES + 1)
    if not line.strip():
        return None
    return wire.decode(line.decode("utf-8", "replace"))


def laptop_gone(seconds: float) -> bool:
    """Wait `seconds` at most; return whether stdin was closed: nobody listens any more."""
    return heard(seconds) == b""


def heard(seconds: float) -> Optional[bytes]:
    """Return what the laptop wrote to stdin in `seconds` at most.

    Returns:
        None where it said nothing, b"" where stdin was closed: nobody listens any more.
    """
    try:
        readable = select.select([_STDIN], [], [], seconds)[0]
        return os.read(_STDIN, 4096) if readable else None
    except (OSError, ValueError):
        return b""
