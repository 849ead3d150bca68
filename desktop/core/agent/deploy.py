"""Put the agent on a host and hear its hello: one exec where it is there already, four where not.

The PATH of a non-interactive SSH command is nearly empty (facts of rented hosts: conda's Python is
at an absolute path), so the first exec tries the places where a Python is found, says which one it
took, and goes on to run the agent in the same breath.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from desktop.core.agent.answers import messages, parse_hello
from desktop.core.agent.archive import Archive, build_archive
from desktop.core.agent.client import Agent
from desktop.core.errors import AgentError, DeployFailed, ProtocolMismatch, PythonMissing
from desktop.core.plain_text import plain_text

if TYPE_CHECKING:
    from desktop.core.ssh.connection import Completed, Connection

HELLO_SECONDS = 30.0  # a cold disk and a slow login shell, together
_MAX_HELLO = 1 << 20  # bytes; a banner and a line
_FOUND = "@paperkite-python@"
_HOME = "@paperkite-home@"
_DISK_FULL = re.compile(r"no space left|disk quota exceeded", re.IGNORECASE)

_CANDIDATES = (
    "python3",
    "/root/miniconda3/bin/python",
    "$HOME/miniconda3/bin/python",
    "/opt/conda/bin/python",
    "/usr/local/bin/python3",
    "/usr/bin/python3",
    "python",
)

# One line, and neither `!` nor single quotes in it: csh passes on nothing else. The empty `echo`
# ends what a login shell's banner left without a line end.
_SCRIPT = (
    "for p in {candidates}; do "
    'if "$p" -c "import sys; sys.exit(sys.version_info < (3, 8))" >/dev/null 2>&1; then '
    'echo; echo "{found} $p"; echo "{home} $HOME"; a="$HOME/.paperkite/agent/{digest}.pyz"; '
    'if [ -f "$a" ]; then exec "$p" -I "$a" hello; fi; exit 0; '
    "fi; done"
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the first exec said."""

    python: str | None
    home: str
    greeted: bool  # the archive is there and said hello
    done: Completed

    @property
    def output(self) -> str:
        return self.done.stdout[:_MAX_HELLO].decode("utf-8", "replace")


def deploy(connection: Connection) -> Agent:
    """Return the agent of this version on the host, sent there first if it is not there yet.

    An archive that does not say hello counts as damaged (a power cut leaves empty files) and is
    sent once again.

    Raises:
        PythonMissing: no Python of version 3.8 or newer was found.
        DeployFailed: the archive could not be written or does not start.
        ProtocolMismatch: it started and said something else.
        ConnectionLost: the connection broke.
    """
    archive = build_archive()
    answer = _ask(connection, archive)
    if answer.python is not None and not answer.greeted:
        _send(connection, archive, answer.home)
        answer = _ask(connection, archive)
    if answer.python is None:
        raise PythonMissing("python-missing", needed="3.8")
    if not answer.greeted:
        raise DeployFailed("deploy-failed", detail=_tail(answer.done))
    hello = parse_hello(answer.output)
    path = str(PurePosixPath(hello.home) / ".paperkite" / "agent" / f"{archive.digest}.pyz")
    return Agent(connection, (answer.python, "-I", path), hello)


def hello_command(digest: str) -> str:
    """Return the command that finds a Python and runs the archive of this digest, if it is there.

    The login shell may be anything (fish, csh): it only has to run sh.
    """
    candidates = " ".join(f'"{path}"' for path in _CANDIDATES)
    script = _SCRIPT.format(candidates=candidates, digest=digest, found=_FOUND, home=_HOME)
    return f"exec sh -c {shlex.quote(script)}"


def _ask(connection: Connection, archive: Archive) -> _Answer:
    return _read(connection.run(hello_command(archive.digest), timeout=HELLO_SECONDS))


def _read(done: Completed) -> _Answer:
    python, home = None, ""
    lines = done.stdout[:_MAX_HELLO].decode("utf-8", "replace").splitlines()
    for line in lines:
        if line.startswith(f"{_FOUND} "):
            python = line.removeprefix(f"{_FOUND} ")
        elif line.startswith(f"{_HOME} "):
            home = line.removeprefix(f"{_HOME} ")
    return _Answer(python, home, _has_hello(lines), done)


def _has_hello(lines: list[str]) -> bool:
    try:
        return any(message["kind"] == "hello" for message in messages(lines))
    except ProtocolMismatch:  # too long a banner: nothing that sending it again would cure
        return True


def _send(connection: Connection, archive: Archive, home: str) -> None:
    """Write the archive beside its place and move it there, so that it is whole or absent."""
    folder = PurePosixPath(home) / ".paperkite" / "agent"
    made = connection.run(f"umask 077; mkdir -p {shlex.quote(str(folder))}", timeout=HELLO_SECONDS)
    if made.status != 0:
        raise _refused(_tail(made), str(folder))
    try:
        connection.put(archive.content, str(folder / f"{archive.digest}.pyz"))
    except DeployFailed:
        raise
    except AgentError as error:
        raise _refused(str(error), str(folder)) from error


def _refused(reason: str, path: str) -> DeployFailed:
    code = "deploy-disk-full" if _DISK_FULL.search(reason) else "deploy-failed"
    return DeployFailed(code, detail=reason, path=path)


def _tail(done: Completed) -> str:
    said = done.stderr.strip() or done.stdout
    return plain_text(said[-500:].decode("utf-8", "replace")).strip()
