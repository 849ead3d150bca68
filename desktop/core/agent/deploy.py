"""Put the agent on a host and hear its hello: one exec where it is there already, three where not.

The PATH of a non-interactive SSH command is nearly empty (facts of rented hosts: conda's Python is
at an absolute path), so the first exec tries the places where a Python is found, says which one it
took, and goes on to run the agent in the same breath.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath

from desktop.core.agent.archive import Archive, build_archive
from desktop.core.agent.client import Agent, parse_hello
from desktop.core.errors import AgentError, DeployFailed, PythonMissing
from desktop.core.ssh.connection import Completed, Connection

HELLO_SECONDS = 30.0  # a cold disk and a slow login shell, together
_FOUND = "@paperkite-python@"
_ABSENT = "@paperkite-absent@"
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

_SCRIPT = """\
for p in {candidates}; do
  if "$p" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1; then
    echo "{found} $p"
    a="$HOME/.paperkite/agent/{digest}.pyz"
    if [ -f "$a" ]; then exec "$p" -I "$a" hello; fi
    echo "{absent} $HOME"
    exit 0
  fi
done
"""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the first exec said."""

    python: str | None
    home: str | None  # set when the archive is not there
    output: str


def deploy(connection: Connection) -> Agent:
    """Return the agent of this version on the host, sent there first if it is not there yet.

    Raises:
        PythonMissing: no Python of version 3.8 or newer was found.
        DeployFailed: the archive could not be written or does not start.
        ConnectionLost: the connection broke.
    """
    archive = build_archive()
    answer = _ask(connection, archive)
    if answer.home is not None:
        _send(connection, archive, answer.home)
        answer = _ask(connection, archive)
    if answer.python is None:
        raise PythonMissing("python-missing", needed="3.8")
    hello = parse_hello(answer.output)
    path = str(PurePosixPath(hello.home) / ".paperkite" / "agent" / f"{archive.digest}.pyz")
    return Agent(connection, (answer.python, "-I", path), hello)


def _ask(connection: Connection, archive: Archive) -> _Answer:
    script = _SCRIPT.format(
        candidates=" ".join(f'"{path}"' for path in _CANDIDATES),
        digest=archive.digest,
        found=_FOUND,
        absent=_ABSENT,
    )
    # The login shell may be anything (fish, csh): it only has to run sh.
    done = connection.run(f"exec sh -c {shlex.quote(script)}", timeout=HELLO_SECONDS)
    answer = _read(done)
    if answer.python is not None and answer.home is None and done.status != 0:
        raise DeployFailed("deploy-failed", detail=_tail(done))
    return answer


def _read(done: Completed) -> _Answer:
    output = done.stdout.decode("utf-8", "replace")
    python = home = None
    for line in output.splitlines():
        if line.startswith(f"{_FOUND} "):
            python = line.removeprefix(f"{_FOUND} ")
        elif line.startswith(f"{_ABSENT} "):
            home = line.removeprefix(f"{_ABSENT} ")
    return _Answer(python, home, output)


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
    text = done.stderr.decode("utf-8", "replace").strip() or done.stdout.decode("utf-8", "replace")
    return text[-500:].strip()
