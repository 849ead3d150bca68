"""Keys that an SSH agent holds: it signs, and never gives them away.

Which agent: `IdentityAgent` of the SSH config, else `SSH_AUTH_SOCK`; on Windows what paramiko
finds, Pageant first and then OpenSSH's named pipe.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue

import paramiko

from desktop.core.ssh.identities import Sign, signer
from desktop.core.ssh.stock import StockAgent

_SECONDS = 5.0  # to list its keys; an agent's own calls know no deadline


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """A key or a certificate in an SSH agent. `name` is its comment or path there."""

    name: str
    blob: bytes
    sign: Sign


@contextmanager
def from_agent(place: str = "") -> Iterator[list[AgentIdentity]]:
    """Lend the keys of the user's SSH agent; none when there is no agent or it hangs.

    Args:
        place: its socket, `SSH_AUTH_SOCK` or `$NAME` for one that the environment names, "none",
            or "" for the usual one.
    """
    if place.lower() == "none":
        yield []
        return
    answer: SimpleQueue[paramiko.Agent] = SimpleQueue()

    def ask() -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            answer.put(_open(place))

    asking = threading.Thread(target=ask, name="ssh-agent", daemon=True)
    asking.start()
    asking.join(_SECONDS)
    if answer.empty():
        yield []
        return
    agent = answer.get()
    try:
        yield [_identity(key) for key in agent.get_keys()]
    finally:
        agent.close()


def _open(place: str) -> paramiko.Agent:
    path = _socket_path(place)
    if not path or sys.platform == "win32":  # there a pipe or Pageant, and paramiko knows which
        return paramiko.Agent()
    agent = StockAgent.__new__(StockAgent)
    paramiko.agent.AgentSSH.__init__(agent)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(_SECONDS)
        sock.connect(path)
        sock.settimeout(None)  # signing may wait for a finger
        agent._connect(sock)  # noqa: SLF001 - paramiko has no way to name an agent (#2429)
    except BaseException:
        sock.close()
        raise
    return agent


def _socket_path(place: str) -> str:
    if place == "SSH_AUTH_SOCK":
        return ""
    if place.startswith("$"):
        return os.environ.get(place[1:].strip("{}"), "")
    return os.path.expanduser(place)  # noqa: PTH111 - a name for connect(), not a Path


def _identity(key: paramiko.AgentKey) -> AgentIdentity:
    # Without its inner key it gives, and signs with, the blob that the agent has: paramiko would
    # otherwise take the plain key for a certificate.
    key.inner_key = None  # type: ignore[attr-defined] # documented, not in the stubs
    return AgentIdentity(key.comment or key.get_name(), key.blob, signer(key))
