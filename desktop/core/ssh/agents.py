"""Keys that an SSH agent holds: it signs, and never gives them away.

Which agent: `IdentityAgent` of the SSH config, else `SSH_AUTH_SOCK`; on Windows what paramiko
finds, Pageant first and then OpenSSH's named pipe. The two requests that are needed are made here
(draft-ietf-sshm-ssh-agent): paramiko's client waits for ever, takes answers of 4 GiB, and hides all
keys behind one comment that is no UTF-8.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Protocol

import paramiko
from paramiko.message import Message

from desktop.core.ssh.identities import Sign

_SECONDS = 5.0  # to list its keys
_SIGN_SECONDS = 60.0  # it may wait for a finger, or for a person to say yes
_MOST_BYTES = 256 << 10  # of one answer; OpenSSH's own bound (authfd.c), as is that of the keys
_MOST_KEYS = 2048
_LIST, _LISTED, _SIGN, _SIGNED = 11, 12, 13, 14
_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}  # else an agent signs with SHA-1


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """A key or a certificate in an SSH agent."""

    blob: bytes
    sign: Sign


@contextmanager
def from_agent(place: str = "") -> Iterator[list[AgentIdentity]]:
    """Lend the keys of the user's SSH agent; none when there is no agent or it hangs.

    Args:
        place: its socket, `SSH_AUTH_SOCK` or `$NAME` for one that the environment names, "none",
            or "" for the usual one.
    """
    agent = None
    with suppress(OSError, ValueError, paramiko.SSHException):  # ValueError: a NUL in its place
        agent = _opened(place)
    if agent is None:
        yield []
        return
    try:
        yield agent.identities
    finally:
        agent.close()


class _Wire(Protocol):
    """A socket, or what paramiko makes of a pipe or of Pageant."""

    def send(self, data: bytes, /) -> int | None: ...
    def recv(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class _Agent:
    """An agent that has told its keys.

    Attributes:
        identities: its keys.
    """

    def __init__(self, wire: _Wire) -> None:
        """Ask for the keys; raises OSError or SSHException."""
        self._wire = wire
        answer = self._ask(_LIST, b"", _LISTED, _SECONDS)
        count = min(answer.get_int(), _MOST_KEYS)
        keys = [(answer.get_binary(), answer.get_binary()) for _ in range(count)]  # and comments
        self.identities = [
            AgentIdentity(blob, partial(self._sign, blob)) for blob, _ in keys if blob
        ]

    def close(self) -> None:
        self._wire.close()

    def _sign(self, blob: bytes, data: bytes, algorithm: str) -> bytes:
        """Return a signature; raises OSError or SSHException, also where it would not sign."""
        request = Message()
        request.add_string(blob)
        request.add_string(data)
        request.add_int(_FLAGS.get(algorithm.removesuffix("-cert-v01@openssh.com"), 0))
        return self._ask(_SIGN, request.asbytes(), _SIGNED, _SIGN_SECONDS).get_binary()

    def _ask(self, kind: int, fields: bytes, wanted: int, seconds: float) -> Message:
        """Return the answer of the wanted kind; after half of one nothing more can be asked."""
        deadline = time.monotonic() + seconds
        try:
            self._wire.send((1 + len(fields)).to_bytes(4, "big") + bytes((kind,)) + fields)
            size = int.from_bytes(self._read(4, deadline), "big")
            answer = self._read(size, deadline)
        except BaseException:
            self._wire.close()
            raise
        if answer[:1] != bytes((wanted,)):
            raise paramiko.SSHException("the agent says no")
        return Message(answer[1:])

    def _read(self, size: int, deadline: float) -> bytes:
        if size > _MOST_BYTES:
            raise paramiko.SSHException("the agent's answer is too long")
        data = bytearray()
        while len(data) < size:
            if isinstance(self._wire, socket.socket):
                self._wire.settimeout(max(0.001, deadline - time.monotonic()))
            piece = self._wire.recv(size - len(data))
            if not piece:
                raise ConnectionResetError("the agent hung up")
            data += piece
            if time.monotonic() > deadline:
                raise TimeoutError("no end of the agent's answer")
        return bytes(data)


def _opened(place: str) -> _Agent | None:
    """Return the agent that is meant, if there is one; raises OSError or SSHException."""
    if place.lower() == "none":
        return None
    if sys.platform == "win32":
        return _found_on_windows()
    path = _socket_path(place)
    if not path:
        return None
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(_SECONDS)
        sock.connect(path)
        return _Agent(sock)
    except BaseException:
        sock.close()
        raise


def _found_on_windows() -> _Agent | None:
    """Return the one that paramiko finds, on a thread: a pipe and a window know no deadline."""
    found: SimpleQueue[_Agent] = SimpleQueue()

    def ask() -> None:
        with suppress(OSError, EOFError, ValueError, paramiko.SSHException):
            wire = paramiko.agent.get_agent_connection()
            if wire is not None:
                found.put(_Agent(wire))

    asking = threading.Thread(target=ask, name="ssh-agent", daemon=True)
    asking.start()
    asking.join(_SECONDS)
    try:
        return found.get_nowait()
    except Empty:
        return None


def _socket_path(place: str) -> str:
    if place in ("", "SSH_AUTH_SOCK"):
        return os.environ.get("SSH_AUTH_SOCK", "")
    if place.startswith("$"):
        return os.environ.get(place[1:].strip("{}"), "")
    return os.path.expanduser(place)  # noqa: PTH111 - a name for connect(), not a Path
